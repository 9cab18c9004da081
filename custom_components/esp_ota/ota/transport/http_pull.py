"""Pull: the module asks, and gets the image when an install of it is open.

A desk belongs to one module. Its requests come to the desk as visits and are held for a moment;
its install, if there is one, waits there for a visit, makes the equipment safe, and hands the
image to that visit or to the next. Everything else is answered "nothing new".
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import socket
import time
from typing import Final, override

from ..causes import Cause
from ..exceptions import (
    EndlessTransfer,
    ModuleConnectionError,
    NotCollected,
    OtaError,
    TransferError,
)
from ..models import Delivery, ImageKind, Payload, ProgressCallback
from ..module import PullMode, PullRequest
from ._connection import unacknowledged
from ._files_word import FilesWord
from ._longest import Pace
from .protocol import NoSwitch

_HEADERS_ONLY: Final = 12 * 1024
"""Bytes a module's TCP takes although its sketch read only the headers.

Its whole window: 5.8 kB, of a Pico 11.7 kB (`lwipopts.h` of arduino-pico).
"""
_PAUSE: Final = 1.0
"""Seconds between requests that belong to two polls; one poll may ask for files and sketch."""
_LOOK: Final = 0.05
"""Seconds between looks at whether a download goes on."""
_MODES: Final = {ImageKind.SKETCH: PullMode.SKETCH, ImageKind.FILESYSTEM: PullMode.FILESYSTEM}


@dataclass(frozen=True, kw_only=True, slots=True)
class PullLimits:
    """Seconds of the waits of a pull, and how often somebody may ask."""

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
    restart: float = 1.5
    """None boots and joins faster: who asks earlier has not restarted, and who was silent so long
    before its connection broke has."""
    again: float = 3.0
    """For a byte more to be taken, when somebody asks in the middle of a download: a module that
    has restarted takes none. Half of what its client waits for an answer."""
    pace: Pace = field(default_factory=Pace)
    requests: int = 300
    """From one address in a minute; several modules may stand behind one."""


class Download:
    """One image on its way to one visit; whoever answers HTTP reports here how it goes."""

    def __init__(
        self,
        payload: Payload,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
        *,
        host: str = "",
        limits: PullLimits | None = None,
    ) -> None:
        """Offer a payload to the module that asked last from `host`."""
        self.payload = payload
        self._limits = limits or PullLimits()
        self._moved_at = 0.0
        self._host = host
        self.proxied = False
        """Whether the request that gets it came through a proxy."""
        self.sent = 0
        """Bytes that the module's TCP stack, or the proxy's, has acknowledged."""
        self.look: Callable[[], object] = lambda: None
        """Brings `sent` up to date; whoever answers HTTP knows how."""
        self.may_be_whole = False
        """Whether the bytes that complete it were handed over, once all before them had left."""
        self._before_first_byte = before_first_byte
        self._on_progress = on_progress
        self._percent = -1
        self.ended: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(_heard)  # also where nobody waits for it any more

    def begin(self) -> bool:
        """Ask whether the first byte may leave; False ends the download."""
        if self.ended.done():
            return False
        try:
            self._before_first_byte()
        except OtaError as err:
            self._fail(err)
        if self.ended.done():
            return False
        longest = self._limits.pace.longest(len(self.payload.data))
        timer = asyncio.get_running_loop().call_later(longest, self._too_slow, longest)
        self.ended.add_done_callback(lambda _: timer.cancel())
        return True

    def _too_slow(self, seconds: float) -> None:
        """Report that the module took some all the time, and did not come to an end."""
        self.look()
        self._fail(EndlessTransfer(Cause.TOO_SLOW, **self._so_far, seconds=round(seconds)))

    def track(self, written: int, connection: socket.socket) -> bool:
        """Note what was taken of the bytes written so far; tell whether it is more than before."""
        # Response headers may still be among the unacknowledged bytes: they go first.
        sent = min(max(0, written - unacknowledged(connection)), len(self.payload.data))
        if sent <= self.sent:
            return False
        self.sent = sent
        self._moved_at = time.monotonic()
        percent = sent * 100 // len(self.payload.data)
        if percent != self._percent and not self.ended.done():
            self._percent = percent
            self._on_progress(sent, len(self.payload.data))
        return True

    def settle(self, written: int, connection: socket.socket) -> None:
        """Look a last time: either all was taken, or what was seen before stands.

        A reset drops what the kernel had not got yet, so that nothing less is certain.
        """
        if written - unacknowledged(connection) >= len(self.payload.data):
            self.track(written, connection)
            self.complete()

    def complete(self) -> None:
        """Report that all bytes were taken; what comes of them, the next request says."""
        if not self.ended.done():
            self.ended.set_result(Delivery.UNCONFIRMED)

    def stalled(self, seconds: float) -> None:
        """Report that the module took nothing for so long."""
        self._fail(self._broken(Cause.STALLED, seconds=round(seconds)))

    def lost(self) -> None:
        """Report that the connection ended early."""
        if self.sent > _HEADERS_ONLY:
            silent = time.monotonic() - self._moved_at > self._limits.restart
            self._fail(self._broken(Cause.REBOOTED if silent else Cause.CONNECTION_LOST))
        elif self.proxied:
            self._fail(self._broken(Cause.LENGTH_LOST))
        else:
            self._fail(self._broken(Cause.DOWNLOAD_DECLINED))

    def refuse(self, err: OtaError) -> None:
        """Report that what came before it was refused, so that it is not sent."""
        self._fail(err)

    async def goes_on(self) -> bool:
        """Whether it comes to its end, or takes more, although somebody asks in the middle.

        Who asks twice, or through a proxy that does, or in another's name, breaks nothing off.
        """
        self.look()
        sent, until = self.sent, time.monotonic() + self._limits.again
        while not self.ended.done() and self.sent == sent:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_LOOK)
            self.look()
        return True

    def asked_again(self) -> None:
        """Report that the module asks anew in the middle: it has restarted."""
        self._fail(self._broken(Cause.REBOOTED))

    def _broken(self, cause: Cause, **facts: object) -> TransferError:
        return TransferError(cause, **facts, **self._so_far)

    @property
    def _so_far(self) -> dict[str, object]:
        return {"host": self._host, "sent": self.sent, "total": len(self.payload.data)}

    def broken_off(self) -> None:
        """Report all of it where the module may have it: no reset catches up with that."""
        if self.may_be_whole:
            self._on_progress(len(self.payload.data), len(self.payload.data))

    def _fail(self, err: OtaError) -> None:
        if not self.ended.done():
            self.broken_off()
            self.ended.set_exception(err)


def _heard(ended: asyncio.Future[Delivery]) -> None:
    if not ended.cancelled():
        ended.exception()


class _Visit:
    """One request that waits for what it gets."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Download | None] = asyncio.get_running_loop().create_future()


class PullDesk:
    """Where one module's requests and its install meet."""

    def __init__(self, limits: PullLimits | None = None) -> None:
        """Start with nothing asked and nothing offered."""
        self.limits = limits or PullLimits()
        self._visit: _Visit | None = None
        self._wanted: PullMode | None = None
        self._download: Download | None = None
        """Offered, and not fetched yet."""
        self._given: Download | None = None
        """Fetched last."""
        self._files: FilesWord | None = None
        self._arrived = asyncio.Event()
        self._last_at: float | None = None
        self.interval: float | None = None
        """Seconds between the last two polls."""

    async def visit(self, request: PullRequest) -> Download | None:
        """Take one request; return the image it gets, None for "nothing new"."""
        self._measure_interval()
        self._judge_files(request)
        if self._wanted is not request.mode:
            return None
        if (given := self._given) is not None and not given.ended.done():
            if await given.goes_on():
                return None
            given.asked_again()
        if self._visit is not None:
            return None
        if self._download is not None:
            return self._give(self._download, request)
        self._visit = visit = _Visit()
        self._arrived.set()
        download: Download | None = None
        try:
            async with asyncio.timeout(self.limits.request):
                download = await visit.answer
        except TimeoutError:
            return None  # not safe in time; the safe state is kept, the next request gets it
        finally:
            self._visit = None
            if download is None and visit.answer.done() and not visit.answer.cancelled():
                self._download = visit.answer.result()  # this one left just then
        return self._give(download, request) if download else None

    def _give(self, download: Download, request: PullRequest) -> Download:
        self._download = None
        self._given = download
        if request.mode is PullMode.FILESYSTEM:
            self._files = FilesWord(request, download.ended)
        download.proxied = request.proxied
        return download

    def _judge_files(self, request: PullRequest) -> None:
        """Hear what the module says of its files; an image that follows them is not given then."""
        if self._files is None:
            return
        self._files.judge(request, self.limits.restart)
        if (refusal := self._files.refusal) and (next_one := self._download) is not None:
            self._download = None
            next_one.refuse(refusal)

    async def heard_of_files(self) -> None:
        """Wait for the request after files that were fetched; raises VerifyError for a no."""
        if (files := self._files) is None:
            return
        try:
            async with asyncio.timeout(self.patience):
                await files.spoke.wait()
        except TimeoutError:
            pass  # others say whether it is there at all
        if files.refusal is not None:
            raise files.refusal

    def _measure_interval(self) -> None:
        now = time.monotonic()
        if self._last_at is not None and now - self._last_at > _PAUSE:
            self.interval = now - self._last_at
        self._last_at = now

    @property
    def patience(self) -> float:
        """Seconds an offer stays open."""
        return max(self.limits.offer, (self.interval or 0.0) * self.limits.intervals)

    async def arrival(self, kind: ImageKind, timeout: float) -> bool:
        """Wait for a request for this kind of image; tell whether one came in time."""
        self._wanted = _MODES[kind]
        self._files = None
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
        if self._files is not None and self._files.refusal is not None:
            download.refuse(self._files.refusal)
        elif self._visit is not None and not self._visit.answer.done():
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
        if self._given is not None and self._given.ended.done():
            self._given = None  # its bytes are needed no more
        if self._visit is not None and not self._visit.answer.done():
            self._visit.answer.set_result(None)


class HttpPull(NoSwitch):
    """The transport of modules that ask."""

    name = "http_pull"
    waits = True
    tries = 2
    """The same image is not offered a third time: a module that cannot take it would loop."""

    def __init__(self, desk: PullDesk, *, host: str = "") -> None:
        """Meet the module at its desk; `host` is where it asked from last."""
        self._desk = desk
        self._host = host
        self._offered_at: float | None = None

    async def wait_ready(self, payload: Payload) -> None:
        """Return when the module asks; raises ModuleConnectionError when it does not in time."""
        patience = self._desk.patience
        self._offered_at = self._offered_at or time.monotonic()
        left = self._offered_at + patience - time.monotonic()
        try:
            arrived = await self._desk.arrival(payload.kind, left)
        except asyncio.CancelledError:
            self._desk.dismiss()
            raise
        if not arrived:
            self._desk.dismiss()
            raise ModuleConnectionError(Cause.NO_POLL, minutes=round(patience / 60))

    async def why_unreachable(self) -> OtaError | None:
        """Know no more: nobody asks where it is."""
        return None

    def longest(self, payload: Payload) -> float:
        """Return for how long the image lies ready, and then is on its way, at most."""
        limits = self._desk.limits
        return limits.hold + limits.pace.longest(len(payload.data))

    def restarts_after(self, kind: ImageKind) -> bool:
        """Files alone do not restart it (`if (_rebootOnUpdate && !spiffs)` in all cores)."""
        return kind is ImageKind.SKETCH

    @override
    async def confirm_files(self) -> None:
        """Wait for its next request; it says no to files by asking again."""
        await self._desk.heard_of_files()

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        """Hand the image to the request that waits, or to the next; see `Transport.send`."""
        download = Download(
            payload,
            before_first_byte,
            on_progress,
            host=self._host,
            limits=self._desk.limits,
        )
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
                download.look()
                download.broken_off()
                download.ended.cancel()
