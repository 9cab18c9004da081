"""The TCP part of ArduinoOTA: stream the image ahead of the acks, find the end token.

The module writes decimal counts, unseparated and merged at will (`ArduinoOTA.cpp`: `print` of
what one pass wrote), then `OK` or an error text glued to them. Counts say nothing about
progress: an ESP8266 whose queue is never empty sends one for the whole image. Progress is what
the module's TCP stack acknowledged.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import fcntl
import socket
import struct
import termios
from typing import Final

from ..exceptions import OtaError, TransferError
from ..models import Cause, Delivery, ProgressCallback
from ._replies import rejection

_READ_SIZE: Final = 4096
_TEXT_LIMIT: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamLimits:
    """Seconds the TCP part waits."""

    stall: float = 30.0
    """Without one acknowledged byte; flash erase and a Pico's file system pause for seconds."""
    result: float = 60.0
    """After the last byte; an ESP32 verifies the image, an ESP8266 its signature."""
    text: float = 1.0
    """For the rest of an error text that was split over packets."""
    poll: float = 0.05
    """Between looks at what was acknowledged once everything is handed to the kernel."""


class EndToken:
    """Finds `OK` or an error text in a byte stream of counts."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self.text = b""

    def feed(self, data: bytes) -> None:
        """Take what was read; the leading digits are counts."""
        self.text = (self.text + data).lstrip(b"0123456789 \r\n\x00")[:_TEXT_LIMIT]

    @property
    def is_ok(self) -> bool:
        """The module took the image."""
        return self.text.startswith(b"OK")

    @property
    def is_error(self) -> bool:
        """The module said something that is not `OK` nor the beginning of it."""
        return bool(self.text) and not b"OK".startswith(self.text[:2])

    @property
    def is_complete(self) -> bool:
        """The error text has its line end."""
        return b"\n" in self.text


class Stream:
    """Sends one payload over one accepted connection."""

    def __init__(
        self,
        connection: socket.socket,
        data: bytes,
        on_progress: ProgressCallback,
        limits: StreamLimits,
    ) -> None:
        """Take a non-blocking connection; its owner closes it."""
        self._connection = connection
        self._data = memoryview(data)
        self._total = len(data)
        self._on_progress = on_progress
        self._limits = limits
        self._token = EndToken()
        self._handed = 0
        self._acked = 0
        self._acked_at = 0.0
        self._percent = -1
        self._closed = False
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def send(self, before_first_byte: Callable[[], None]) -> Delivery:
        """Send everything and hear the answer.

        Returns UNCONFIRMED when every byte was acknowledged but no answer came. Raises
        ModuleRejectedImage with the module's text, or TransferError.
        """
        self._acked_at = self._loop.time()
        self._loop.add_reader(self._connection, self._readable)
        try:
            before_first_byte()
            await self._send_all()
            return await self._result()
        finally:
            self._loop.remove_reader(self._connection)

    async def _send_all(self) -> None:
        while self._handed < self._total and not self._answered:
            try:
                self._handed += self._connection.send(self._data[self._handed :])
            except BlockingIOError:
                self._track()
                await self._writable()
            except OSError:
                self._readable()  # what the module said before it reset is still there
                self._closed = True

    @property
    def _answered(self) -> bool:
        return self._closed or self._token.is_ok or self._token.is_error

    async def _writable(self) -> None:
        """Wait until the kernel takes more, the module says something, or a moment passed."""
        self._changed.clear()
        self._loop.add_writer(self._connection, self._changed.set)
        try:
            async with asyncio.timeout(min(1.0, self._limits.stall)):
                await self._changed.wait()
        except TimeoutError:
            self._raise_when_stalled()
        finally:
            self._loop.remove_writer(self._connection)

    async def _result(self) -> Delivery:
        """Wait for the end token, the close, or the limits."""
        result_limit = None
        while not self._answered:
            self._track()
            if self._acked < self._total:
                self._raise_when_stalled()
            elif result_limit is None:
                result_limit = self._loop.time() + self._limits.result
            elif self._loop.time() > result_limit:
                return Delivery.UNCONFIRMED
            await self._wait_changed(self._limits.poll)
        return await self._conclude()

    async def _conclude(self) -> Delivery:
        """Tell what the answer, or the close without one, means."""
        if self._token.is_error:
            raise await self._rejection()
        self._track()
        if self._acked < self._total:  # an `OK` for half an image is none
            raise TransferError(Cause.CONNECTION_LOST, sent=self._acked, total=self._total)
        return Delivery.ACCEPTED if self._token.is_ok else Delivery.UNCONFIRMED

    async def _rejection(self) -> OtaError:
        """Return the error for the module's text, once the rest of it has arrived."""
        end = self._loop.time() + self._limits.text
        while not (self._closed or self._token.is_complete) and self._loop.time() < end:
            await self._wait_changed(end - self._loop.time())
        return rejection(self._token.text)

    async def _wait_changed(self, timeout: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _readable(self) -> None:
        """Read what is there; called by the event loop."""
        try:
            data = self._connection.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._token.feed(data)
        else:
            self._closed = True
            self._loop.remove_reader(self._connection)
        if self._answered:
            self._changed.set()

    def _track(self) -> None:
        """Note what the module's TCP stack has acknowledged by now."""
        acked = self._handed - unacknowledged(self._connection)
        if acked > self._acked:
            self._acked = acked
            self._acked_at = self._loop.time()
            self._report(acked)

    def _report(self, acked: int) -> None:
        percent = acked * 100 // self._total
        if percent != self._percent:
            self._percent = percent
            self._on_progress(acked, self._total)

    def _raise_when_stalled(self) -> None:
        self._track()
        if self._loop.time() - self._acked_at > self._limits.stall:
            raise TransferError(
                Cause.STALLED,
                sent=self._acked,
                total=self._total,
                seconds=round(self._limits.stall),
            )


def unacknowledged(connection: socket.socket) -> int:
    """Return how many handed bytes the peer has not acknowledged (`SIOCOUTQ`, tcp(7))."""
    answer = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
    return int(struct.unpack("i", answer)[0])
