"""One request and its reply over one connection, with progress as the module's TCP takes it.

Sending and reading go on side by side: a module may answer in the middle of the body, and what
it said must be heard before the reset that follows.
"""

import asyncio
from dataclasses import dataclass
import socket
from types import TracebackType
from typing import Final, Self

from ..exceptions import TransferError
from ..models import Cause, ProgressCallback
from ._callback import reset
from ._http import REPLY_LIMIT, Reply, after_interim, read_reply
from ._stream import unacknowledged

_READ_SIZE: Final = 16 * 1024
_TAIL: Final = 2 * 1460
"""Bytes whose delayed ack a module may take along into its reset: two full segments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadLimits:
    """Seconds of an upload."""

    connect: float = 10.0
    """A module that is there answers at once; lost packets are repeated after 1, 3 and 7 s."""
    answer: float = 20.0
    """For a page; a sketch may keep its main loop busy for long."""
    stall: float = 30.0
    """Without one acknowledged byte; flash erase and a Pico's file system pause for seconds."""
    result: float = 60.0
    """After the last byte; an ESP32 verifies the image, an ESP8266 its signature."""
    rest: float = 3.0
    """For more of a reply that has begun; longer than a lost segment takes to be repeated."""
    poll: float = 0.05
    """Between looks at what was acknowledged once everything is handed to the kernel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """The bytes of one upload: the image, and what stands around it."""

    before: bytes
    image: bytes
    behind: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an upload ended on the wire."""

    reply: Reply | None
    handed: bool
    """Every byte left this machine's hands."""
    arrived: bool
    """And every byte was taken by the module's TCP."""
    sent: int
    """Bytes of the image that were."""


class Exchange:
    """Speaks over one connected, non-blocking socket, and closes it.

    A reset ends what is not at its end: that frees the module at once.
    """

    def __init__(self, connection: socket.socket, limits: UploadLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._raw = b""
        self._heard_at = 0.0
        self._reply: Reply | None = None
        self._closed = False
        self._changed = asyncio.Event()
        self._handed = 0
        self._acked = 0
        self._acked_at = 0.0
        self._image = range(0)
        self._on_progress: ProgressCallback = lambda _sent, _total: None
        self._percent = -1

    async def __aenter__(self) -> Self:
        """Listen to what the module says from now on."""
        self._loop.add_reader(self._connection, self._readable)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close, by a reset if anything went wrong or is still on its way."""
        self._loop.remove_reader(self._connection)
        if error is None and not unacknowledged(self._connection):
            self._connection.close()
        else:
            reset(self._connection)

    async def ask(self, request: bytes) -> Reply | None:
        """Send a small request; return the reply, None when there was none in time."""
        self._acked_at = self._loop.time()
        await self._hand(request)
        end = self._loop.time() + self._limits.answer
        while not self._over and self._loop.time() < end:
            await self._wait()
        return self._last_reply()

    async def upload(self, upload: Upload, on_progress: ProgressCallback) -> Outcome:
        """Send an image and hear the answer; raises TransferError when it stalls."""
        self._on_progress = on_progress
        self._acked_at = self._loop.time()
        begin = len(upload.before)
        self._image = range(begin, begin + len(upload.image))
        for piece in (upload.before, upload.image, upload.behind):
            await self._hand(piece)
        await self._result()
        self._track()
        handed = self._handed == begin + len(upload.image) + len(upload.behind)
        return Outcome(
            reply=self._last_reply(),
            handed=handed,
            arrived=handed and self._handed - self._acked <= _TAIL,
            sent=self._sent,
        )

    @property
    def _sent(self) -> int:
        """Bytes of the image that the module's TCP has acknowledged."""
        return min(max(self._acked - self._image.start, 0), len(self._image))

    @property
    def _over(self) -> bool:
        """Whether nothing is left to wait for: the reply is whole, or the module is gone."""
        return self._closed or self._reply is not None

    def _last_reply(self) -> Reply | None:
        return self._reply or (read_reply(self._raw, ended=True) if self._raw else None)

    async def _hand(self, piece: bytes) -> None:
        """Hand one piece to the kernel, as fast as the module takes it."""
        view = memoryview(piece)
        while view and not self._over:
            try:
                count = self._connection.send(view)
            except BlockingIOError:
                self._track()
                await self._writable()
            except OSError:
                self._drain()  # what the module said before it reset is still there
                self._closed = True
            else:
                self._handed += count
                view = view[count:]

    async def _writable(self) -> None:
        """Wait until the kernel takes more, the module says something, or a moment passed."""
        self._changed.clear()
        self._loop.add_writer(self._connection, self._changed.set)
        try:
            async with asyncio.timeout(min(1.0, self._limits.stall / 2)):
                await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self._loop.remove_writer(self._connection)
        self._raise_when_stalled()

    async def _result(self) -> None:
        """Wait for the reply, the close, or the limits."""
        result_limit = None
        while not self._over:
            self._track()
            if self._acked < self._handed:
                self._raise_when_stalled()
            elif result_limit is None:
                result_limit = self._loop.time() + self._limits.result
            elif self._loop.time() > result_limit:
                return
            await self._wait()

    async def _wait(self) -> None:
        """Wait for the module to say something; a reply that it broke off ends after a while."""
        self._changed.clear()
        try:
            async with asyncio.timeout(self._limits.poll):
                await self._changed.wait()
        except TimeoutError:
            if self._raw and self._loop.time() - self._heard_at > self._limits.rest:
                self._closed = True

    def _drain(self) -> None:
        """Read all that is left."""
        while not (self._closed or self._reply):
            heard = len(self._raw)
            self._readable()
            if len(self._raw) == heard:
                return

    def _readable(self) -> None:
        """Read what is there; called by the event loop."""
        try:
            data = self._connection.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._raw = after_interim(self._raw + data)
        self._heard_at = self._loop.time()
        if not data or len(self._raw) >= REPLY_LIMIT:
            self._closed = True
        if self._raw:
            self._reply = read_reply(self._raw, ended=self._closed)
        if self._over:
            self._loop.remove_reader(self._connection)
            self._changed.set()

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
