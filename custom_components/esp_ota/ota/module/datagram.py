"""A UDP socket towards one module, whose replies can be awaited one by one."""

import asyncio
import socket
from typing import Final, cast, override

IGNORED: Final = b""
"""Every module ignores an empty datagram: there is no MD5 in it (`_onRx` of ArduinoOTA), and no
byte, which is all that sketches of 2015 want for an invitation (`DNS_SD_Arduino_OTA.ino`)."""

_TURNS: Final = 400
"""Turns of the loop after which all is read that a socket held: asyncio takes one datagram of each
socket in a turn (CPython 3.14, `_SelectorDatagramTransport._read_ready`), and Linux keeps 277 small
ones (208 KiB, 768 bytes each)."""


async def catch_up() -> None:
    """Let all be heard that has arrived: on a busy machine it may wait for seconds, unread."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class DatagramSocket(asyncio.DatagramProtocol):
    """Connected, so that only this module is heard, and a closed port is heard as well."""

    def __init__(self) -> None:
        """Start with no reply."""
        self._replies: asyncio.Queue[bytes | OSError] = asyncio.Queue(maxsize=64)
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> DatagramSocket:
        """Open a socket towards one module; raises OSError when there is no route."""
        loop = asyncio.get_running_loop()
        # ArduinoOTA calls back to an IPv4 address, whatever else the name resolves to.
        _, udp = await loop.create_datagram_endpoint(
            cls, remote_addr=(host, port), family=socket.AF_INET
        )
        return udp

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    @override
    def datagram_received(self, data: bytes, addr: object) -> None:
        self._put(data)

    @override
    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self._put(exc)

    def _put(self, item: bytes | OSError) -> None:
        if not self._replies.full():  # a flood of datagrams is not worth memory
            self._replies.put_nowait(item)

    @property
    def local_address(self) -> str:
        """The address of ours that the module sees, barring NAT: where it calls back."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0])

    @property
    def remote_address(self) -> str:
        """The module's address, resolved."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("peername")[0])

    def send(self, datagram: bytes) -> None:
        """Send one datagram."""
        assert self._transport is not None
        self._transport.sendto(datagram)

    async def receive(self, timeout: float) -> bytes | None:
        """Return the next reply, None when none came in time.

        A reply that came while this machine was busy came in time, although the time was up when
        somebody looked. Raises ConnectionRefusedError when the module's host says that the port is
        closed.
        """
        try:
            async with asyncio.timeout(timeout):
                item = await self._replies.get()
        except TimeoutError:
            if self._replies.empty():
                return None
            item = self._replies.get_nowait()
        if isinstance(item, OSError):
            raise item
        return item

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()


async def is_closed(host: str, port: int, wait: float) -> bool:
    """Whether the host says within so many seconds that nothing listens on a UDP port of it."""
    try:
        udp = await DatagramSocket.open(host, port)
    except OSError:
        return True
    try:
        udp.send(IGNORED)
        await udp.receive(wait)
    except OSError:
        return True
    finally:
        udp.close()
    return False
