"""One HTTP request and its reply over one connection."""

import asyncio
from dataclasses import dataclass
import socket
from types import TracebackType
from typing import Self, override

from ..exceptions import TransferError
from ..models import ProgressCallback
from ._callback import reset
from ._connection import LAST_OF_IMAGE, ImageConnection, TransferLimits, unacknowledged
from ._http import REPLY_LIMIT, Reply, after_interim, read_reply


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadLimits(TransferLimits):
    """Seconds of an upload."""

    connect: float = 10.0
    """A module that is there answers at once; lost packets are repeated after 1, 3 and 7 s."""
    answer: float = 20.0
    """For a page; a sketch may keep its main loop busy for long."""
    rest: float = 3.0
    """For more of a reply that has begun; longer than a lost segment takes to be repeated."""


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
    """Every byte left this machine's hands, so that the module may have them all."""
    sent: int
    """Bytes of the image that were."""
    restarted: bool
    """The module reset the connection out of a silence, as a stack that has just booted does."""


class Exchange(ImageConnection):
    """Speaks over one connected, non-blocking socket, and closes it.

    A reset ends what is not at its end: that frees the module at once.
    """

    _limits: UploadLimits

    def __init__(self, connection: socket.socket, limits: UploadLimits) -> None:
        super().__init__(connection, limits)
        self._raw = b""
        self._reply: Reply | None = None

    async def __aenter__(self) -> Self:
        """Listen to what the module says from now on."""
        self._listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close, by a reset if anything went wrong or is still on its way."""
        if isinstance(error, (asyncio.CancelledError, TransferError)):
            self._broken_off()
        self._leave()
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
            await self._wait(self._limits.poll)
        return self._last_reply()

    async def upload(self, upload: Upload, on_progress: ProgressCallback) -> Outcome:
        """Send an image and hear the answer; raises TransferError when it stalls."""
        begin = len(upload.before)
        self._report_to(on_progress, range(begin, begin + len(upload.image)))
        image, last = upload.image, upload.behind
        if not last:
            image, last = image[:-LAST_OF_IMAGE], image[-LAST_OF_IMAGE:]
        for piece in (upload.before, image):
            await self._hand(piece)
        await self._hand_last(last)
        await self._wait_for_answer()
        self._track()
        return Outcome(
            reply=self._last_reply(),
            handed=self._may_be_whole,
            sent=self._sent,
            restarted=self._restarted and not self._raw,
        )

    @property
    @override
    def _over(self) -> bool:
        """Whether nothing is left to wait for: the reply is whole, or the module is gone."""
        return self._closed or self._reply is not None

    @override
    def _hear(self, data: bytes) -> None:
        self._raw = after_interim(self._raw + data)
        if len(self._raw) >= REPLY_LIMIT:
            self._closed = True
            self._leave()
        if self._raw:
            self._reply = read_reply(self._raw, ended=self._closed)

    def _last_reply(self) -> Reply | None:
        return self._reply or (read_reply(self._raw, ended=True) if self._raw else None)

    @override
    async def _wait(self, timeout: float) -> None:
        """Wait for the module to say something; a reply that it broke off ends after a while."""
        await super()._wait(timeout)
        if self._raw and self._loop.time() - self._heard_at > self._limits.rest:
            self._closed = True
