"""Releases of a GitHub repository, as its REST API answers them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
import re
from typing import Any, Final

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from ..models import Marker
from ..naming import name_of_asset, own_words, version_of_tag
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

_SIGNATURE: Final = ".minisig"
_MOST_ASSETS: Final = 500
_TIME: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)")
_DIGEST: Final = "sha256:"


def parse_releases(
    data: bytes, *, repository: str, pattern: str, prerelease: bool, last: int, by_api: bool
) -> Listing:
    """Return the assets whose names match, of the last releases that have any.

    `by_api` takes the addresses that honour a token. Raises SourceError when the answer is no
    list of releases.
    """
    content = load_json(data)
    if not isinstance(content, list):
        raise SourceError(Cause.SOURCE_INVALID, detail=Detail.NO_RELEASES)
    listing = Listing()
    found: list[tuple[Mapping[str, Any], dict[str, Mapping[str, Any]], list[str]]] = []
    for release in content:
        if len(found) == last:
            break
        if not _is_wanted(release, prerelease=prerelease):
            if isinstance(release, Mapping) and not release.get("draft"):
                listing.skipped[text(release, "tag_name") or "?"] = Cause.PRE_RELEASE
            continue
        assets = _assets(release)
        if not assets:
            listing.skipped[text(release, "tag_name") or "?"] = Cause.NO_FILES
        wanted = [name for name in assets if _matches(name, pattern)]
        listing.others.extend(name for name in assets if name not in wanted)
        if wanted:
            found.append((release, assets, wanted))
    several = any(len({own_words(name).lower() for name in names}) > 1 for _, _, names in found)
    for release, assets, wanted in reversed(found):
        files = _files(wanted, assets, release, by_api=by_api)
        tag = text(release, "tag_name", 64) or ""
        for item in files:
            fallback = _fallback(repository, tag, item.file_name, several=several)
            is_rolling = fallback is not None and is_rolling_name(fallback.version)
            listing.files.append(replace(item, fallback=fallback, is_rolling=is_rolling))
    return listing


def _is_wanted(release: object, *, prerelease: bool) -> bool:
    if not isinstance(release, Mapping) or release.get("draft"):
        return False
    return prerelease or not release.get("prerelease")


def _assets(release: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the uploaded assets of a release by name."""
    return dict(_named(release.get("assets")))


def _named(assets: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for asset in assets[:_MOST_ASSETS] if isinstance(assets, list) else []:
        if not isinstance(asset, Mapping) or asset.get("state", "uploaded") != "uploaded":
            continue  # an upload that still runs, or has failed
        if name := text(asset, "name"):
            yield name, asset


def _matches(name: str, pattern: str) -> bool:
    return not name.endswith(_SIGNATURE) and fnmatchcase(name.lower(), pattern.lower())


def _fallback(repository: str, tag: str, file_name: str, *, several: bool) -> Marker | None:
    """Return what a tag calls a file; where it names several firmwares, with their own words."""
    name = repository.rpartition("/")[2]
    version = version_of_tag(tag, name)
    if several:
        name = name_of_asset(name, file_name)
    return Marker(name=name, version=version) if version else None


def _date(text: str | None) -> str | None:
    """Return when a file was put there, like `20261128.0412`; None for what is no date."""
    found = _TIME.match(text or "")
    return f"{found[1]}{found[2]}{found[3]}.{found[4]}{found[5]}" if found else None


def _files(
    names: list[str],
    assets: Mapping[str, Mapping[str, Any]],
    release: Mapping[str, Any],
    *,
    by_api: bool,
) -> Iterator[Listed]:
    """Yield the files of one release, without those that lead nowhere."""
    where = "url" if by_api else "browser_download_url"
    for name in names:
        asset = assets[name]
        url = web_address(text(asset, where, 2048))
        if url is None:
            continue
        signature = web_address(text(assets.get(name + _SIGNATURE, {}), where, 2048))
        said = (text(asset, "digest") or "").lower()
        sha256 = digest({"sha256": said.removeprefix(_DIGEST)}, "sha256", 64)
        key = (url, number(asset, "id"), text(asset, "updated_at"), sha256, number(asset, "size"))
        yield Listed(
            url=str(url),
            file_name=name,
            key=" ".join(str(part) for part in key if part is not None),
            stamp=_date(text(asset, "updated_at")),
            notes=notes(release, "body"),
            kind=kind_of({}, name),
            prerelease=bool(release.get("prerelease")),
            size=number(asset, "size"),
            sha256=sha256 if said.startswith(_DIGEST) else None,
            signature_url=str(signature) if signature else None,
        )
