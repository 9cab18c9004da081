"""The pull endpoint: one address for all modules that ask for their updates.

Whoever asks without a valid secret learns nothing but 404, and never counts as a failed login of
Home Assistant. No byte of an image leaves without a secret and an open install.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
import socket
import struct
import time
from typing import Final

from aiohttp import BasicAuth, hdrs, web

from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.network import is_cloud_connection
from homeassistant.util.network import is_local

from ..house import House, Pace
from ..ota import LAST_OF_IMAGE, Delivery, Download, PullMode, PullRequest, unsent

PULL_PATH: Final = "/api/esp_ota/pull"

_SECONDS: Final = 60.0
_ADDRESSES: Final = 1024
"""Addresses remembered for the limit, the longest silent one is forgotten first; and requests."""
_CHUNK: Final = 16 * 1024
"""Bytes handed to the connection at once, and kept in its buffer: what a download costs."""
_RESET: Final = struct.pack("ii", 1, 0)
"""`SO_LINGER` with no time to linger, socket(7)."""
_SOON: Final = 0.01
"""Seconds between looks at whether all but the last of an image has left."""
_LOOK: Final = 0.05
"""Seconds between looks at what the module's TCP stack has taken."""

type RawHeaders = tuple[tuple[bytes, bytes], ...]


class RateLimit:
    """Counts requests of each address in a sliding window, in bounded memory."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, address: str, limit: int) -> bool:
        """Count one request; False when this address has asked too often within a minute."""
        now = time.monotonic()
        if (times := self._asked.get(address)) is None:
            times = self._asked[address] = deque()
            if len(self._asked) > _ADDRESSES:
                self._asked.popitem(last=False)
        self._asked.move_to_end(address)
        while times and now - times[0] >= _SECONDS:
            times.popleft()
        if len(times) >= limit:
            return False
        times.append(now)
        return True


class PullView(HomeAssistantView):
    """Answers `ESPhttpUpdate` and `HTTPUpdate` clients of all three cores."""

    url = f"{PULL_PATH}/{{secret}}"
    extra_urls = [PULL_PATH]  # noqa: RUF012 - declared so by Home Assistant
    name = "api:esp_ota:pull"
    requires_auth = False
    cors_allowed = False

    def __init__(self, hass: HomeAssistant, house: House) -> None:
        """Start with nobody limited."""
        self._hass = hass
        self._house = house
        self._rate = RateLimit()
        self._believed: OrderedDict[str, tuple[RawHeaders, PullRequest]] = OrderedDict()
        """What was said last from an address: modules use the same words until they are updated."""

    async def get(self, request: web.Request, secret: str = "") -> web.StreamResponse:
        """Answer 200 with the image of an open install, 304, 403, 404 or 429."""
        house = self._house
        address = request.remote or ""
        is_near = _is_near(address) and not is_cloud_connection(self._hass)
        if not is_near and not house.allows_remote_polls:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        if not self._rate.allows(address, house.patience.pull.requests):
            return web.Response(status=HTTPStatus.TOO_MANY_REQUESTS)
        secret = secret or _basic_password(request)
        said, known = self._believed.get(address, (None, None))
        pull = known if said == request.raw_headers else PullRequest.parse(request.headers)
        if pull is None:
            is_anyones = house.pollers.is_anyones(secret)
            return web.Response(status=HTTPStatus.FORBIDDEN if is_anyones else HTTPStatus.NOT_FOUND)
        if (admitted := house.pollers.async_admit(pull, secret, address)) is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        poller, own = admitted
        if poller is None or not await poller.async_asked(pull, address, own=own):
            return web.Response(status=HTTPStatus.NOT_MODIFIED)
        if pull is not known:
            self._believed[address] = request.raw_headers, pull
            if len(self._believed) > _ADDRESSES:
                self._believed.popitem(last=False)
        if pull.mode is PullMode.VERSION:
            return web.Response(headers={"x-version": poller.version_for_query()})
        download = await poller.desk.visit(pull) if poller.desk.may_have(pull) else None
        if download is None or not download.begin():
            # One without a body, for which `web.Response` looks again and again.
            return web.StreamResponse(status=HTTPStatus.NOT_MODIFIED)
        return await _serve(request, download, poller.desk.limits.stall, house.pace)


@lru_cache(maxsize=_ADDRESSES)
def _is_near(address: str) -> bool:
    """Whether this is an address of the local network."""
    try:
        return is_local(ip_address(address))
    except ValueError:
        return False


def _basic_password(request: web.Request) -> str:
    """Return the password of HTTP Basic, which a sketch may use instead of the path."""
    try:
        return str(BasicAuth.decode(request.headers.get(hdrs.AUTHORIZATION, "")).password)
    except ValueError:
        return ""


async def _serve(
    request: web.Request, download: Download, stall: float, pace: Pace
) -> web.StreamResponse:
    """Stream the image; every ending is reported to the install that waits for it."""
    payload = download.payload
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{payload.md5}.bin"',
            "x-MD5": payload.md5,
        }
    )
    response.content_length = len(payload.data)
    transport = request.transport
    if transport is None:
        download.lost()
        return response
    transport.set_write_buffer_limits(high=_CHUNK)
    # A second handle outlives the transport's, which is gone when the module closes first.
    with transport.get_extra_info("socket").dup() as connection:

        def cut(_ended: asyncio.Future[Delivery] | None = None) -> None:
            """Take back what the kernel still holds: a plain close would deliver it."""
            # A callback that was on its way already comes after the end.
            if download.sent < len(payload.data) and connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                transport.abort()

        download.ended.add_done_callback(cut)
        try:
            await response.prepare(request)
            await _stream(response, transport, connection, download, stall, pace)
        except TimeoutError:
            download.stalled(stall)
        except OSError:  # the module went; aiohttp raises one of its kinds
            pass
        finally:
            download.ended.remove_done_callback(cut)
            download.lost()  # does nothing when the ending was reported already
            cut()
    return response


async def _stream(
    response: web.StreamResponse,
    transport: asyncio.Transport,
    connection: socket.socket,
    download: Download,
    stall: float,
    pace: Pace,
) -> None:
    """Hand over the bytes as fast as they are taken; raises TimeoutError when none are."""
    view = memoryview(download.payload.data)
    total, handed = len(view), 0

    def look() -> bool:
        return download.track(handed - transport.get_write_buffer_size(), connection)

    async def until(done: Callable[[], bool], pause: float) -> None:
        moved_at = time.monotonic()
        while not (transport.is_closing() or done()):
            await asyncio.sleep(pause)
            if look():
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > stall:
                raise TimeoutError

    download.look = look
    most = max(0, total - LAST_OF_IMAGE)
    try:
        while handed < most:
            chunk = view[handed : min(handed + _CHUNK, most)]
            async with asyncio.timeout(stall):
                await response.write(chunk)
            handed += len(chunk)
            look()
            await pace.turn()  # all that the kernel has room for would be copied in one go
        # What completes it is held back until nothing before it can be taken back any more.
        await until(lambda: not (transport.get_write_buffer_size() or unsent(connection)), _SOON)
        if not transport.is_closing():
            download.may_be_whole = True
            await response.write(view[most:])
            handed = total
        await until(lambda: download.sent >= total, _LOOK)
    finally:
        # A module that has it all closes at once, and Home Assistant then cancels this task.
        own_end = 1 if transport.is_closing() else 0  # counts as one byte
        download.settle(handed - transport.get_write_buffer_size() + own_end, connection)
    if download.sent >= total:
        await response.write_eof()
