"""The TCP part of ArduinoOTA: stream the image ahead of the acks, find the end token.

The module writes decimal counts, unseparated and merged at will (`ArduinoOTA.cpp`: `print` of
what one pass wrote), then `OK` or an error text glued to them. Counts say nothing about
progress: an ESP8266 whose queue is never empty sends one for the whole image. Progress is what
the module's TCP stack acknowledged.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import socket
from typing import Final, override

from ..causes import Cause
from ..exceptions import OtaError, TransferError
from ..models import Delivery, ProgressCallback
from ._connection import LAST_OF_IMAGE, ImageConnection, TransferLimits
from ._replies import rejection

_TEXT_LIMIT: Final = 512
_KEEP_ALIVE: Final = (
    (socket.TCP_KEEPIDLE, 2),
    (socket.TCP_KEEPINTVL, 1),
    (socket.TCP_KEEPCNT, 127),
)
"""Seconds, and the most that Linux counts: a module that is away must not end the wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamLimits(TransferLimits):
    """Seconds the TCP part waits."""

    text: float = 1.0
    """For the rest of an error text that was split over packets."""


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


class Stream(ImageConnection):
    """Sends one payload over one accepted connection."""

    _limits: StreamLimits

    def __init__(
        self,
        connection: socket.socket,
        data: bytes,
        on_progress: ProgressCallback,
        limits: StreamLimits,
    ) -> None:
        """Take a non-blocking connection; its owner closes it."""
        super().__init__(connection, limits)
        self._data = data
        self._token = EndToken()
        self._report_to(on_progress, range(len(data)))

    async def send(self, before_first_byte: Callable[[], None]) -> Delivery:
        """Send everything and hear the answer.

        Returns UNCONFIRMED when every byte was acknowledged but no answer came, RESTARTED when
        the module came back instead. Raises ModuleRejectedImage with the module's text, or
        TransferError.
        """
        self._listen()
        try:
            before_first_byte()
            await self._hand(self._data[:-LAST_OF_IMAGE])
            await self._hand_last(self._data[-LAST_OF_IMAGE:])
            self._keep_alive()
            await self._wait_for_answer()
            return await self._conclude()
        except asyncio.CancelledError, TransferError:
            self._broken_off()
            raise
        finally:
            self._leave()

    @property
    @override
    def _over(self) -> bool:
        return self._closed or self._token.is_ok or self._token.is_error

    @override
    def _hear(self, data: bytes) -> None:
        self._token.feed(data)

    def _keep_alive(self) -> None:
        """Let the kernel ask for a sign of life, which a stack that has booted answers by a reset.

        The sketch of 2015-06-30 restarts without a word (`ESP.updateSketch`).
        """
        for option, value in _KEEP_ALIVE:
            self._connection.setsockopt(socket.IPPROTO_TCP, option, value)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    async def _conclude(self) -> Delivery:
        """Tell what the answer, or the lack of one, means."""
        if self._token.is_error:
            raise await self._rejection()
        self._track()
        if self._acked < len(self._data):  # an `OK` for half an image is none
            raise self._lost()
        if self._token.is_ok:
            return Delivery.ACCEPTED
        return Delivery.RESTARTED if self._silently_restarted else Delivery.UNCONFIRMED

    @property
    def _silently_restarted(self) -> bool:
        return self._restarted and not self._token.text

    def _lost(self) -> TransferError:
        cause = Cause.REBOOTED if self._silently_restarted else Cause.CONNECTION_LOST
        return TransferError(cause, sent=self._sent, total=len(self._data))

    async def _rejection(self) -> OtaError:
        """Return the error for the module's text, once the rest of it has arrived."""
        end = self._loop.time() + self._limits.text
        while not (self._closed or self._token.is_complete) and self._loop.time() < end:
            await self._wait(end - self._loop.time())
        return rejection(self._token.text)
