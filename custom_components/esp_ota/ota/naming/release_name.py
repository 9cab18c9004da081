"""Who has the last word on the name and version of a release, and on what its bytes are.

In this order: what the person typed or the request said, a sidecar, the marker in the image, the
file name, a source's tag, and last the descriptor of an ESP32 sketch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
import json
import re
from typing import Any, Final, Self

from ..causes import Cause
from ..details import Detail, mistaken_kind
from ..exceptions import ImageError, LibraryError
from ..image import read_image
from ..models import AppDescriptor, Chip, Image, ImageKind, Marker
from ..module import chip_from_text
from .descriptor import stated_by
from .file_name import hints_at_files, read_file_name, says_files

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}")
_VERSION: Final = re.compile(r"\w[\w.+-]{0,63}")
_NOTES_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseName:
    """What was said about a file besides its bytes."""

    file_name: str
    firmware: str | None = None
    """What the person typed, or the sidecar stated."""
    version: str | None = None
    notes: str | None = None
    chip: Chip | None = None
    """Only asked for images that do not tell themselves."""
    stated_kind: ImageKind | None = None
    signature: str | None = None
    """The text of a detached signature beside the file."""
    prerelease: bool | None = None
    """Whether who publishes it says that it is a pre-release."""
    fallback: Marker | None = None
    """What a source calls it; believed last, for a tag may name more than one file."""

    @classmethod
    def from_sidecar(cls, file_name: str, text: str, *, signature: str | None = None) -> Self:
        """Read `<file>.json`: any of `firmware`, `version`, `notes`, `chip`, `kind`, `prerelease`.

        Raises LibraryError when it is no such object.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise LibraryError(Cause.SIDECAR_INVALID, detail=Detail.NOT_JSON) from err
        if not isinstance(content, Mapping):
            raise LibraryError(Cause.SIDECAR_INVALID, detail=Detail.NO_OBJECT)
        try:
            return cls.stated(file_name, content, signature=signature)
        except LibraryError as err:
            field = err.facts["field"]
            raise LibraryError(Cause.SIDECAR_INVALID, detail=Detail.FIELD, field=field) from err

    @classmethod
    def stated(
        cls, file_name: str, content: Mapping[str, Any], *, signature: str | None = None
    ) -> Self:
        """Take what a sidecar, an action or an upload states; empty texts state nothing.

        Raises LibraryError with the field that cannot be used.
        """
        return cls(
            file_name=file_name,
            firmware=_checked(content, "firmware", _NAME),
            version=_checked(content, "version", _VERSION),
            notes=_notes(content.get("notes")),
            chip=_chip(content),
            stated_kind=_kind(content),
            signature=signature,
            prerelease=_flag(content, "prerelease"),
        )

    def over(self, other: ReleaseName) -> ReleaseName:
        """Return what both say, this one first."""
        mine = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(other, **{name: value for name, value in mine.items() if value is not None})

    @property
    def kind(self) -> ImageKind | None:
        """What the image is said to be; None when neither words nor file name tell."""
        if self.stated_kind is None and says_files(self.file_name):
            return ImageKind.FILESYSTEM
        return self.stated_kind

    @property
    def chip_of_files(self) -> Chip | None:
        """The chip a file system is for, which no file system tells: said, or in the name."""
        return self.chip or read_file_name(self.file_name, files=True).chip

    def read(self, data: bytes) -> Image:
        """Return the facts of the image with this name.

        A SPIFFS without a mark is one only because it is said so, or its name hints at it.
        Raises ImageError when the bytes are no image for a module, LibraryError when they are
        another kind than was said.
        """
        image = self._read(data)
        if self.kind not in {None, image.kind}:
            raise LibraryError(Cause.KIND_MISMATCH, detail=mistaken_kind(image.kind))
        return image

    def _read(self, data: bytes) -> Image:
        may_be_files = self.kind is ImageKind.FILESYSTEM or (
            self.kind is None and hints_at_files(self.file_name)
        )
        try:
            return read_image(data)
        except ImageError as err:
            if not may_be_files or err.cause is Cause.MERGED_IMAGE:
                raise
            return read_image(data, ImageKind.FILESYSTEM)

    def of_image(self, image: Image) -> tuple[str, str]:
        """Return name and version of an image; raises LibraryError when one of them is nowhere."""
        return self.resolve(image.marker, image.descriptor, image.kind)

    def resolve(
        self,
        marker: Marker | None,
        descriptor: AppDescriptor | None = None,
        kind: ImageKind | None = None,
    ) -> tuple[str, str]:
        """Return name and version, each from the first that says it.

        Raises LibraryError when one of them is nowhere to be found: nothing is guessed.
        """
        files = ImageKind.FILESYSTEM in {kind, self.kind}
        in_name = read_file_name(self.file_name, files=files)
        places = [marker, in_name, self.fallback, stated_by(descriptor)]
        known = [place for place in places if place is not None]
        firmware = self.firmware or next((one.name for one in known if one.name), None)
        version = self.version or next((one.version for one in known if one.version), None)
        if firmware is None or version is None:
            raise LibraryError(Cause.VERSION_MISSING)
        if not (_NAME.fullmatch(firmware) and _VERSION.fullmatch(version)):
            raise LibraryError(Cause.VERSION_MISSING)
        return firmware, version


def _unusable(field: str) -> LibraryError:
    return LibraryError(Cause.FIELD_INVALID, field=field)


def _checked(content: Mapping[str, Any], key: str, pattern: re.Pattern[str]) -> str | None:
    if (value := content.get(key)) in (None, ""):
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _unusable(key)
    return value


def _chip(content: Mapping[str, Any]) -> Chip | None:
    if (value := content.get("chip")) in (None, ""):
        return None
    if not isinstance(value, str) or (chip := chip_from_text(value)) is None:
        raise _unusable("chip")
    return chip


def _kind(content: Mapping[str, Any]) -> ImageKind | None:
    if (value := content.get("kind")) in (None, ""):
        return None
    try:
        return ImageKind(value)
    except ValueError as err:
        raise _unusable("kind") from err


def _flag(content: Mapping[str, Any], key: str) -> bool | None:
    """Return a yes or no; a form has it as text."""
    if (value := content.get(key)) in (None, ""):
        return None
    said = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if said is None:
        raise _unusable(key)
    return said


def _notes(value: object) -> str | None:
    return value[:_NOTES_LIMIT] if isinstance(value, str) else None
