"""The one pipeline: check, queue, make safe, send, restart, verify, restore.

Transports, safe state and observer are injected, so that every step can be run without Home
Assistant. Failures end in an `InstallResult`; only a cancelled task raises, after the restore.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
import time
from typing import Any, Final

from .carry import (
    carry_through,
)
from .causes import (
    Cause,
)
from .checks import Check
from .ending import CANCELLED, GOES_BACK, cancelled_with, found_out, undone
from .evidence import judge
from .exceptions import (
    InstallRefused,
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    NotCollected,
    OtaError,
    SafeStateError,
)
from .gate import preflight
from .models import (
    Delivery,
    ImageKind,
    InstallProgress,
    InstallResult,
    InstallStage,
    Verdict,
)
from .ports import Limits, Part, Ports
from .transport import Transport

_INTERNAL: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)
_FINAL: Final = (ModuleAuthError, ModuleRejectedImage, SafeStateError)
"""The module's own no, or the equipment's: another transport must not get around it."""


class Install:
    """One run for one module: one image, or several after each other with one verdict."""

    def __init__(
        self,
        parts: Sequence[Part],
        ports: Ports,
        *,
        accepted: frozenset[Check] = frozenset(),
        limits: Limits | None = None,
        undoes: InstallResult | None = None,
    ) -> None:
        """Remember what to install, and the failure that it undoes where it goes back."""
        self._ports = ports
        self._accepted = accepted
        self._limits = limits or Limits()
        self._undoes = undoes
        self._before = ports.facts()
        self.result = CANCELLED
        """What the last round ended as; `ending` says what it was all in all."""
        self._transports = list(ports.transports)
        self._first_error: OtaError | None = None
        self._again: OtaError | None = None
        """Why the queue is entered once more after the restore."""
        self._payload_started = False
        self._files_touched = False
        self._started_at = 0.0
        self._payload_arrived = False
        self._take(parts)

    def _take(self, parts: Sequence[Part]) -> None:
        """Begin with these images; the last one is proven in the end."""
        self._parts = list(parts)
        self._last = self._parts[-1]
        self._tries = 0
        self._sent_before = 0
        self._total = sum(len(part.payload.data) for part in parts)
        self._delivered = False

    async def run(self) -> InstallResult:
        """Run every stage and return what it ended as."""
        try:
            await self._stage(InstallStage.CHECKING)
            self._check_images()
            await self._ports.safe_state.admit()
            await self._run_until_ended()
        except OtaError as err:
            self.result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        return self.ending

    @property
    def ending(self) -> InstallResult:
        """What it ended as, all in all; for who cancelled it as well."""
        result = replace(self.result, transport=self._transports[0].name)
        if self._undoes is None:
            return result
        return undone(result, self._undoes, self._last.candidate.version)

    async def _run_until_ended(self) -> None:
        """Run again for a module that did not come for its image, or with the next transport."""
        while True:
            self._again = None
            self.result = CANCELLED
            try:
                await self._run_once()
            except ModuleConnectionError as err:
                self._fall_back(err)
                continue
            if not self.goes_on:
                return

    @property
    def goes_on(self) -> bool:
        """Whether the queue is entered once more; not with equipment that was not restored."""
        return self._again is not None and self.result.restore_error is None

    async def resume(self, delivery: Delivery) -> InstallResult:
        """Carry on after the image was delivered and Home Assistant itself had died."""
        self._delivered = True
        await self._restored(lambda: self._prove(delivery, gone_at=0.0))
        return self.ending

    async def look(self) -> InstallResult:
        """Tell what became of an image that was on its way when Home Assistant died.

        Nothing is sent, and the equipment is not touched any more.
        """
        self.result = found_out(await self._prove(Delivery.UNCONFIRMED, gone_at=0.0))
        return self.ending

    async def _stage(self, stage: InstallStage) -> None:
        await self._ports.on_stage(stage)
        self._ports.on_progress(
            InstallProgress(stage=stage, sent=self._sent_before, total=self._total)
        )

    async def _run_once(self) -> None:
        """Wait for the turn and go through with the first transport that can begin."""
        transport = self._transports[0]
        if not transport.waits:
            await self._check_module()
        await self._stage(InstallStage.QUEUED)
        await transport.wait_ready(self._parts[0].payload)
        async with self._ports.turn:
            self._check_images()
            if not transport.waits:
                await self._check_module()
            await self._ports.safe_state.admit()
            await self._make_safe_and(self._send_prove_or_go_back)

    def _fall_back(self, err: OtaError) -> None:
        """Turn to the next transport, or raise what kept the first one from beginning."""
        if self._payload_started or isinstance(err, _FINAL) or err.cause is Cause.WRONG_MODULE:
            raise err
        self._first_error = self._first_error or err
        if len(self._transports) == 1:
            raise self._first_error
        self._ports.on_fallback(self._transports.pop(0).name, err)
        self._again = self._first_error if self._transports[0].waits else None
        self._tries = 0

    def _check_images(self) -> None:
        """Compare the images with fresh facts; raises InstallRefused."""
        self._before = self._ports.facts()
        for part in self._parts:
            if not part.in_other_slot:
                preflight(part.candidate, self._before, self._accepted).raise_for_refusal()

    async def _check_module(self) -> None:
        """Ask whether it is there; raises ModuleConnectionError."""
        if not await self._ports.observer.reachable():
            facts = {"host": self._before.host, "port": self._before.port}
            unknown = ModuleConnectionError(Cause.UNREACHABLE, **facts)
            raise await self._transports[0].why_unreachable() or unknown

    async def _make_safe_and(self, work: Callable[[], Awaitable[InstallResult]]) -> None:
        await self._stage(InstallStage.MAKING_SAFE)

        async def safely() -> InstallResult:
            try:
                await self._ports.safe_state.enter()
            except SafeStateError as err:
                return InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
            return await work()

        await self._restored(safely)

    async def _restored(self, work: Callable[[], Awaitable[InstallResult]]) -> None:
        """Do the work and restore exactly once, whatever became of it."""
        self.result = _INTERNAL
        try:
            self.result = await work()
        except asyncio.CancelledError:
            self.result = self._cancelled()
            raise
        finally:
            await self._restore()

    def _cancelled(self) -> InstallResult:
        arrived = self._payload_arrived and self._parts[0] is self._last
        return cancelled_with(
            self._last.candidate.version,
            has_image=self._delivered or arrived,
            files_touched=self._files_touched,
        )

    async def _restore(self) -> None:
        try:
            await self._stage(InstallStage.RESTORING)
        finally:  # a journal that cannot be written must not keep the equipment shut off
            await self._leave()

    async def _leave(self) -> None:
        """Restore the equipment; once begun this is carried to its end, cancelled or not."""
        leaving, cancelled = await carry_through(self._ports.safe_state.leave(self.result))
        try:
            leaving.result()
        except SafeStateError as err:
            self.result = replace(self.result, restore_error=err.cause, restore_facts=err.facts)
        if cancelled:
            raise asyncio.CancelledError

    async def _send_prove_or_go_back(self) -> InstallResult:
        """Send and prove; where something else runs then, send once what ran before.

        The equipment is still safe, so that all of it is one making safe and one restore.
        """
        result = await self._send_and_prove()
        if self._undoes is not None or result.cause not in GOES_BACK:
            return result
        if not (parts := await self._ports.go_back(result)):
            return result
        self._undoes = result
        self._take(parts)
        try:
            self._check_images()
        except InstallRefused as err:
            return InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        return await self._send_and_prove()

    async def _send_and_prove(self) -> InstallResult:
        try:
            await self._stage(InstallStage.SENDING)
            delivery = None
            while delivery is None and self._again is None:
                delivery = await self._send_parts()
        except (*_FINAL, InstallRefused) as err:
            # Before the first byte this is a plain no; after it something was begun.
            verdict = Verdict.FAILED if self._payload_started else Verdict.REFUSED
            return InstallResult(verdict=verdict, cause=err.cause, facts=err.facts)
        except OtaError as err:
            return InstallResult(verdict=Verdict.FAILED, cause=err.cause, facts=err.facts)
        if delivery is None:
            assert self._again is not None
            missed = self._again
            return InstallResult(verdict=Verdict.FAILED, cause=missed.cause, facts=missed.facts)
        return await self._prove(delivery)

    async def _send_parts(self) -> Delivery | None:
        """Send what is left; None when the module is to be met again, or by another way."""
        try:
            while True:
                part = self._parts[0]
                delivery = await self._send(part)
                if part is self._last:
                    return delivery
                await self._while_safe(self._pass_restart(part, delivery))
                self._sent_before += len(part.payload.data)
                self._parts.pop(0)
                self._tries = 0
        except NotCollected as err:
            self._again = err
        except OtaError as err:
            self._fall_back(err)
        return None

    async def _send(self, part: Part) -> Delivery:
        """Send one image, again after network faults, never after a refusal."""
        transport = self._transports[0]
        tries = min(self._limits.tries, transport.tries)
        while True:
            self._confirm_safe()
            try:
                delivery = await self._while_safe(self._begin(transport, part))
            except OtaError as err:
                if isinstance(err, ModuleRejectedImage):
                    self._ports.on_refused(part.candidate.image, err.cause)
                self._tries += not isinstance(err, NotCollected)
                if not err.retryable or self._tries >= tries:
                    raise
            else:
                self._delivered = part is self._last
                if not part.in_other_slot:
                    self._ports.on_delivered(part.candidate.image, delivery)
                return delivery
            await self._while_safe(asyncio.sleep(self._limits.retry_pause))

    def _begin(self, transport: Transport, part: Part) -> Coroutine[Any, Any, Delivery]:
        if part.in_other_slot:
            return transport.switch_back(before_switch=self._before_first_byte)
        return transport.send(
            part.payload,
            before_first_byte=self._before_first_byte,
            on_progress=self._on_progress,
        )

    async def _pass_restart(self, part: Part, delivery: Delivery) -> None:
        """Wait until the module can take the next image; raises VerifyError."""
        if not self._transports[0].restarts_after(part.payload.kind):
            return
        known = part.candidate, self._before
        since = self._since(delivery)
        gone_at = await self._ports.observer.wait_gone(since, *known)
        await self._ports.observer.wait_back(gone_at, *known)

    def _before_first_byte(self) -> None:
        self._ports.check_identity()
        self._confirm_safe()
        self._payload_started = True
        self._files_touched |= self._parts[0].payload.kind is ImageKind.FILESYSTEM
        self._started_at = time.monotonic()

    def _since(self, delivery: Delivery) -> float:
        """Return from when on a restart counts.

        While a lost OK was waited for, the module may have restarted already.
        """
        return self._started_at if delivery is Delivery.UNCONFIRMED else time.monotonic()

    def _confirm_safe(self) -> None:
        if not self._ports.safe_state.holds():
            raise SafeStateError(Cause.SAFE_STATE_BROKEN)

    async def _while_safe[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run the work and cancel it as soon as the safe state breaks.

        A module that has the whole image restarts whatever we do: it is heard out.
        """
        self._payload_arrived = False
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._limits.watch_interval))[0]:
                if not self._payload_arrived:
                    self._confirm_safe()
            return task.result()
        finally:
            if task.cancel():
                await asyncio.wait({task})

    def _on_progress(self, sent: int, total: int) -> None:
        self._payload_arrived = sent >= total
        self._ports.on_progress(
            InstallProgress(
                stage=InstallStage.SENDING, sent=self._sent_before + sent, total=self._total
            )
        )

    async def _prove(self, delivery: Delivery, *, gone_at: float | None = None) -> InstallResult:
        """Wait for the restart and judge what is heard after it."""
        observer = self._ports.observer
        known = self._last.candidate, self._before
        since = self._since(delivery)
        try:
            await self._stage(InstallStage.RESTARTING)
            if gone_at is None and not self._transports[0].restarts_after(self._last.payload.kind):
                gone_at = since
            if gone_at is None:
                gone_at = await observer.wait_gone(since, *known)
            await observer.wait_back(gone_at, *known)
        except OtaError as err:
            lost = delivery is Delivery.UNCONFIRMED and err.cause is Cause.DID_NOT_RESTART
            cause = Cause.NO_RESULT if lost else err.cause
            return InstallResult(verdict=Verdict.FAILED, cause=cause, facts=err.facts)
        await self._stage(InstallStage.VERIFYING)
        sighting = await observer.wait_evidence(gone_at, *known)
        result = judge(sighting, *known)
        if result.cause is Cause.OLD_FIRMWARE_BACK and self._transports[0].waits:
            # It may never have restarted: a request tells what runs, not since when.
            result = replace(result, cause=Cause.OLD_FIRMWARE_ASKS)
        return result
