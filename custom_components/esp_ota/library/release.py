"""One version of a firmware for one chip: what is known of it, and how that is stored."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
import re
from typing import Any, Final

from ..ota import (
    AppDescriptor,
    Chip,
    FilesystemType,
    FlashMode,
    Image,
    ImageKind,
    Marker,
    is_prerelease,
    same_version,
)
from ..stored import is_sound

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
"""It names a file."""
SIGNATURE_LIMIT: Final = 4 * 1024
"""Bytes of a detached signature; a minisign file has about 300."""
_IMAGE_FIELDS: Final[dict[str, Callable[[Any], Any]]] = {
    "kind": ImageKind,
    "chip": Chip,
    "flash_mode": FlashMode,
    "filesystem": FilesystemType,
    "descriptor": lambda descriptor: AppDescriptor(**descriptor),
    "marker": lambda marker: Marker(**marker),
}
"""What is text in the store and more in an `Image`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One version of a firmware for one chip."""

    firmware: str
    version: str
    image: Image
    notes: str | None
    source: str
    """Where it came from: `folder`, `upload`, `action`, `build`, or the id of a source."""
    added: str
    """ISO time in UTC."""
    stated_chip: Chip | None = None
    """The chip somebody named, for images that do not tell (file systems)."""
    signature: str | None = None
    """The text of a detached signature (minisign) that came with the image."""
    flagged: bool = False
    """Whether who published it says that it is a pre-release."""

    @property
    def chip(self) -> Chip | None:
        """The chip it is for: the image's own word first."""
        return self.image.chip or self.stated_chip

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before a release: by its version, or by who published it."""
        return self.flagged or is_prerelease(self.version)

    def is_same_as(self, other: Release) -> bool:
        """Whether the two may exist only once with one content."""
        kinds = self.firmware == other.firmware and self.image.kind is other.image.kind
        return kinds and self.chip == other.chip and same_version(self.version, other.version)

    def facts(self) -> dict[str, Any]:
        """Return what programs are told of it."""
        image = self.image
        return {
            "firmware": self.firmware,
            "version": self.version,
            "chip": self.chip,
            "kind": image.kind,
            "size": image.size,
            "md5": image.md5,
            "sha256": image.sha256,
            "packed": image.packed,
            "signed": image.signed or self.signature is not None,
            "prerelease": self.is_prerelease,
            "source": self.source,
            "added": self.added,
        }

    def stored(self) -> dict[str, Any]:
        """Return its form in the store, without what every other one has as well."""
        return _said(self) | {"image": _said(self.image)}

    @classmethod
    def restored(cls, item: dict[str, Any]) -> Release:
        """Return a release from its stored form.

        Raises KeyError, TypeError or ValueError for what another version of us has stored.
        """
        if not isinstance(item, dict):
            raise TypeError(type(item))
        image = dict(item["image"])
        for key, kind in _IMAGE_FIELDS.items():
            if image.get(key) is not None:
                image[key] = kind(image[key])
        stated = item.get("stated_chip")
        fields = item | {"image": Image(**image), "stated_chip": Chip(stated) if stated else None}
        release = cls(**fields)
        if not is_sound(release) or not _SHA256.fullmatch(release.image.sha256):
            raise ValueError(release)
        return release


def _said(item: Release | Image) -> dict[str, Any]:
    """Return the fields in which it differs from what is assumed of one that does not say them."""
    usual = {field.name: field.default for field in fields(item)}
    return {name: value for name, value in asdict(item).items() if value != usual[name]}


def sha256_of(item: Any) -> str:
    """Return whose facts these are, which cannot be read otherwise."""
    image = item.get("image") if isinstance(item, dict) else None
    return str(image.get("sha256")) if isinstance(image, dict) else ""
