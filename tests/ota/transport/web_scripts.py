"""A web server that says what a test wants, where no module anybody wrote would say it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from custom_components.esp_ota.ota import Delivery, Fixed, HttpUpload, UploadDialect, UploadLimits
from tests.kit.pushing import payload_for

DATA = bytes(range(256)) * 64


@dataclass
class ScriptedWeb:
    """What is said for which path, or method and path; anything else is a 404."""

    pages: Mapping[str, bytes]
    reads_body: bool = True
    stays: bool = False
    """Whether connections are left open after the answer."""
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    """All that came, request by request."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(line.partition(b": ")[::2] for line in head.split(b"\r\n"))
            body = b""
            if self.reads_body:
                body = await reader.readexactly(int(lines.get(b"Content-Length", b"0")))
            self.requests.append(head + body)
            method, path = head.decode("latin-1").split(" ")[:2]
            path = path.partition("?")[0]
            nothing = page(b"", status=b"404 Not Found")
            writer.write(self.pages.get(f"{method} {path}", self.pages.get(path, nothing)))
            await writer.drain()
            if self.stays:
                await reader.read()
        writer.transport.abort()


def page(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Return a regular reply."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


FORM = page(b"<input type='file' name='firmware'><input type='file' name='filesystem'>")

GOOD = {
    "/prettyota/queryPrettyOTAInfo": page(b'{"prettyotaVersion": "1"}'),
    "/prettyota/start": page(b""),
    "/update": FORM,
    "/update/identity": page(b'{"id": "1", "hardware": "ESP32"}'),
    "/ota/start": page(b"OK"),
    "/up": page(b"<input type='file' name='u2'>"),
}
"""What all dialects want to hear before an upload."""


@asynccontextmanager
async def web(
    pages: Mapping[str, bytes], *, reads_body: bool = True, stays: bool = False
) -> AsyncIterator[ScriptedWeb]:
    """Listen on a free port."""
    script = ScriptedWeb(pages, reads_body=reads_body, stays=stays)
    server = await asyncio.start_server(script._serve, "127.0.0.1", 0, limit=1 << 22)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        server.close_clients()


async def send(
    port: int,
    dialect: UploadDialect = UploadDialect.UPDATE_SERVER,
    *,
    data: bytes = DATA,
    password: str | None = None,
    limits: UploadLimits | None = None,
    before: Callable[[], None] = lambda: None,
) -> Delivery:
    """Send one image to whatever listens there."""
    limits = limits or UploadLimits(rest=0.5, answer=5.0, result=5.0, stall=5.0, poll=0.01)
    transport = HttpUpload(
        Fixed("127.0.0.1", port), dialect=dialect, password=password, limits=limits
    )
    return await transport.send(
        payload_for(data), before_first_byte=before, on_progress=lambda *_: None
    )
