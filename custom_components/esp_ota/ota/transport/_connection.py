"""One TCP connection that an image goes over: hand over bytes, hear the module, know how far it is.

Sending and hearing go on side by side: a module may answer in the middle of an image, and what
it said must be heard before the reset that follows. Progress is what the module's TCP stack has
acknowledged, never what was handed to the kernel.
"""

import asyncio
from dataclasses import dataclass, field
import fcntl
import socket
import struct
import termios
from typing import Final

from ..causes import Cause
from ..exceptions import TransferError
from ..models import ProgressCallback
from ._longest import Pace

_READ_SIZE: Final = 16 * 1024
_SIOCOUTQNSD: Final = 0x894B
"""linux/sockios.h; Python has no name for it."""
LAST_OF_IMAGE: Final = 1460
"""Bytes of an image that are held back until all before them have left: one segment."""
_LOOK: Final = 0.25
"""Seconds between looks at what was acknowledged while the module takes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferLimits:
    """Seconds of a transfer over TCP."""

    stall: float = 30.0
    """Without one acknowledged byte; flash erase and a Pico's file system pause for seconds."""
    result: float = 60.0
    """After the last byte; an ESP32 verifies the image, an ESP8266 its signature."""
    poll: float = 0.05
    """Between looks at what was acknowledged once everything is handed to the kernel."""
    restart: float = 1.5
    """Of silence before a reset, which then tells of a restart: none boots and joins faster."""
    pace: Pace = field(default_factory=Pace)

    def longest(self, size: int) -> float:
        """Return for how long an image of so many bytes and its answer are waited for at most."""
        return self.pace.longest(size) + self.result


class ImageConnection:
    """A connected, non-blocking socket whose owner closes it.

    Subclasses know what the module says: they take it in by `_hear`, and tell by `_over`.
    """

    def __init__(self, connection: socket.socket, limits: TransferLimits) -> None:
        """Take the socket; nothing is sent nor read yet."""
        self._connection = connection
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._image = range(0)
        self._on_progress: ProgressCallback = lambda _sent, _total: None
        self._percent = -1
        self._handed = 0
        self._acked = 0
        self._acked_at = self._heard_at = self._loop.time()
        self._closed = False
        self._may_be_whole = False
        """The bytes without which nothing is complete were handed over."""
        self._restarted = False
        """The reset that closed it came out of a silence."""

    def _hear(self, data: bytes) -> None:
        """Take what was read; without data, the module has closed."""
        raise NotImplementedError

    @property
    def _over(self) -> bool:
        """Whether nothing is left to send for, or to wait for."""
        raise NotImplementedError

    def _listen(self) -> None:
        """Hear the module from now on, until `_leave`."""
        self._acked_at = self._heard_at = self._loop.time()
        self._loop.add_reader(self._connection, self._readable)

    def _leave(self) -> None:
        """Hear no more; a reset may follow, and what was taken until now must be known by then."""
        self._track()
        self._loop.remove_reader(self._connection)

    def _broken_off(self) -> None:
        """Report all of the image where the module may have it: no reset catches up with that."""
        if self._may_be_whole:
            self._on_progress(len(self._image), len(self._image))

    def _report_to(self, on_progress: ProgressCallback, image: range) -> None:
        """Report progress of the image, which is so many of the bytes that are handed over."""
        self._on_progress = on_progress
        self._image = image
        self._acked_at = self._loop.time()

    @property
    def _sent(self) -> int:
        """Bytes of the image that the module's TCP has acknowledged."""
        return min(max(self._acked - self._image.start, 0), len(self._image))

    async def _hand(self, piece: bytes) -> None:
        """Hand bytes to the kernel, as fast as the module takes them."""
        view = memoryview(piece)
        while view and not self._over:
            try:
                count = self._connection.send(view)
            except BlockingIOError:
                await self._writable()
            except OSError as err:
                self._broke(err)
                self._drain()  # what the module said before it reset is still there
            else:
                self._handed += count
                view = view[count:]

    async def _hand_last(self, piece: bytes) -> None:
        """Hand over what makes the image complete, once all before it has left this machine.

        Whatever ends the connection sooner leaves the module without it, for certain: what the
        kernel still holds it may send between a look at it and a reset.
        """
        # Linux, tcp(7): then writable means that nothing waits to be sent.
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 1)
        while not self._over and unsent(self._connection):
            await self._writable()
        if not self._over:
            self._may_be_whole = True
            await self._hand(piece)

    async def _writable(self) -> None:
        """Wait until the kernel takes more, the module says something, or a moment passed."""
        self._changed.clear()
        self._loop.add_writer(self._connection, self._changed.set)
        try:
            async with asyncio.timeout(min(_LOOK, self._limits.stall / 2)):
                await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self._loop.remove_writer(self._connection)
        self._raise_when_stalled()

    async def _wait_for_answer(self) -> None:
        """Wait until it is over, but after the last acknowledged byte only for so long."""
        end = None
        while not self._over:
            self._track()
            if self._acked < self._handed:
                self._raise_when_stalled()
            elif end is None:
                end = self._loop.time() + self._limits.result
            elif self._loop.time() > end:
                return
            await self._wait(self._limits.poll)

    async def _wait(self, timeout: float) -> None:
        """Wait for the module to end it, or for a moment."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _drain(self) -> None:
        """Read all that is left, and take the connection for closed."""
        while self._read():
            pass
        if not self._closed:
            self._end()

    def _readable(self) -> None:
        """Read what is there; called by the event loop."""
        self._read()

    def _read(self) -> bool:
        """Read once; tell whether there was anything."""
        try:
            data = self._connection.recv(_READ_SIZE)
        except BlockingIOError:
            return False
        except OSError as err:
            self._broke(err)
            data = b""
        if not data:
            self._end()
            return False
        self._heard_at = self._loop.time()
        self._hear(data)
        if self._over:
            self._changed.set()
        return not self._closed

    def _end(self) -> None:
        self._closed = True
        self._leave()
        self._hear(b"")
        self._changed.set()

    def _broke(self, err: OSError) -> None:
        """Note when a reset comes out of a silence: a stack that booted knows no connection."""
        silence = self._loop.time() - max(self._acked_at, self._heard_at)
        if isinstance(err, ConnectionResetError) and silence > self._limits.restart:
            self._restarted = True

    def _track(self) -> None:
        """Note what the module's TCP has acknowledged by now."""
        acked = self._handed - unacknowledged(self._connection)
        if acked > self._acked:
            self._acked = acked
            self._acked_at = self._loop.time()
            self._report()

    def _report(self) -> None:
        if not self._image:
            return
        percent = self._sent * 100 // len(self._image)
        if percent != self._percent:
            self._percent = percent
            self._on_progress(self._sent, len(self._image))

    def _raise_when_stalled(self) -> None:
        self._track()
        if self._loop.time() - self._acked_at > self._limits.stall:
            raise TransferError(
                Cause.STALLED,
                sent=self._sent,
                total=len(self._image),
                seconds=round(self._limits.stall),
            )


def unacknowledged(connection: socket.socket) -> int:
    """Return how many handed bytes the peer has not acknowledged (`SIOCOUTQ`, tcp(7))."""
    answer = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
    return int(struct.unpack("i", answer)[0])


def unsent(connection: socket.socket) -> int:
    """Return how many handed bytes are still here (`SIOCOUTQNSD`, Linux; else what is unacked)."""
    try:
        answer = fcntl.ioctl(connection, _SIOCOUTQNSD, bytes(4))
    except OSError:
        return unacknowledged(connection)
    return int(struct.unpack("i", answer)[0])
