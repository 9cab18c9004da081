"""Where the name and version of a release come from: typed, sidecar, marker, file name."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
import json
import re
from typing import Any, Final, Self

from ..ota import Cause, Chip, ImageKind, LibraryError, Marker, chip_from_text

_FILESYSTEM: Final = r"[._-](?:mk)?(?:littlefs|spiffs|fatfs|fat|filesystem)"
_ENDING: Final = r"\.bin(?:\.gz)?"
_FILE_NAME: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.+-]*?)[-_]v?(?P<version>\d+(?:\.\d+)+[\w.+-]*?)"
    rf"(?:{_FILESYSTEM})?{_ENDING}",
    re.IGNORECASE,
)
_FILESYSTEM_NAME: Final = re.compile(rf"{_FILESYSTEM}{_ENDING}", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}")
_VERSION: Final = re.compile(r"\w[\w.+-]{0,63}")
_NOTES_LIMIT: Final = 64 * 1024
SIGNATURE_LIMIT: Final = 4 * 1024
"""Bytes of a detached signature; a minisign file has about 300."""


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
    fallback: Marker | None = None
    """What a source calls it; believed last, for a tag may name more than one file."""

    @classmethod
    def from_sidecar(cls, file_name: str, text: str, *, signature: str | None = None) -> Self:
        """Read `<file>.json`: any of `firmware`, `version`, `notes`, `chip`, `kind`.

        Raises LibraryError when it is no such object.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise LibraryError(Cause.SIDECAR_INVALID, detail=err) from err
        if not isinstance(content, Mapping):
            raise LibraryError(Cause.SIDECAR_INVALID, detail="it is no JSON object")
        try:
            return cls.stated(file_name, content, signature=signature)
        except LibraryError as err:
            detail = f"{err.facts['field']!r} is not usable"
            raise LibraryError(Cause.SIDECAR_INVALID, detail=detail) from err

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
        )

    def over(self, other: ReleaseName) -> ReleaseName:
        """Return what both say, this one first."""
        mine = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(other, **{name: value for name, value in mine.items() if value is not None})

    @property
    def kind(self) -> ImageKind | None:
        """What the image is said to be; None when neither words nor file name tell."""
        if self.stated_kind is None and _FILESYSTEM_NAME.search(f".{self.file_name}"):
            return ImageKind.FILESYSTEM
        return self.stated_kind

    def resolve(self, marker: Marker | None) -> tuple[str, str]:
        """Return name and version; what was said wins over the marker, that over the name.

        Raises LibraryError when one of them is nowhere to be found.
        """
        parsed = _FILE_NAME.fullmatch(self.file_name)
        in_file = Marker(name=parsed["name"], version=parsed["version"]) if parsed else None
        places = [place for place in (marker, in_file, self.fallback) if place]
        firmware = self.firmware or next((place.name for place in places), None)
        version = self.version or next((place.version for place in places), None)
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


def _notes(value: object) -> str | None:
    return value[:_NOTES_LIMIT] if isinstance(value, str) else None
