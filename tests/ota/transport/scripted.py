"""A module that says what a test wants, where no firmware anybody wrote would say it."""

import asyncio
import socket
from types import TracebackType
from typing import Self


class ScriptedModule:
    """The two sockets of a module, without any behaviour of their own."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        """Listen on a free port."""
        self._loop = asyncio.get_running_loop()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.udp.bind((address, 0))
        self.host, self.port = self.udp.getsockname()
        self.sources: list[tuple[str, int]] = []
        self._connections: list[socket.socket] = []

    async def __aenter__(self) -> Self:
        """Be there."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close everything."""
        for one in (self.udp, *self._connections):
            one.close()

    async def hear(self, timeout: float = 5.0) -> bytes:
        """Return the next datagram."""
        async with asyncio.timeout(timeout):
            data, source = await self._loop.sock_recvfrom(self.udp, 4096)
        self.sources.append(source)
        return data

    def say(self, data: bytes) -> None:
        """Answer whoever sent the newest datagram."""
        self.udp.sendto(data, self.sources[-1])

    async def call_back(
        self, invitation: bytes, source: str = "127.0.0.1", window: int = 0
    ) -> socket.socket:
        """Connect to the port an invitation names."""
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._connections.append(connection)
        connection.setblocking(False)
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, window)
        connection.bind((source, 0))
        address = (self.sources[-1][0], int(invitation.split()[1]))
        await self._loop.sock_connect(connection, address)
        return connection

    async def read(self, connection: socket.socket, count: int) -> bytes:
        """Return the next `count` bytes, fewer at the end of the stream."""
        data = b""
        async with asyncio.timeout(10.0):
            while len(data) < count:
                more = await self._loop.sock_recv(connection, count - len(data))
                if not more:
                    break
                data += more
        return data
