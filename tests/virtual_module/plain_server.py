"""An update server to test pulling modules with: raw sockets, and no code of either side."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import hashlib
import socket
import struct
from typing import Any

from .config import ModuleConfig
from .module import VirtualModule
from .pull_config import PullConfig

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
type Reply = bytes | Handler

NOTHING_NEW = b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"


def offer(image: bytes, *headers: str, status: str = "200 OK", body: bytes | None = None) -> bytes:
    """Return an answer that offers an image with its true size and MD5, and these headers."""
    told = [f"Content-Length: {len(image)}", f"x-MD5: {hashlib.md5(image).hexdigest()}"]
    told = [line for line in told if not any(_same(line, header) for header in headers)]
    lines = [f"HTTP/1.1 {status}", *told, *(line for line in headers if line.partition(":")[2])]
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
    return head + (image if body is None else body)


def _same(line: str, header: str) -> bool:
    return line.partition(":")[0].lower() == header.partition(":")[0].lower()


class PlainServer:
    """Gives each request the next reply; when there is none left, there is nothing new."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[bytes] = []
        self.endings: list[str] = []
        """How each connection ended: "closed" or "reset"."""
        self.port = 0

    @property
    def url(self) -> str:
        """Where modules are sent to."""
        return f"http://127.0.0.1:{self.port}/update"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and see how the module ends the connection."""
        with suppress(asyncio.CancelledError):
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ending = "closed"
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            reply = self.replies.pop(0) if self.replies else NOTHING_NEW
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(reader, writer)
            await reader.read()
        except ConnectionError:
            ending = "reset"
        self.endings.append(ending)
        writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection at once: what was not sent is lost, and the module hears of it."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def pulling(
    *replies: Reply, pull: dict[str, Any] | None = None, **config: Any
) -> AsyncIterator[tuple[VirtualModule, PlainServer]]:
    """Start a server, and a quick module that asks it every 50 ms."""
    plain = PlainServer(*replies)
    server = await asyncio.start_server(plain.serve, "127.0.0.1", 0, limit=1 << 20)
    plain.port = server.sockets[0].getsockname()[1]
    settings: dict[str, Any] = {"url": plain.url, "poll_interval": 0.05} | (pull or {})
    defaults: dict[str, Any] = {"time_scale": 0.02, "tick": 0.0}
    try:
        given = defaults | {"pull": PullConfig(**settings)} | config
        async with VirtualModule(ModuleConfig(**given)) as module:
            yield module, plain
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()
