"""Lists of firmware on a web server: the manifest of ESP Web Tools, and a plain list of ours.

ESP Web Tools writes its parts to flash over a cable: boot loader, partition table, sketch. Only
the sketch's own part can be sent over the air; a single part at 0 is all of them in one.
"""

from collections.abc import Mapping
import hashlib
import re
from typing import Any, Final

from yarl import URL

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from ..models import Chip, Marker
from ..module import chip_from_text
from .builds import Build, builds_of, matches, name_of
from .listing import (
    Listed,
    Listing,
    digest,
    is_rolling_name,
    kind_of,
    load_json,
    notes,
    number,
    text,
    web_address,
)

_MOST_FILES: Final = 200


def parse_manifest(data: bytes, url: str, pattern: str | None = None) -> Listing:
    """Return the firmware files that a manifest or list names, those that match a pattern.

    Raises SourceError when it is neither.
    """
    base, stamp = web_address(url), hashlib.sha256(data).hexdigest()[:16]
    content = load_json(data)
    if base is None or not isinstance(content, (Mapping, list)):
        raise SourceError(Cause.SOURCE_INVALID, detail=Detail.NO_MANIFEST)
    if isinstance(content, Mapping) and isinstance(content.get("builds"), list):
        return _manifest(content, base, pattern, stamp)
    items = content.get("releases") if isinstance(content, Mapping) else content
    if not isinstance(items, list):
        raise SourceError(Cause.SOURCE_INVALID, detail=Detail.NO_LIST)
    listing = Listing()
    for item in items[:_MOST_FILES]:
        if not isinstance(item, Mapping):
            continue
        name = name_of(item) or "?"
        if not matches(item, pattern):
            listing.skipped[name] = Cause.NOT_MATCHED
        elif (listed := _item(item, base, stamp)) is None:
            listing.skipped[name] = Cause.NOT_ON_THE_WEB
        else:
            listing.files.append(listed)
    return listing


def _item(item: Mapping[str, Any], base: URL, stamp: str) -> Listed | None:
    """Return one entry of our own list; None when it leads nowhere."""
    url = web_address(text(item, "url", 2048), base)
    if url is None:
        return None
    signature = text(item, "signature", 2048)
    return _listed(
        url,
        item,
        stamp,
        firmware=text(item, "firmware"),
        version=text(item, "version"),
        notes=notes(item, "notes"),
        chip=chip_from_text(text(item, "chip") or ""),
        prerelease=item.get("prerelease") if isinstance(item.get("prerelease"), bool) else None,
        signature_url=_address(signature, base),
    )


def _listed(url: URL, item: Mapping[str, Any], stamp: str, **said: Any) -> Listed:
    """Return one file; where its version never changes, a changed list is taken for a new one."""
    file_name = url.name[:128]
    sums = {"md5": digest(item, "md5", 32), "sha256": digest(item, "sha256", 64)}
    version = said.get("version")
    is_rolling = version is not None and is_rolling_name(version)
    mark = stamp if is_rolling and not any(sums.values()) else None
    parts = (str(url), version, *sums.values(), mark)
    return Listed(
        url=str(url),
        is_rolling=is_rolling,
        file_name=file_name,
        key=" ".join(part for part in parts if part),
        **{"kind": kind_of(item, file_name), "size": number(item, "size")} | sums | said,
    )


def _address(value: str | None, base: URL) -> str | None:
    address = web_address(value, base) if value else None
    return str(address) if address else None


def _manifest(content: Mapping[str, Any], base: URL, pattern: str | None, stamp: str) -> Listing:
    """Return the sketch and the files of each chip.

    Of several builds for one chip the first that asks for no kind of serial port is taken; the
    others are named, unless what they ask for is the difference.
    """
    listing = Listing()
    builds: dict[Chip, list[Build]] = {}
    for build in builds_of(content["builds"][:_MOST_FILES]):
        if isinstance(build, str):
            listing.skipped[build] = Cause.CHIP_NOT_KNOWN
        else:
            builds.setdefault(build.chip, []).append(build)
    about = _About(content, base, stamp)
    for of_chip in builds.values():
        if pattern is not None:
            _take_matching(of_chip, pattern, listing, about)
            continue
        general = [build for build in of_chip if not build.needs_serial]
        _take(general[0] if general else of_chip[0], listing, about)
        taken = {item.file_name for item in listing.files}
        for other in (general or of_chip)[1:]:
            for part in other.sketches()[0]:
                if name_of(part) not in taken:
                    listing.refused[name_of(part)] = Cause.OTHER_BUILD
    return listing


def _take(build: Build, listing: Listing, about: _About) -> None:
    """Add the sketch of a build if it is clear which part it is, and its files."""
    sketches, others = build.sketches()
    for part, cause in others:
        where = listing.refused if cause is Cause.MERGED_IMAGE else listing.skipped
        where[name_of(part)] = cause
    if len(sketches) > 1:
        listing.refused.update({name_of(part): Cause.PART_AMBIGUOUS for part in sketches})
        sketches = []
    for part in (*sketches, *build.files):
        about.add(part, build.chip, listing)


def _take_matching(builds: list[Build], pattern: str, listing: Listing, about: _About) -> None:
    """Add every part that the person's pattern names; its bytes decide what it is."""
    seen: set[str] = set()
    for build in builds:
        ota = () if build.ota is None else (build.ota,)
        for part in (*ota, *(part for _, part in build.parts)):
            name = name_of(part)
            if name in seen:
                continue
            seen.add(name)
            if matches(part, pattern):
                about.add(part, build.chip, listing)
            else:
                listing.skipped[name] = Cause.NOT_MATCHED


class _About:
    """What a manifest says of all its files."""

    def __init__(self, content: Mapping[str, Any], base: URL, stamp: str) -> None:
        self._base, self._stamp = base, stamp
        self._version = version = text(content, "version")
        name = re.sub(r"[^a-z0-9]+", "-", (text(content, "name") or "").lower()).strip("-")
        self._fallback = Marker(name=name[:64], version=version) if name and version else None

    def add(self, part: Mapping[str, Any], chip: Chip, listing: Listing) -> None:
        """Add one file of a build; one whose address leads nowhere is named."""
        url = web_address(text(part, "path", 2048), self._base)
        if url is None:
            listing.skipped[name_of(part) or "?"] = Cause.NOT_ON_THE_WEB
            return
        said = {
            "version": self._version,
            "fallback": self._fallback,
            "notes": notes(part, "summary"),
            "chip": chip,
        }
        listing.files.append(_listed(url, part, self._stamp, **said))
