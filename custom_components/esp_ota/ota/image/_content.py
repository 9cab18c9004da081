"""What the readers of all chips hand back, and how they say what is wrong."""

from dataclasses import dataclass

from ..causes import Cause
from ..details import Detail
from ..exceptions import ImageError
from ..models import AppDescriptor, Chip, FilesystemType, FlashMode


@dataclass(frozen=True, slots=True)
class FilesystemFacts:
    """What a filesystem image says of itself."""

    kind: FilesystemType
    size: int
    """Bytes of the area it is made for."""
    version: str | None = None
    """Of a LittleFS's layout on disk, like `2.1`."""
    block: int | None = None
    """Bytes of a LittleFS's blocks."""
    longest_name: int | None = None
    """Bytes that a LittleFS lets a file's name have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What the unpacked bytes are."""

    chip: Chip | None = None
    filesystem: FilesystemFacts | None = None
    end: int
    """Where the image itself ends; a signature may follow."""
    signed: bool = False
    flash_size: int | None = None
    flash_mode: FlashMode | None = None
    min_revision: int | None = None
    max_revision: int | None = None
    descriptor: AppDescriptor | None = None


def truncated(detail: Detail, **facts: object) -> ImageError:
    """Return the error for bytes that are missing at the end."""
    return ImageError(Cause.TRUNCATED_IMAGE, detail=detail, **facts)


def corrupt(detail: Detail, **facts: object) -> ImageError:
    """Return the error for bytes that contradict each other."""
    return ImageError(Cause.CORRUPT_IMAGE, detail=detail, **facts)
