"""What an evil module asks of the pull endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
import re
from typing import Final

from tests.virtual_module import Seen
from tests.virtual_module.board import Board
from tests.virtual_module.pull_config import PullConfig, PullMode
from tests.virtual_module.pull_request import request_text

from ..plan import NEW, OLD
from .callback import dial

_FOR_EVER: Final = 3600.0
_HEAD: Final = 4096


async def _open(
    board: Board, pull: PullConfig
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = pull.parts.hostname, pull.parts.port or 80
    assert host is not None
    return await asyncio.open_connection(
        sock=await dial(board.config.host, host, port), limit=_HEAD
    )


def _usual(board: Board, pull: PullConfig) -> bytes:
    board.events.add(Seen.POLLING)
    return request_text(board, pull, PullMode.SKETCH)


async def _ask(board: Board, pull: PullConfig, request: bytes | None = None) -> bytes:
    """Return the head of the answer to one request."""
    reader, writer = await _open(board, pull)
    try:
        writer.write(request or _usual(board, pull))
        await writer.drain()
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 8.0)
    finally:
        writer.transport.abort()


async def _polls(board: Board, pull: PullConfig) -> None:
    many = (_ask(board, pull) for _ in range(200))
    await asyncio.gather(*many, return_exceptions=True)


async def _half_requests(board: Board, pull: PullConfig) -> None:
    writers = []
    for _ in range(100):
        _, writer = await _open(board, pull)
        writer.write(_usual(board, pull)[:40])
        writers.append(writer)
    try:
        await asyncio.sleep(_FOR_EVER)
    finally:
        for writer in writers:
            writer.transport.abort()


async def _huge_headers(board: Board, pull: PullConfig) -> None:
    request = _usual(board, pull).removesuffix(b"\r\n")
    for huge in (b"X-Huge: " + b"a" * (1 << 20), b"\r\n".join([b"X-Many: 1"] * 20_000)):
        await _ask(board, pull, request + huge + b"\r\n\r\n")


async def _takes_drips(board: Board, pull: PullConfig) -> None:
    reader, writer = await _open(board, pull)
    try:
        writer.write(_usual(board, pull))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " in head.partition(b"\r\n")[0]:
            board.events.add(Seen.FIRST_BYTE)
            while await reader.read(100):  # noqa: ASYNC110 - it takes its time
                await asyncio.sleep(0.1)
    finally:
        writer.transport.abort()


async def _half_closed(board: Board, pull: PullConfig) -> None:
    reader, writer = await _open(board, pull)
    try:
        writer.write(_usual(board, pull))
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 8.0)
    finally:
        writer.transport.abort()


async def _abandons(board: Board, pull: PullConfig) -> None:
    _, writer = await _open(board, pull)
    writer.write(_usual(board, pull))
    await writer.drain()
    writer.transport.abort()


async def _liar(board: Board, pull: PullConfig) -> None:
    request = _usual(board, pull)
    lies = re.sub(rb"(?i)(version: )" + OLD.encode(), rb"\g<1>" + NEW.encode(), request)
    lies = re.sub(rb"(?im)^(x-[a-z0-9]+-sketch-md5: )[0-9a-f]{32}", rb"\g<1>" + b"0" * 32, lies)
    await _ask(board, pull, lies)


type Poller = Callable[[Board, PullConfig], Awaitable[None]]

POLLERS: Final[dict[str, Poller]] = {
    "polls": _polls,
    "half_requests": _half_requests,
    "huge_headers": _huge_headers,
    "takes_drips": _takes_drips,
    "half_closed": _half_closed,
    "abandons": _abandons,
    "liar": _liar,
}
