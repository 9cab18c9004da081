"""Pull: the module asks, and gets the image when an install of it is open.

A desk belongs to one module. Its requests come to the desk as visits and are held for a moment;
its install, if there is one, waits there for a visit, makes the equipment safe, and hands the
image to that visit or to the next. Everything else is answered "nothing new".
"""

import asyncio
from collections.abc import Callable
import time
from typing import Final, override

from ..causes import Cause
from ..exceptions import (
    ModuleConnectionError,
    NotCollected,
    OtaError,
)
from ..models import Delivery, ImageKind, Payload, ProgressCallback
from ..module import Bell, PullMode, PullRequest, Rhythm
from ._download import Download, PullLimits
from ._files_word import FilesWord
from .protocol import NoSwitch

_MODES: Final = {ImageKind.SKETCH: PullMode.SKETCH, ImageKind.FILESYSTEM: PullMode.FILESYSTEM}


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
        self._arrived = Bell()
        self.rhythm = Rhythm(self.limits.burst)
        """How often it asks; told of each request before its visit."""

    def may_have(self, request: PullRequest) -> bool:
        """Whether there may be something for a request, or it answers what was asked of files."""
        return self._wanted is request.mode or self._files is not None

    async def visit(self, request: PullRequest) -> Download | None:
        """Take one request; return the image it gets, None for "nothing new"."""
        if self._files is not None:
            self._judge_files(self._files, request)
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
        self._arrived.ring()
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

    def _judge_files(self, files: FilesWord, request: PullRequest) -> None:
        """Hear what the module says of its files; an image that follows them is not given then."""
        files.judge(request, self.limits.restart)
        if (refusal := files.refusal) and (next_one := self._download) is not None:
            self._download = None
            next_one.refuse(refusal)

    async def heard_of_files(self) -> None:
        """Wait for the request after files that were fetched; raises VerifyError for a no."""
        if (files := self._files) is None:
            return
        try:
            left = files.ended_at + self.patience_after - time.monotonic()
            async with asyncio.timeout(max(0.0, left)):
                await files.spoke.wait()
        except TimeoutError:
            pass  # others say whether it is there at all
        if files.refusal is not None:
            raise files.refusal

    @property
    def patience(self) -> float:
        """Seconds an offer stays open."""
        return max(self.limits.offer, (self.rhythm.longest or 0.0) * self.limits.intervals)

    @property
    def patience_after(self) -> float:
        """Seconds in which its next request may come after a download."""
        return min(self.patience, self.limits.after)

    async def arrival(self, kind: ImageKind, timeout: float) -> bool:
        """Wait for a request for this kind of image; tell whether one came in time."""
        self._wanted = _MODES[kind]
        self._files = None
        return await self._arrived.wait(timeout)

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
            self._offered_at = None  # whoever waits on does so for as long again
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
