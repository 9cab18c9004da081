"""Releases of a GitHub repository, as its REST API answers them."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from .causes import Cause
from .exceptions import SourceError
from .listing import Listed, Listing, digest, kind_of, load_json, notes, number, text, web_address
from .models import Marker

_SIGNATURE: Final = ".minisig"
_MOST_ASSETS: Final = 500
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
        raise SourceError(Cause.SOURCE_INVALID, detail="it is no list of releases")
    listing = Listing()
    taken = 0
    for release in content:
        if not _is_wanted(release, prerelease=prerelease):
            continue
        assets = _assets(release)
        wanted = [name for name in assets if _matches(name, pattern)]
        listing.others.extend(name for name in assets if name not in wanted)
        if not wanted:
            continue
        fallback = _fallback(repository, release)
        for name in wanted:
            listed = _listed(name, assets, by_api=by_api, notes=notes(release, "body"), at=fallback)
            if listed is not None:
                listing.files.append(listed)
        taken += 1
        if taken == last:
            break
    listing.files.reverse()
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


def _fallback(repository: str, release: Mapping[str, Any]) -> Marker | None:
    tag = text(release, "tag_name", 64) or ""
    version = tag[1:] if tag[:1] in {"v", "V"} and tag[1:2].isdigit() else tag
    return Marker(name=repository.rpartition("/")[2], version=version) if version else None


def _listed(
    name: str,
    assets: Mapping[str, Mapping[str, Any]],
    *,
    by_api: bool,
    notes: str | None,
    at: Marker | None,
) -> Listed | None:
    asset = assets[name]
    where = "url" if by_api else "browser_download_url"
    if (url := web_address(text(asset, where, 2048))) is None:
        return None
    signature = web_address(text(assets.get(name + _SIGNATURE, {}), where, 2048))
    said = (text(asset, "digest") or "").lower()
    sha256 = digest({"sha256": said.removeprefix(_DIGEST)}, "sha256", 64)
    key = (number(asset, "id"), text(asset, "updated_at"), sha256, number(asset, "size"))
    return Listed(
        url=str(url),
        file_name=name,
        key=" ".join(str(part) for part in (url, *key) if part is not None),
        fallback=at,
        notes=notes,
        kind=kind_of({}, name),
        size=number(asset, "size"),
        sha256=sha256 if said.startswith(_DIGEST) else None,
        signature_url=str(signature) if signature else None,
    )
