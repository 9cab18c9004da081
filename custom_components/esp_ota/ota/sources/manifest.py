"""Lists of firmware on a web server: the manifest of ESP Web Tools, and a plain list of ours.

ESP Web Tools writes its parts to flash over a cable: boot loader, partition table, sketch. Only
the sketch's own part can be sent over the air; a single part at 0 is all of them in one.
"""

from collections.abc import Iterator, Mapping
import re
from typing import Any, Final

from yarl import URL

from ..causes import Cause
from ..exceptions import SourceError
from ..models import Chip, ChipFamily, ImageKind, Marker
from ..module import chip_from_text
from ..naming import hints_at_files
from .listing import Listed, Listing, digest, kind_of, load_json, notes, number, text, web_address

_FIRST_APP: Final = 0x10000
"""No ESP32 sketch begins below it: boot loader, partition table and OTA data come first."""
_MOST_FILES: Final = 200


def parse_manifest(data: bytes, url: str) -> Listing:
    """Return the firmware files that a manifest or list names.

    Raises SourceError when it is neither.
    """
    base = web_address(url)
    content = load_json(data)
    if base is None or not isinstance(content, (Mapping, list)):
        raise SourceError(Cause.SOURCE_INVALID, detail="it is no manifest")
    if isinstance(content, Mapping) and isinstance(content.get("builds"), list):
        return _manifest(content, base)
    items = content.get("releases") if isinstance(content, Mapping) else content
    if not isinstance(items, list):
        raise SourceError(
            Cause.SOURCE_INVALID, detail="it has neither 'builds' nor 'releases' in it"
        )
    found = (_item(item, base) for item in items[:_MOST_FILES] if isinstance(item, Mapping))
    return Listing(files=[item for item in found if item is not None])


def _item(item: Mapping[str, Any], base: URL) -> Listed | None:
    """Return one entry of our own list; None when it leads nowhere."""
    url = web_address(text(item, "url", 2048), base)
    if url is None:
        return None
    signature = text(item, "signature", 2048)
    return _listed(
        url,
        item,
        firmware=text(item, "firmware"),
        version=text(item, "version"),
        notes=notes(item, "notes"),
        chip=chip_from_text(text(item, "chip") or ""),
        signature_url=_address(signature, base),
    )


def _listed(url: URL, item: Mapping[str, Any], **said: Any) -> Listed:
    file_name = url.name[:128]
    sums = {"md5": digest(item, "md5", 32), "sha256": digest(item, "sha256", 64)}
    parts = (str(url), said.get("version"), *sums.values())
    return Listed(
        url=str(url),
        file_name=file_name,
        key=" ".join(part for part in parts if part),
        **{"kind": kind_of(item, file_name), "size": number(item, "size")} | sums | said,
    )


def _address(value: str | None, base: URL) -> str | None:
    address = web_address(value, base) if value else None
    return str(address) if address else None


def _manifest(content: Mapping[str, Any], base: URL) -> Listing:
    """Return the sketch of each chip family, the first build of each."""
    listing = Listing()
    version = text(content, "version")
    name = re.sub(r"[^a-z0-9]+", "-", (text(content, "name") or "").lower()).strip("-")
    fallback = Marker(name=name[:64], version=version) if name and version else None
    seen: set[Chip] = set()
    for build in content["builds"][:_MOST_FILES]:
        chip = _chip_of(build)
        if chip is None or chip in seen:
            continue
        seen.add(chip)
        for part, is_merged in _parts(build, chip):
            url = web_address(text(part, "path", 2048), base)
            if url is None:
                continue
            if is_merged:
                listing.refused[url.name[:128]] = Cause.MERGED_IMAGE
                continue
            summary = notes(part, "summary")
            said = {"version": version, "fallback": fallback, "notes": summary, "chip": chip}
            listing.files.append(_listed(url, part, **said))
    return listing


def _chip_of(build: object) -> Chip | None:
    return chip_from_text(text(build, "chipFamily") or "") if isinstance(build, Mapping) else None


def _parts(build: Mapping[str, Any], chip: Chip) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield what can go over the air, each with whether it is everything in one."""
    if isinstance(ota := build.get("ota"), Mapping):
        yield ota, False
        return
    listed = build.get("parts")
    parts = [
        (offset, part)
        for part in (listed if isinstance(listed, list) else [])[:64]
        if isinstance(part, Mapping) and (offset := number(part, "offset")) is not None
    ]
    parts.sort(key=lambda pair: pair[0])
    files = [part for _, part in parts if _is_filesystem(part)]
    rest = [pair for pair in parts if not _is_filesystem(pair[1])]
    if chip.family is ChipFamily.ESP32:
        apps = [part for offset, part in rest if offset >= _FIRST_APP]
        if apps:
            yield apps[0], False
        elif len(rest) == 1:
            yield rest[0][1], True
    elif rest:
        yield rest[0][1], False
    for part in files:
        yield part, False


def _is_filesystem(part: Mapping[str, Any]) -> bool:
    file_name = (text(part, "path", 2048) or "").rpartition("/")[2]
    kind = kind_of(part, file_name)
    return kind is ImageKind.FILESYSTEM or (kind is None and hints_at_files(file_name))
