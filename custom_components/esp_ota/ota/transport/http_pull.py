"""Pull: the module asks, and gets the image when an install of it is open.

A desk belongs to one module. Its requests come to the desk as visits and are held for a moment;
its install, if there is one, waits there for a visit, makes the equipment safe, and hands the
image to that visit or to the next. Everything else is answered "nothing new".
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Final

from ..exceptions import InstallRefused, NotCollected, OtaError, TransferError
from ..models import Cause, Delivery, ImageKind, Payload, ProgressCallback
from ..pull_request import PullMode, PullRequest

_MODES: Final = {ImageKind.SKETCH: PullMode.SKETCH, ImageKind.FILESYSTEM: PullMode.FILESYSTEM}


@dataclass(frozen=True, kw_only=True, slots=True)
class PullLimits:
    """Seconds of the waits of a pull."""

    request: float = 5.0
    """A request is held so long; the clients of all cores give up after 8 s."""
    offer: float = 600.0
    """For the first request after Update was pressed, at least; longer for rare pollers."""
    intervals: int = 3
    """Poll intervals the offer stays open, where the module has shown one."""
    hold: float = 600.0
    """The safe state is kept so long for the request that fetches the image."""
    stall: float = 60.0
    """Without one byte drained; an ESP8266 gives up after 60 s itself."""


class Download:
    """One image on its way to one visit; whoever answers HTTP reports here how it goes."""

    def __init__(
        self,
        payload: Payload,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> None:
        """Offer a payload."""
        self.payload = payload
        self._before_first_byte = before_first_byte
        self._on_progress = on_progress
        self._percent = -1
        self.ended: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()

    def begin(self) -> bool:
        """Ask whether the first byte may leave; False ends the download."""
        try:
            self._before_first_byte()
        except OtaError as err:
            self._fail(err)
            return False
        return not self.ended.done()

    def drained(self, sent: int) -> None:
        """Report bytes that the module's TCP stack has acknowledged."""
        total = len(self.payload.data)
        if (percent := sent * 100 // total) != self._percent and not self.ended.done():
            self._percent = percent
            self._on_progress(sent, total)

    def complete(self) -> None:
        """Report that all bytes were taken; what comes of them, the next request says."""
        if not self.ended.done():
            self.ended.set_result(Delivery.UNCONFIRMED)

    def stalled(self, sent: int, seconds: float) -> None:
        """Report that the module took nothing for so long."""
        total = len(self.payload.data)
        self._fail(TransferError(Cause.STALLED, sent=sent, total=total, seconds=round(seconds)))

    def lost(self, sent: int) -> None:
        """Report that the connection ended early."""
        total = len(self.payload.data)
        self._fail(TransferError(Cause.CONNECTION_LOST, sent=sent, total=total))

    def _fail(self, err: OtaError) -> None:
        if not self.ended.done():
            self.ended.set_exception(err)


class _Visit:
    """One request that waits for what it gets."""

    def __init__(self, request: PullRequest) -> None:
        self.request = request
        self.answer: asyncio.Future[Download | None] = asyncio.get_running_loop().create_future()


class PullDesk:
    """Where one module's requests and its install meet."""

    def __init__(self, limits: PullLimits | None = None) -> None:
        """Start with nothing asked and nothing offered."""
        self.limits = limits or PullLimits()
        self._visit: _Visit | None = None
        self._wanted: PullMode | None = None
        self._download: Download | None = None
        self._arrived = asyncio.Event()
        self._last_at: float | None = None
        self.interval: float | None = None
        """Seconds between the last two requests."""

    async def visit(self, request: PullRequest) -> Download | None:
        """Take one request; return the image it gets, None for "nothing new"."""
        now = time.monotonic()
        if self._last_at is not None:
            self.interval = now - self._last_at
        self._last_at = now
        if self._wanted is not request.mode or self._visit is not None:
            return None
        if self._download is not None:
            download, self._download = self._download, None
            return download
        self._visit = visit = _Visit(request)
        self._arrived.set()
        try:
            async with asyncio.timeout(self.limits.request):
                return await visit.answer
        except TimeoutError:
            return None  # not safe in time; the safe state is kept, the next request gets it
        finally:
            self._visit = None

    @property
    def patience(self) -> float:
        """Seconds an offer stays open."""
        return max(self.limits.offer, (self.interval or 0.0) * self.limits.intervals)

    async def arrival(self, kind: ImageKind, timeout: float) -> bool:
        """Wait for a request for this kind of image; tell whether one came in time."""
        self._wanted = _MODES[kind]
        self._arrived.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def offer(self, download: Download) -> None:
        """Give an image to the request that waits, or to the next one."""
        self._wanted = _MODES[download.payload.kind]
        if self._visit is not None and not self._visit.answer.done():
            self._visit.answer.set_result(download)
        else:
            self._download = download

    def withdraw(self, download: Download) -> bool:
        """Take an image back; False when a request has it already."""
        if self._download is not download:
            return False
        self._download = None
        return True

    def dismiss(self) -> None:
        """Answer "nothing new" from now on."""
        self._wanted = None
        self._download = None
        if self._visit is not None and not self._visit.answer.done():
            self._visit.answer.set_result(None)


class HttpPull:
    """The transport of modules that ask."""

    name = "http_pull"

    def __init__(self, desk: PullDesk) -> None:
        """Meet the module at its desk."""
        self._desk = desk

    async def wait_ready(self, payload: Payload) -> None:
        """Return when the module asks; raises InstallRefused when it does not in time."""
        patience = self._desk.patience
        if not await self._desk.arrival(payload.kind, patience):
            self._desk.dismiss()
            raise InstallRefused(Cause.NO_POLL, minutes=round(patience / 60))

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        """Hand the image to the request that waits, or to the next; see `Transport.send`."""
        download = Download(payload, before_first_byte, on_progress)
        self._desk.offer(download)
        try:
            await asyncio.wait({download.ended}, timeout=self._desk.limits.hold)
            if not download.ended.done() and self._desk.withdraw(download):
                minutes = round(self._desk.limits.hold / 60)
                raise NotCollected(Cause.NOT_COLLECTED, minutes=minutes)
            return await download.ended  # on its way; the stall timer bounds it from here
        finally:
            self._desk.dismiss()
            if not download.ended.done():
                download.ended.cancel()
