"""A module's TCP connection to the host, with lwIP's small window and its ways to end."""

import asyncio
from contextlib import suppress
import ctypes
import fcntl
import socket
import struct
import termios

ESTABLISHED, _CLOSED, CLOSE_WAIT = 1, 7, 8
_SO_ATTACH_FILTER = 26
_SMALL_MSS = 1000
_TIMESTAMPS = 12
"""Bytes of each Linux segment that TCP timestamps take; lwIP sends none."""


class Link:
    """One connection that the module opened."""

    def __init__(self, raw: socket.socket, clamp: int) -> None:
        """Take a connected, non-blocking socket."""
        self._raw = raw
        self._clamp = clamp
        self._loop = asyncio.get_running_loop()
        self.sent = bytearray()
        """What the module said, for tests."""

    @classmethod
    async def open(
        cls,
        address: tuple[str, int],
        *,
        source: str,
        mss: int,
        window: int,
        timeout: float,
        nodelay: bool,
    ) -> Link:
        """Connect once. Raises `OSError`, which `TimeoutError` is too."""
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            raw.setblocking(False)
            raw.bind((source, 0))
            clamp = _narrow(raw, mss, window) if window else 0
            if nodelay:
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().sock_connect(raw, address)
        except BaseException:
            raw.close()
            raise
        return cls(raw, clamp)

    @property
    def closed(self) -> bool:
        """Whether the module has let go of the connection."""
        return self._raw.fileno() < 0

    @property
    def available(self) -> int:
        """How many bytes wait to be read."""
        if self.closed:
            return 0
        answer = fcntl.ioctl(self._raw, termios.FIONREAD, b"\0\0\0\0")
        return int.from_bytes(answer, "little")

    @property
    def state(self) -> int:
        """TCP state as Linux numbers it."""
        if self.closed:
            return _CLOSED
        return self._raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]

    def read_into(self, view: memoryview) -> int:
        """Read what is there. Call it only when something is available."""
        if not view:
            return 0
        if self._clamp:
            # Linux forgets the clamp each time it learns a segment's true size.
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, self._clamp)
        return self._raw.recv_into(view)

    def peek(self, count: int) -> bytes:
        """Look at the next bytes. Call it only when something is available."""
        return self._raw.recv(count, socket.MSG_PEEK)

    async def until_let_go(self) -> None:
        """Wait until the host closes or resets the connection."""
        while self.state == ESTABLISHED:  # noqa: ASYNC110 (the kernel tells nobody)
            await asyncio.sleep(0.01)

    async def wait_readable(self, timeout: float | None) -> bool:
        """Wait for data, a FIN or a RST; tell whether one came in time."""
        ready = self._loop.create_future()
        self._loop.add_reader(self._raw, _finish, ready)
        try:
            async with asyncio.timeout(timeout):
                await ready
        except TimeoutError:
            return False
        finally:
            self._loop.remove_reader(self._raw)
        return True

    async def send(self, data: bytes) -> bool:
        """Send; tell whether the connection could still take it."""
        try:
            if self._raw.send(data) == len(data):
                self.sent += data
                return True
        except BlockingIOError:
            pass  # the host does not read: a real module loses the text as well
        except OSError:
            return False
        return False

    async def until_acknowledged(self) -> None:
        """Wait until all that was said has arrived, or the connection is gone."""
        while self.state in (ESTABLISHED, CLOSE_WAIT) and self._unacknowledged:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    @property
    def _unacknowledged(self) -> int:
        answer = fcntl.ioctl(self._raw, termios.TIOCOUTQ, b"\0\0\0\0")
        return int.from_bytes(answer, "little")

    def close(self) -> None:
        """Close as lwIP does: FIN, or RST if anything is unread. Linux does the same."""
        self._raw.close()

    def reset(self) -> None:
        """Send a RST."""
        with suppress(OSError):
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._raw.close()

    def fall_silent(self) -> None:
        """Never answer a segment again, as a module without power.

        A socket filter that keeps nothing makes the kernel drop all that arrives here.
        """
        drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
        program = struct.pack("HP", 1, ctypes.addressof(drop_all))
        self._raw.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _finish(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _narrow(raw: socket.socket, mss: int, window: int) -> int:
    """Make the connection as narrow as the module's; return the clamp to renew.

    Linux advertises whole segments and counts its own overhead against the buffer.
    Measured over a 20 ms link, these numbers give an advertised window of 2144 for
    536 x 4, 5744 for 1436 x 4 and 5792 to 5840 for 1460 x 4. A host that is never read
    can hand over 2.7, 8.7 and 8.8 kB: the last is a segment or two more than lwIP takes.
    """
    clamp = -(-window // mss) * (mss + _TIMESTAMPS)
    percent = 130 if mss < _SMALL_MSS else 110
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window * percent // 100)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, clamp)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss + _TIMESTAMPS)
    return clamp
