"""Where the name and version of a release come from: typed, sidecar, marker, file name."""

from collections.abc import Mapping
from dataclasses import dataclass
import json
import re
from typing import Any, Final, Self

from .ota import Cause, LibraryError, Marker

_FILE_NAME: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.+-]*?)[-_]v?(?P<version>\d+(?:\.\d+)+[\w.+-]*?)\.bin(?:\.gz)?"
)
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

    @classmethod
    def from_sidecar(cls, file_name: str, text: str) -> Self:
        """Read `<file>.json`: an object with any of `firmware`, `version`, `notes`.

        Raises LibraryError when it is no such object.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise LibraryError(Cause.SIDECAR_INVALID, detail=err) from err
        if not isinstance(content, Mapping):
            raise LibraryError(Cause.SIDECAR_INVALID, detail="it is no JSON object")
        return cls(
            file_name=file_name,
            firmware=_checked(content, "firmware", _NAME),
            version=_checked(content, "version", _VERSION),
            notes=_notes(content.get("notes")),
        )

    def resolve(self, marker: Marker | None) -> tuple[str, str]:
        """Return name and version; what was said wins over the marker, that over the name.

        Raises LibraryError when one of them is nowhere to be found.
        """
        parsed = _FILE_NAME.fullmatch(self.file_name)
        firmware = (
            self.firmware
            or (marker.name if marker else None)
            or (parsed["name"] if parsed else None)
        )
        version = (
            self.version
            or (marker.version if marker else None)
            or (parsed["version"] if parsed else None)
        )
        if firmware is None or version is None:
            raise LibraryError(Cause.VERSION_MISSING)
        if not (_NAME.fullmatch(firmware) and _VERSION.fullmatch(version)):
            raise LibraryError(Cause.VERSION_MISSING)
        return firmware, version


def _checked(content: Mapping[str, Any], key: str, pattern: re.Pattern[str]) -> str | None:
    if (value := content.get(key)) is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise LibraryError(Cause.SIDECAR_INVALID, detail=f"{key!r} is not usable")
    return value


def _notes(value: object) -> str | None:
    return value[:_NOTES_LIMIT] if isinstance(value, str) else None
