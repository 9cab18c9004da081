"""The TCP port a module calls back on: one connection, and only from the invited address."""

import asyncio
import errno
import socket
import struct
from typing import Final

from ..causes import Cause
from ..exceptions import CallbackError

SEND_BUFFER: Final = 12 * 1024
"""Bytes asked of the kernel, which doubles it and counts its own overhead: about 8 to 16 KiB
of image un-acked. More gains nothing and hides a module that has stopped reading."""


class Callback:
    """A listening socket that is closed as soon as the module is connected."""

    def __init__(self, address: str, port: int = 0) -> None:
        """Listen; port 0 lets the system choose. Raises CallbackError when the port is taken."""
        self.strangers: list[str] = []
        """Addresses that connected but were not invited; a sign of NAT in between."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)  # noqa: FBT003 - its only argument
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it; set later it would not bound what is queued already.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        try:
            self._socket.bind((address, port))
            self._socket.listen(2)
        except OSError as err:
            self._socket.close()
            if err.errno in {errno.EADDRINUSE, errno.EACCES}:
                raise CallbackError(Cause.CALLBACK_PORT_TAKEN, callback_port=port) from err
            raise
        self.port: int = self._socket.getsockname()[1]

    async def connection_from(self, address: str) -> socket.socket:
        """Return the first connection from this address; reset all others."""
        while True:
            try:
                connection, peer = self._socket.accept()
            except BlockingIOError:
                await self._readable()
                continue
            if peer[0] == address:
                connection.setblocking(False)  # noqa: FBT003 - its only argument
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            self.strangers.append(peer[0])
            reset(connection)

    async def _readable(self) -> None:
        """Wait for a connection; `loop.sock_accept` loses one when it is cancelled just then."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._socket, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._socket)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def reset(connection: socket.socket) -> None:
    """Close with a reset: an ESP8266 has no receive timeout and waits for ever otherwise."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
