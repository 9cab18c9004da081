"""Fetching from a source: bounded in size, time and reach; a token goes to one host only."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
import time
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from .listing import web_address
from .reach import Reach

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS: Final = 5
"""GitHub needs two: a renamed repository, and the store of its assets."""
_TIMEOUT: Final = ClientTimeout(total=None, connect=20, sock_connect=15, sock_read=30)
"""A server that says nothing for half a minute is not going to; a slow one may take its time."""
_TEXT_SECONDS: Final = 120.0
"""For a list or a signature, all in all; the largest one is 8 MiB."""
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A short answer, read whole."""

    data: bytes
    etag: str | None
    is_unchanged: bool
    """The server said that it is what the ETag named; there is no data then."""


class CallBudget:
    """How often a service without an account may be asked; GitHub counts 60 calls an hour."""

    def __init__(self, calls: int = 60, seconds: float = 3600.0) -> None:
        """Start with nothing spent."""
        self._seconds = seconds
        self._spent: deque[float] = deque(maxlen=calls)
        self._blocked_until = 0.0

    def take(self, now: float | None = None) -> None:
        """Spend one call; raises SourceError when none is left."""
        now = time.monotonic() if now is None else now
        full = len(self._spent) == self._spent.maxlen
        free_at = max(self._blocked_until, self._spent[0] + self._seconds if full else 0.0)
        if now < free_at:
            raise SourceError(Cause.SOURCE_BUSY, minutes=_minutes(free_at - now))
        self._spent.append(now)

    def block(self, seconds: float, now: float | None = None) -> None:
        """Spend nothing for a while, because the service said so."""
        now = time.monotonic() if now is None else now
        self._blocked_until = max(self._blocked_until, now + seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Who asks a service: with a token, or as one of many whose calls are counted."""

    host: str
    """Address of the service; nobody else hears the token."""
    token: str | None = None
    budget: CallBudget | None = None
    """What calls without a token are taken from."""

    def headers_for(self, url: URL) -> dict[str, str]:
        """Return what a call carries besides; raises SourceError when no call is left."""
        home = web_address(self.host)
        if home is None or url.origin() != home.origin():
            return {}
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.budget is not None:
            self.budget.take()
        return {}


@asynccontextmanager
async def open_url(
    session: ClientSession,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    account: Account | None = None,
    reach: Reach | None = None,
) -> AsyncIterator[ClientResponse]:
    """Open an address and follow its redirects; the answer is 200 or 304.

    The account's token is sent only to the host it is for, with the same scheme and port, never
    along a redirect to another. Without a reach it is what a person has named. Raises SourceError
    for everything else.
    """
    at, reach = web_address(url), reach or Reach.of(url)
    for _ in range(_MOST_HOPS + 1):
        if at is None:
            raise SourceError(Cause.SOURCE_REDIRECT)
        sent = dict(headers or {}) | (account.headers_for(at) if account else {})
        async with await _ask(session, at, sent, reach) as response:
            if response.status not in _REDIRECTS:
                _raise_for_status(response)
                yield response
                return
            at = _next_hop(at, response.headers.get("Location"))
    raise SourceError(Cause.SOURCE_REDIRECT)


async def _ask(
    session: ClientSession, url: URL, headers: Mapping[str, str], reach: Reach
) -> ClientResponse:
    """Ask at an address that was looked at, of those that the host has; the first that answers."""
    host = url.raw_host or ""
    error = SourceError(Cause.SOURCE_UNREACHABLE, detail=Detail.NO_ADDRESS, host=host)
    for address in await reach.addresses(session, host):
        try:
            return await _ask_at(session, url, address, headers)
        except SourceError as err:
            error = err
    raise error


async def _ask_at(
    session: ClientSession, url: URL, address: str, headers: Mapping[str, str]
) -> ClientResponse:
    """Ask one address for what a host has; its certificate is the host's."""
    try:
        return await session.get(
            url.with_host(address),
            headers={"Host": url.host_port_subcomponent or "", **headers},
            server_hostname=url.raw_host if url.scheme == "https" else None,
            allow_redirects=False,
            timeout=_TIMEOUT,
        )
    except TimeoutError as err:
        raise SourceError(Cause.SOURCE_UNREACHABLE, detail=Detail.NO_ANSWER) from err
    except (ClientError, OSError, ValueError) as err:
        detail = str(err) or type(err).__name__
        raise SourceError(Cause.SOURCE_UNREACHABLE, detail=detail) from err


def _next_hop(at: URL, location: str | None) -> URL | None:
    """Return where a redirect leads; None where nobody should follow."""
    there = web_address(location, at)
    if there is None or (at.scheme == "https" and there.scheme != "https"):
        return None
    return there


def _raise_for_status(response: ClientResponse) -> None:
    """Raise SourceError unless there is something to read, or nothing new."""
    status = response.status
    if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        return
    # A secondary limit of GitHub answers 403 with only a time to wait.
    spent = (
        response.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in response.headers
    )
    forbidden = status == HTTPStatus.FORBIDDEN
    if status == HTTPStatus.TOO_MANY_REQUESTS or (forbidden and spent):
        raise SourceError(Cause.SOURCE_BUSY, minutes=_minutes(_wait(response.headers)))
    if forbidden or status == HTTPStatus.UNAUTHORIZED:
        raise SourceError(Cause.SOURCE_DENIED, status=status)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise SourceError(Cause.SOURCE_NOT_FOUND)
    raise SourceError(Cause.SOURCE_ERROR, status=status)


def _wait(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a service wants to be left alone, an hour at most."""
    if (after := headers.get("retry-after", "")).isascii() and after.isdigit():
        return min(float(after), 3600.0)
    if (reset := headers.get("x-ratelimit-reset", "")).isascii() and reset.isdigit():
        return min(max(float(reset) - time.time(), 60.0), 3600.0)
    return 3600.0


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60 + 0.499))


async def read_chunks(response: ClientResponse, limit: int) -> AsyncIterator[bytes]:
    """Yield a body piece by piece.

    Raises SourceError when it is longer than the limit, or ends before it should.
    """
    read = 0
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            read += len(chunk)
            if read > limit:
                raise SourceError(Cause.OVERSIZED_FILE, size=f">{limit}", limit=limit)
            yield chunk
    except TimeoutError as err:
        raise SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.STALLED) from err
    except (ClientError, OSError) as err:
        raise SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.ENDED_EARLY) from err


async def fetch_text(
    session: ClientSession,
    url: str,
    *,
    limit: int,
    headers: Mapping[str, str] | None = None,
    etag: str | None = None,
    account: Account | None = None,
    reach: Reach | None = None,
    seconds: float = _TEXT_SECONDS,
) -> Text:
    """Fetch a short answer whole, or hear that nothing has changed."""
    asked = dict(headers or {}) | ({"If-None-Match": etag} if etag else {})
    try:
        async with (
            asyncio.timeout(seconds),
            open_url(session, url, headers=asked, account=account, reach=reach) as response,
        ):
            unchanged = response.status == HTTPStatus.NOT_MODIFIED
            parts = [] if unchanged else [part async for part in read_chunks(response, limit)]
            etag = response.headers.get("ETag")
            return Text(data=b"".join(parts), etag=etag, is_unchanged=unchanged)
    except TimeoutError as err:
        raise took_too_long(seconds) from err


def took_too_long(seconds: float) -> SourceError:
    """Return the error of a transfer that was given up after so many seconds."""
    return SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.TOOK_TOO_LONG, seconds=round(seconds))
