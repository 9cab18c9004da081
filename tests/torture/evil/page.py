"""What an evil update page answers to whoever opens it or sends an image."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tests.virtual_module import Seen
from tests.virtual_module.board import Board

_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
ELSEWHERE: Final = "127.0.7.7"
"""Who is sent there and goes has gone too far."""
_FORM: Final = (
    b"<form method='POST' action='' enctype='multipart/form-data'>Firmware:<br>"
    b"<input type='file' accept='.bin,.bin.gz' name='firmware'>"
    b"<input type='submit' value='Update Firmware'></form>"
)
"""As ESP8266HTTPUpdateServer has it."""
_FOR_EVER: Final = 3600.0

type Reader = asyncio.StreamReader
type Writer = asyncio.StreamWriter
type Page = Callable[[Board, Reader, Writer], Awaitable[bool]]
"""Serves one connection; tells whether an image was taken."""


async def _request(reader: Reader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def _endless_headers(_board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 500)
        await writer.drain()


async def _huge_header(_board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Huge: ")
    for _ in range(128):
        writer.write(b"a" * (1 << 16))
        await writer.drain()
    return False


async def _drips(_board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    for letter in _HEAD + b"Content-Length: 9\r\n\r\nnot today":
        writer.write(bytes([letter]))
        await writer.drain()
        await asyncio.sleep(0.15)
    return False


async def _endless_body(_board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    writer.write(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        await writer.drain()


async def _wrong_length(_board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    writer.write(_HEAD + b"Content-Length: 1099511627776\r\n\r\nUpdate Success!")
    await writer.drain()
    await asyncio.sleep(_FOR_EVER)
    return False


async def _redirects(board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    writer.write(f"HTTP/1.1 302 Found\r\nLocation: http://{board.config.host}/\r\n\r\n".encode())
    await writer.drain()
    return False


async def _sends_away(_board: Board, reader: Reader, writer: Writer) -> bool:
    await _request(reader)
    writer.write(f"HTTP/1.1 307 Moved\r\nLocation: http://{ELSEWHERE}/update\r\n\r\n".encode())
    await writer.drain()
    return False


async def _ssh(_board: Board, _reader: Reader, writer: Writer) -> bool:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()
    await asyncio.sleep(1.0)
    return False


async def _silent(_board: Board, _reader: Reader, _writer: Writer) -> bool:
    await asyncio.sleep(_FOR_EVER)
    return False


async def _half_closed(_board: Board, reader: Reader, writer: Writer) -> bool:
    writer.write_eof()
    while await reader.read(256):  # noqa: ASYNC110 - it takes its time
        await asyncio.sleep(0.05)
    return False


async def _liar(board: Board, reader: Reader, writer: Writer) -> bool:
    """Take all that comes, say that it worked, and have done nothing."""
    head = (await _request(reader)).lower()
    is_upload = head.startswith(b"post")
    if is_upload:
        board.events.add(Seen.FIRST_BYTE)
        length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        await reader.readexactly(length)
    text = b"Update Success! Rebooting..." if is_upload else _FORM
    writer.write(
        _HEAD + f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text
    )
    await writer.drain()
    return is_upload


PAGES: Final[dict[str, Page]] = {
    "endless_headers": _endless_headers,
    "huge_header": _huge_header,
    "drips": _drips,
    "endless_body": _endless_body,
    "wrong_length": _wrong_length,
    "redirects": _redirects,
    "sends_away": _sends_away,
    "ssh": _ssh,
    "silent": _silent,
    "half_closed": _half_closed,
    "liar": _liar,
    "shouts": _silent,
}
