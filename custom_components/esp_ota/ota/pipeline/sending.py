"""Bringing the images of one install to the module, one after the other, by one transport."""

import asyncio
from collections.abc import Coroutine, Sequence
import time
from typing import Any, Final

from ..causes import Cause
from ..exceptions import (
    EndlessTransfer,
    InstallRefused,
    ModuleRejectedImage,
    NotCollected,
    OtaError,
    SafeStateError,
)
from ..models import Delivery, ImageKind, InstallProgress, InstallStage, ModuleFacts
from ..transport import Transport
from .ports import Limits, Part, Ports

_BROKEN_OFF: Final = {Cause.CONNECTION_LOST, Cause.REBOOTED, Cause.STALLED, Cause.TOO_SLOW}
"""Ends of a connection that say nothing of what the module has by then."""
_UNWRITTEN: Final = {
    Cause.BAD_SIZE,
    Cause.BUSY,
    Cause.DOWNLOAD_DECLINED,
    Cause.LENGTH_LOST,
    Cause.LOGIN_REQUIRED,
    Cause.NO_FILESYSTEM,
    Cause.NO_SPACE,
    Cause.PAGE_NOT_FOUND,
    Cause.PASSWORD_MISSING,
    Cause.WRONG_ORIGIN,
    Cause.WRONG_PASSWORD,
}
"""With them a module says no before it writes, though some of the image may be on its way."""
_OF_FILES: Final = {
    Cause.BAD_SIZE: Cause.NO_SPACE_FILES,
    Cause.NO_CALLBACK_OR_TOO_LARGE: Cause.NO_CALLBACK_FILES,
    Cause.NO_SPACE: Cause.NO_SPACE_FILES,
}
"""What is said of a sketch's size is no help with files."""


def _is_files(part: Part) -> bool:
    return part.payload.kind is ImageKind.FILESYSTEM


class Sending:
    """What of an install has left, and what has not; the last image is the one to prove."""

    def __init__(self, parts: Sequence[Part], ports: Ports, limits: Limits) -> None:
        """Take the images in their order; nothing is sent yet."""
        self._ports = ports
        self._limits = limits
        self.parts = list(parts)
        """Those that the module does not have yet."""
        self.last = self.parts[-1]
        self.payload_started = False
        """Whether a byte of any image has left."""
        self.files_touched = False
        """Whether a file system image was begun, so that the files are not what they were."""
        self.files_incomplete = False
        """Whether some of a file system image may be written, and not all of it."""
        self.was_stopped = False
        """Whether the safe state broke when all of an image was on its way."""
        self._delivered = False
        self._arrived = False
        self._began = False
        """Whether a byte of this try has left."""
        self._started_at = 0.0
        self._tries = 0
        self._sent = 0
        """Bytes of this image that the module took in this try."""
        self._sent_before = 0
        self._total = sum(len(part.payload.data) for part in parts)

    def progress(self, stage: InstallStage, sent: int = 0) -> InstallProgress:
        """Return what the card shows."""
        return InstallProgress(stage=stage, sent=self._sent_before + sent, total=self._total)

    @property
    def has_image(self) -> bool:
        """Whether the module may have all of the last image."""
        return self._delivered or (self._arrived and self.parts[0] is self.last)

    def was_delivered(self, since: float) -> None:
        """Take that it was all sent, by a Home Assistant that died or before it was put aside."""
        self._delivered, self._started_at = True, since

    def since(self, delivery: Delivery) -> float:
        """Return from when on a restart counts.

        While a lost OK was waited for, the module may have restarted already.
        """
        return time.monotonic() if delivery is Delivery.ACCEPTED else self._started_at

    def begin_anew(self) -> None:
        """Count tries from the beginning: another transport sends."""
        self._tries = 0

    async def run(self, transport: Transport, before: ModuleFacts) -> Delivery:
        """Send what is left; raises the OtaError that keeps it from going on."""
        while True:
            part = self.parts[0]
            delivery = await self._send(part, transport)
            if part is self.last:
                return delivery
            await self._while_safe(self._pass_restart(part, transport, before, delivery))
            self._sent_before += len(part.payload.data)
            self.parts.pop(0)
            self._tries = 0

    async def _send(self, part: Part, transport: Transport) -> Delivery:
        """Send one image, again after network faults, never after a refusal."""
        tries = min(self._limits.tries, transport.tries)
        while True:
            self._confirm_safe()
            self._began = False
            try:
                delivery = await self._while_safe(self._bounded(part, transport))
            except OtaError as err:
                self._note_files(part, err)
                if self._arrived and (isinstance(err, SafeStateError) or err.cause in _BROKEN_OFF):
                    self.was_stopped = isinstance(err, SafeStateError)
                    return self._heard_out(part)
                err.cause = _OF_FILES.get(err.cause, err.cause) if _is_files(part) else err.cause
                if isinstance(err, ModuleRejectedImage):
                    self._ports.on_refused(part.candidate.image, err.cause)
                self._tries += not isinstance(err, NotCollected)
                if not err.retryable or self._tries >= tries:
                    raise
            else:
                self.files_incomplete &= not _is_files(part)
                self._delivered = part is self.last
                return delivery
            await self._while_safe(asyncio.sleep(self._limits.retry_pause))

    def _note_files(self, part: Part, err: OtaError) -> None:
        """Remember that files were written in part, unless the module did not begin to write."""
        if self._began and _is_files(part) and err.cause not in _UNWRITTEN:
            self.files_incomplete = True

    def _heard_out(self, part: Part) -> Delivery:
        """Take an image that may be complete for sent, whatever ended it: the module tells."""
        self._ports.on_delivered(part.candidate.image, Delivery.UNCONFIRMED)
        self._delivered = part is self.last
        return Delivery.UNCONFIRMED

    async def _bounded(self, part: Part, transport: Transport) -> Delivery:
        """Send one image, but not for ever: raises EndlessTransfer when its time is over."""
        seconds = transport.longest(part.payload)
        self._sent = 0
        timeout = asyncio.timeout(seconds)
        try:
            async with timeout:
                return await self._switch_or_send(part, transport)
        except TimeoutError as err:
            if not timeout.expired():
                raise
            facts = {"sent": self._sent, "total": len(part.payload.data)}
            raise EndlessTransfer(Cause.TOO_SLOW, seconds=round(seconds), **facts) from err

    async def _switch_or_send(self, part: Part, transport: Transport) -> Delivery:
        """Start what the module has already, where it can; send it else."""
        if part.in_other_slot:
            try:
                return await transport.switch_back(before_switch=self._before_switch)
            except InstallRefused as err:
                self._arrived = False
                if err.cause is not Cause.NO_OTHER_SLOT or not part.payload.data:
                    raise
        delivery = await transport.send(
            part.payload,
            before_first_byte=self._before_first_byte,
            on_progress=self._on_progress,
        )
        self._ports.on_delivered(part.candidate.image, delivery)
        return delivery

    async def _pass_restart(
        self, part: Part, transport: Transport, before: ModuleFacts, delivery: Delivery
    ) -> None:
        """Wait until the module can take the next image; raises VerifyError."""
        if not transport.restarts_after(part.payload.kind):
            return
        known = part.candidate, before
        gone_at = self.since(delivery)
        if delivery is not Delivery.RESTARTED:
            gone_at = await self._ports.observer.wait_gone(gone_at, *known)
        await self._ports.observer.wait_back(gone_at, *known)

    def _before_first_byte(self) -> None:
        self._confirm_safe()
        self.payload_started = self._began = True
        self.files_touched |= self.parts[0].payload.kind is ImageKind.FILESYSTEM
        self._started_at = time.monotonic()

    def _before_switch(self) -> None:
        self._before_first_byte()
        self._arrived = True  # one request, and nothing of it can be taken back

    def _confirm_safe(self) -> None:
        if not self._ports.safe_state.holds():
            raise SafeStateError(Cause.SAFE_STATE_BROKEN)

    async def _while_safe[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run the work and cancel it as soon as the safe state breaks.

        A module that has the whole image restarts whatever we do: it is heard out.
        """
        self._arrived = False
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._limits.watch_interval))[0]:
                if not self._arrived:
                    self._confirm_safe()
            return task.result()
        finally:
            if task.cancel():
                await asyncio.wait({task})

    def _on_progress(self, sent: int, total: int) -> None:
        self._sent = sent
        self._arrived = sent >= total
        self._ports.on_progress(self.progress(InstallStage.SENDING, sent))
