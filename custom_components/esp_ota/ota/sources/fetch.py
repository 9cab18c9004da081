"""Fetching from a source: bounded in size, time and reach; a token goes to one host only."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
import time
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from .account import Account, minutes
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What is done at an address."""

    method: str = "GET"
    body: Mapping[str, Any] | None = None
    """Sent as JSON."""


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
                raise_for_status(response, in_part="Range" in sent)
                yield response
                return
            at = _next_hop(at, response.headers.get("Location"))
    raise SourceError(Cause.SOURCE_REDIRECT)


async def _ask(
    session: ClientSession,
    url: URL,
    headers: Mapping[str, str],
    reach: Reach,
    said: Said | None = None,
) -> ClientResponse:
    """Ask at an address that was looked at, of those that the host has; the first that answers."""
    host = url.raw_host or ""
    error = SourceError(Cause.SOURCE_UNREACHABLE, detail=Detail.NO_ADDRESS, host=host)
    for address in await reach.addresses(session, host):
        try:
            return await _ask_at(session, url, address, headers, said or Said())
        except SourceError as err:
            error = err
    raise error


async def _ask_at(
    session: ClientSession, url: URL, address: str, headers: Mapping[str, str], said: Said
) -> ClientResponse:
    """Ask one address for what a host has; its certificate is the host's."""
    try:
        return await session.request(
            said.method,
            url.with_host(address),
            json=said.body,
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


def raise_for_status(response: ClientResponse, *, in_part: bool = False) -> None:
    """Raise SourceError unless there is something to read, or nothing new."""
    status = response.status
    if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        return
    if in_part and status == HTTPStatus.PARTIAL_CONTENT:
        return
    # A secondary limit of GitHub answers 403 with only a time to wait.
    spent = (
        response.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in response.headers
    )
    forbidden = status == HTTPStatus.FORBIDDEN
    if status == HTTPStatus.TOO_MANY_REQUESTS or (forbidden and spent):
        raise SourceError(Cause.SOURCE_BUSY, minutes=minutes(_wait(response.headers)))
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


async def exchange(
    session: ClientSession,
    url: str,
    said: Said,
    *,
    limit: int,
    account: Account,
    reach: Reach,
    seconds: float = _TEXT_SECONDS,
) -> bytes:
    """Ask, or say something, at the very address and follow nothing; return the answer.

    Raises SourceError for every other status than 200, and when nothing comes.
    """
    at = URL(url)
    headers = {"Accept": "application/json"} | account.headers_for(at)
    try:
        async with (
            asyncio.timeout(seconds),
            await _ask(session, at, headers, reach, said) as response,
        ):
            if response.status in _REDIRECTS:
                raise SourceError(Cause.SOURCE_REDIRECT)
            raise_for_status(response)
            return b"".join([part async for part in read_chunks(response, limit)])
    except TimeoutError as err:
        raise SourceError(Cause.SOURCE_UNREACHABLE, detail=Detail.NO_ANSWER) from err


def took_too_long(seconds: float) -> SourceError:
    """Return the error of a transfer that was given up after so many seconds."""
    return SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.TOOK_TOO_LONG, seconds=round(seconds))
