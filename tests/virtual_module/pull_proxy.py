"""A proxy between a module and its server that sends answers on in chunks, without their length."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_HEAD_END = b"\r\n\r\n"


@asynccontextmanager
async def way_to(address: tuple[str, int], *, chunking: bool) -> AsyncIterator[tuple[str, int]]:
    """Yield where to connect to: the server itself, or the proxy in front of it."""
    if not chunking:
        yield address
        return
    forwards: list[asyncio.Future[None]] = []

    def forward(module: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        forwards.append(asyncio.ensure_future(_forward(address, module, answer)))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        for task in forwards:
            task.cancel()
        await asyncio.gather(*forwards, return_exceptions=True)


async def _forward(
    address: tuple[str, int], module: asyncio.StreamReader, answer: asyncio.StreamWriter
) -> None:
    try:
        with suppress(OSError, asyncio.IncompleteReadError):
            server, request = await asyncio.open_connection(*address)
            try:
                request.write(await module.readuntil(_HEAD_END))
                await _in_chunks(server, answer)
            finally:
                request.close()
    finally:
        answer.close()


async def _in_chunks(server: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
    head = (await server.readuntil(_HEAD_END)).removesuffix(_HEAD_END).split(b"\r\n")
    chunked = head[0].split()[1] == b"200"
    if chunked:
        head = [line for line in head if not line.lower().startswith(b"content-length:")]
        head.append(b"Transfer-Encoding: chunked")
    answer.write(b"\r\n".join(head) + _HEAD_END)
    while piece := await server.read(4096):
        answer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await answer.drain()
    answer.write(b"0\r\n\r\n" if chunked else b"")
    await answer.drain()
