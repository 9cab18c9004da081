"""A network of our own, or the person's: ports, addresses, and a way out for the web page."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import socket
import subprocess

from .home import PORT, ROOT

NETNS = str(ROOT / "script" / "netns")
_MDNS = ("224.0.0.251", 5353)
_CHUNK = 64 * 1024

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Open = Callable[[], Awaitable[Streams]]
type Carry = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def why_no_namespace() -> str | None:
    """Return why there can be no network of our own, None when there can."""
    result = subprocess.run([NETNS, "true"], capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr.strip()


def free_port(wanted: int | None) -> int:
    """Return the wanted port, or the first free one from Home Assistant's own on.

    Raises OSError when it is taken.
    """
    for port in [wanted] if wanted else range(PORT, PORT + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"port {wanted or PORT} of 127.0.0.1 is taken")


def own_address() -> str:
    """Return our address on the network that mDNS goes to; raises OSError without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_MDNS)
        return str(probe.getsockname()[0])


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def _carry_to(target: Open) -> Carry:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await target()
        except OSError:  # Home Assistant restarts: the browser tries again
            writer.close()
            return
        try:
            await asyncio.gather(_pump(reader, other_writer), _pump(other_reader, writer))
        finally:
            other_writer.close()
            writer.close()

    return carry


@asynccontextmanager
async def carried_in(path: Path, port: int) -> AsyncIterator[None]:
    """Inside: carry connections on a socket file to a port."""
    carry = _carry_to(lambda: asyncio.open_connection("127.0.0.1", port))
    server = await asyncio.start_unix_server(carry, path)
    try:
        yield
    finally:
        server.close()


@asynccontextmanager
async def carried_out(port: int, path: Path) -> AsyncIterator[None]:
    """Outside: carry connections on a port to a socket file."""
    carry = _carry_to(lambda: asyncio.open_unix_connection(path))
    server = await asyncio.start_server(carry, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
