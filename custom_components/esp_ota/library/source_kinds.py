"""The kinds of sources: what a person says about one, and how its list is fetched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import re
from typing import Any, Final, Protocol

from aiohttp import ClientSession

from ..const import (
    CHANNEL_PRE,
    CONF_CHANNEL,
    CONF_INSIDE,
    CONF_PATTERN,
    CONF_REPOSITORY,
    CONF_TOKEN,
    CONF_URL,
    DEFAULT_PATTERN,
    KIND_GITHUB,
    KIND_MANIFEST,
)
from ..ota import (
    Account,
    CallBudget,
    Cause,
    LibraryError,
    Listing,
    Reach,
    SourceError,
    Text,
    fetch_text,
    parse_manifest,
    parse_releases,
    without_risk,
)

GITHUB_API: Final = "https://api.github.com"
_MANIFEST_LIMIT: Final = 1024 * 1024
_GITHUB_LIMIT: Final = 8 * 1024 * 1024
"""Thirty releases with long notes and many assets each stay below 2 MiB."""
_GITHUB_HEADERS: Final = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}
_REPOSITORY: Final = re.compile(
    r"(?:(?:https?://)?(?:www\.)?github\.com/)?([\w.-]+/[\w.-]+?)(?:\.git)?(?:/.*)?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one look at a source gave."""

    listing: Listing | None
    """None when nothing has changed since the ETag."""
    etag: str | None


class SourceKind(Protocol):
    """One source, ready to be asked."""

    account: Account | None
    reach: Reach
    """What it and its files may be asked at."""

    async def async_list(self, session: ClientSession, *, etag: str | None, last: int) -> Answer:
        """Ask for the list; raises OtaError with the cause when there is none to use."""
        ...


class ManifestSource:
    """A manifest of ESP Web Tools, or a list of ours, at a web address."""

    account: Account | None = None

    def __init__(self, data: Mapping[str, Any], _budget: CallBudget) -> None:
        """Take what the form asked."""
        self._url = str(data[CONF_URL])
        self.reach = Reach.of(self._url, inside=bool(data.get(CONF_INSIDE)))
        self._pattern: str | None = data.get(CONF_PATTERN) or None

    async def async_list(self, session: ClientSession, *, etag: str | None, last: int) -> Answer:
        """Fetch and read the manifest, which names what it wants to be kept."""
        answer = await fetch_text(
            session, self._url, limit=_MANIFEST_LIMIT, etag=etag, reach=self.reach
        )
        listing = _read(
            answer,
            lambda: without_risk(parse_manifest(answer.data, self._url, self._pattern), self._url),
        )
        _raise_for_nothing(listing)
        return Answer(listing=listing, etag=answer.etag)


class GitHubSource:
    """The releases of a GitHub repository."""

    def __init__(self, data: Mapping[str, Any], budget: CallBudget) -> None:
        """Take what the form asked; calls without a token are taken from the budget."""
        self._data = data
        self._repository = str(data[CONF_REPOSITORY])
        self._token = data.get(CONF_TOKEN) or None
        self._budget = budget
        self.reach = Reach.of(GITHUB_API)
        self.account: Account | None = Account(host=GITHUB_API, token=self._token, budget=budget)

    async def async_list(self, session: ClientSession, *, etag: str | None, last: int) -> Answer:
        """Fetch and read the last releases."""
        try:
            answer = await fetch_text(
                session,
                f"{GITHUB_API}/repos/{self._repository}/releases?per_page=30",
                limit=_GITHUB_LIMIT,
                headers=_GITHUB_HEADERS,
                etag=etag,
                account=self.account,
                reach=self.reach,
            )
        except SourceError as err:
            if err.cause is Cause.SOURCE_BUSY and self._token is None:
                self._budget.block(float(err.facts["minutes"]) * 60)
            raise
        listing = _read(answer, lambda: self._parse(answer.data, last))
        if listing is not None and not listing.files and listing.others:
            raise SourceError(Cause.SOURCE_EMPTY, found=", ".join(listing.others[:5]))
        _raise_for_nothing(listing)
        return Answer(listing=listing, etag=answer.etag)

    def _parse(self, data: bytes, last: int) -> Listing:
        listing = parse_releases(
            data,
            repository=self._repository,
            pattern=str(self._data.get(CONF_PATTERN, DEFAULT_PATTERN)),
            prerelease=self._data.get(CONF_CHANNEL) == CHANNEL_PRE,
            last=last,
            by_api=self._token is not None,
        )
        return without_risk(listing, GITHUB_API)


def page_of(data: Mapping[str, Any]) -> str | None:
    """Return the page of a repository's releases; a list has none that people read."""
    repository = data.get(CONF_REPOSITORY)
    return f"https://github.com/{repository}/releases" if repository else None


_MOST_NAMED: Final = 5


def _raise_for_nothing(listing: Listing | None) -> None:
    """Raise SourceError with what was left out, and why, where nothing else is there.

    An empty list is no mistake: its first file may come.
    """
    if listing is None or listing.files:
        return
    left_out = listing.refused | listing.skipped
    if left_out and set(left_out.values()) == {Cause.MERGED_IMAGE}:
        raise LibraryError(Cause.MERGED_IMAGE, file=next(iter(left_out)))
    if left_out:
        first, because = next(iter(left_out.items()))
        found = ", ".join(list(left_out)[:_MOST_NAMED])
        raise SourceError(Cause.SOURCE_NOTHING, found=found, file=first, because=because)


def _read(answer: Text, parse: Callable[[], Listing]) -> Listing | None:
    return None if answer.is_unchanged else parse()


KINDS: Final[Mapping[str, Callable[[Mapping[str, Any], CallBudget], SourceKind]]] = {
    KIND_MANIFEST: ManifestSource,
    KIND_GITHUB: GitHubSource,
}


def repository_from(text: str) -> str | None:
    """Return `owner/name` of what a person pasted; None when it is no repository."""
    found = _REPOSITORY.fullmatch(text.strip())
    return found[1] if found else None
