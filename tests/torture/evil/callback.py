"""What an evil module does with the connection to which it was invited."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import socket
from typing import Final

from tests.virtual_module import Seen
from tests.virtual_module.board import Board
from tests.virtual_module.link import _narrow

_FOR_EVER: Final = 3600.0
_CHUNK: Final = 1 << 12
_MSS: Final = 536


async def _connect(
    board: Board, host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    raw = await dial(board.config.host, host, port)
    reader, writer = await asyncio.open_connection(sock=raw, limit=_CHUNK)
    board.events.add(Seen.CONNECTED)
    return reader, writer


async def dial(source: str, host: str, port: int) -> socket.socket:
    """Connect with a module's small window, or a whole image would be on its way at once."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        raw.setblocking(False)
        raw.bind((source, 0))
        _narrow(raw, _MSS, 4 * _MSS)
        await asyncio.get_running_loop().sock_connect(raw, (host, port))
    except BaseException:
        raw.close()
        raise
    return raw


async def _silent(board: Board, host: str, port: int) -> None:
    reader, _writer = await _connect(board, host, port)
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(_FOR_EVER)


async def _half_closed(board: Board, host: str, port: int) -> None:
    reader, writer = await _connect(board, host, port)
    writer.write_eof()
    while await reader.read(1024):  # noqa: ASYNC110 - it takes its time
        await asyncio.sleep(0.05)


async def _drips(board: Board, host: str, port: int) -> None:
    reader, writer = await _connect(board, host, port)
    first = True
    while data := await reader.read(100):
        if first:
            board.events.add(Seen.FIRST_BYTE)
            first = False
        writer.write(str(len(data)).encode())
        await asyncio.sleep(0.1)


async def _acks(board: Board, host: str, port: int) -> None:
    _reader, writer = await _connect(board, host, port)
    while True:
        writer.write(b"1460" * 1000)
        await writer.drain()


async def _overacks(board: Board, host: str, port: int) -> None:
    _reader, writer = await _connect(board, host, port)
    for text in (b"99999999999999999999", b"-5", b"\xff\xfe", b"1e9", b"0x10", b"NaN"):
        writer.write(text)
        await writer.drain()
        await asyncio.sleep(0.02)
    await asyncio.sleep(_FOR_EVER)


async def _endless(board: Board, host: str, port: int) -> None:
    _reader, writer = await _connect(board, host, port)
    while True:
        writer.write(b"x" * _CHUNK)
        await writer.drain()


async def _many(board: Board, host: str, port: int) -> None:
    async def one() -> None:
        await _connect(board, host, port)
        await asyncio.sleep(_FOR_EVER)

    await asyncio.gather(*(one() for _ in range(100)), return_exceptions=True)


async def _liar(board: Board, host: str, port: int) -> None:
    reader, writer = await _connect(board, host, port)
    first = True
    with suppress(TimeoutError):
        while data := await asyncio.wait_for(reader.read(4096), 0.5):
            if first:
                board.events.add(Seen.FIRST_BYTE)
                first = False
            writer.write(str(len(data)).encode())
    writer.write(b"OK")
    await writer.drain()
    writer.close()


type Callback = Callable[[Board, str, int], Awaitable[None]]

CALLBACKS: Final[dict[str, Callback]] = {
    "silent": _silent,
    "half_closed": _half_closed,
    "drips": _drips,
    "acks": _acks,
    "overacks": _overacks,
    "endless": _endless,
    "many": _many,
    "liar": _liar,
    "shouts": _silent,
}
