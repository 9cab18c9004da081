"""What a source of firmware names: files, and what it says about them.

The sources' answers are read as bytes that anybody may have written: they give a `Listing` or a
`SourceError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
import re
from typing import Any, Final

from yarl import URL

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from ..models import Chip, ImageKind, Marker
from ..naming import says_files

_NOTES_LIMIT: Final = 64 * 1024
_NAME_LIMIT: Final = 128
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Nothing that a store or a card could choke on: JSON may carry half a surrogate pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One firmware file that a source names."""

    url: str
    file_name: str
    key: str
    """Stays the same as long as the file behind the address does."""
    firmware: str | None = None
    version: str | None = None
    fallback: Marker | None = None
    """What it may be called when neither the image nor the file name say more."""
    notes: str | None = None
    chip: Chip | None = None
    kind: ImageKind | None = None
    prerelease: bool | None = None
    """Whether the source calls it a pre-release."""
    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    is_rolling: bool = False
    """Whether files come and go under one version that never changes, like `nightly`."""
    stamp: str | None = None
    """Date that tells the files of a rolling release apart; their sum does where there is none."""
    signature_url: str | None = None
    """Where a detached signature of the file lies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Everything one answer of a source names, oldest first."""

    files: list[Listed] = field(default_factory=list)
    refused: dict[str, Cause] = field(default_factory=dict)
    """Files that are known to be no use without a look at them, and that the person is told of."""
    skipped: dict[str, Cause] = field(default_factory=dict)
    """What was left out for a reason that goes without saying, unless nothing is left."""
    others: list[str] = field(default_factory=list)
    """Names of files that were not asked for; they help to correct a pattern."""


def without_risk(listing: Listing, url: str) -> Listing:
    """Return a listing without files that anybody on their way could replace.

    An encrypted list promises what it names; a file without encryption and without a checksum is
    what whoever sits in between wants it to be.
    """
    if not url.startswith("https:"):
        return listing
    risky = [
        item
        for item in listing.files
        if not (item.url.startswith("https:") or item.sha256 or item.md5)
    ]
    listing.refused.update({item.file_name: Cause.NOT_ENCRYPTED for item in risky})
    listing.files[:] = [item for item in listing.files if item not in risky]
    return listing


def load_json(data: bytes) -> Any:
    """Return what a source answered; raises SourceError for what is no JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as err:
        raise SourceError(Cause.SOURCE_INVALID, detail=Detail.NOT_JSON) from err


def text(content: Mapping[str, Any], key: str, limit: int = _NAME_LIMIT) -> str | None:
    """Return a text of an answer, cut and cleaned; None when there is none."""
    value = content.get(key)
    return (_CONTROL.sub("", value[:limit]).strip() or None) if isinstance(value, str) else None


def notes(content: Mapping[str, Any], key: str) -> str | None:
    """Return release notes of an answer."""
    return text(content, key, _NOTES_LIMIT)


def digest(content: Mapping[str, Any], key: str, length: int) -> str | None:
    """Return a checksum in lower-case hex; None when it is none of that length."""
    value = (text(content, key) or "").lower()
    return value if re.fullmatch(rf"[0-9a-f]{{{length}}}", value) else None


def number(content: Mapping[str, Any], key: str) -> int | None:
    """Return a number that can be a size or an offset."""
    value = content.get(key)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32
    return value if usable else None


def web_address(value: str | None, base: URL | None = None) -> URL | None:
    """Return an http or https address, None for any other."""
    try:
        address = URL(value or "")
        address = base.join(address) if base else address
        usable = address.scheme in {"http", "https"} and address.host and address.port
    except ValueError, TypeError:
        return None
    return address if usable else None


def is_rolling_name(version: str) -> bool:
    """Whether a version is a word that stays (`nightly`, `latest`) while the files change."""
    return not any(character.isdigit() for character in version)


def kind_of(content: Mapping[str, Any], file_name: str) -> ImageKind | None:
    """Return what kind of image a file is said to be, by words or by its name."""
    said = text(content, "kind")
    for kind in ImageKind:
        if kind == said:
            return kind
    return ImageKind.FILESYSTEM if says_files(file_name) else None
