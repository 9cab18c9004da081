"""The one pipeline: check, queue, make safe, send, restart, verify, restore.

Transports, safe state and observer are injected, so that every step can be run without Home
Assistant. Failures end in an `InstallResult`; only a cancelled task raises, after the restore.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, override

from ..causes import Cause
from ..exceptions import (
    InstallRefused,
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    NotCollected,
    OtaError,
    SafeStateError,
)
from ..models import Delivery, InstallResult, InstallStage, Verdict
from ..preflight import Candidate, Check, ask_gate
from .ports import Limits, Part, Ports, SafeState
from .proof import Proof, Sent
from .restoring import Restoring
from .sending import Sending
from .verdicts import CANCELLED, FILES_REFUSED, cancelled_with, found_out, goes_back, undone

_FINAL: Final = (ModuleAuthError, ModuleRejectedImage, SafeStateError)
"""The module's own no, or the equipment's: another transport must not get around it."""
_CAN_WAIT: Final = {InstallStage.QUEUED, InstallStage.RESTARTING, InstallStage.VERIFYING}
"""In them nothing is done but waiting: somebody else can go on with it, the equipment as it is."""

_WHO: Final = {Cause.WRONG_MODULE, Cause.SAME_NAME, Cause.MODULE_MOVED}
"""Who it is stays in doubt on every way."""


class Pipeline(Restoring):
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
        self.undoes = undoes
        """The failure because of which what ran before is put back, where it is."""
        self._before = ports.facts()
        self._proof = Proof(ports.observer, ports.on_probation, self._stage)
        self.stage = InstallStage.CHECKING
        """Where it stands."""
        self._gone_at: float | None = None
        self.result = CANCELLED
        """What the last round ended as; `ending` says what it was all in all."""
        self._transports = list(ports.transports)
        self._first_error: OtaError | None = None
        self._again: OtaError | None = None
        """Why the queue is entered once more after the restore."""
        self._sending = Sending(parts, ports, self._limits)

    @property
    def files_touched(self) -> bool:
        """Whether files of the module are not what they were."""
        return self._sending.files_touched

    @property
    def has_gone(self) -> bool:
        """Whether the module was seen to go: it has only to come back."""
        return self._proof.has_gone

    @property
    def has_image(self) -> bool:
        """Whether the module may have all of a sketch, be it of what ran before."""
        goes_back = self.undoes is not None and self.undoes.cause is not None
        return self._sending.has_image or goes_back

    @property
    def _wanted(self) -> Candidate:
        """What the module runs if all goes well."""
        return self._sending.last.candidate

    async def run(self) -> InstallResult:
        """Run every stage and return what it ended as."""
        return await self._told(self._from_the_beginning())

    async def _from_the_beginning(self) -> None:
        await self._stage(InstallStage.CHECKING)
        self._check_images()
        try:
            await self._ports.safe_state.admit()
        except InstallRefused as err:
            if not self._ports.turn.may_wait(err):
                raise
        await self._run_until_ended()

    async def _told(self, work: Coroutine[Any, Any, None]) -> InstallResult:
        """Do the work; what keeps it from beginning is a refusal."""
        try:
            await work
        except OtaError as err:
            self.result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        return self.ending

    @property
    @override
    def ending(self) -> InstallResult:
        """What it ended as, all in all; for who cancelled it as well."""
        incomplete = self._sending.files_incomplete or self.result.cause in FILES_REFUSED
        failed = self.result.verdict in {Verdict.FAILED, Verdict.REFUSED}
        result = replace(
            self.result,
            transport=self._transports[0].name,
            files_incomplete=incomplete and failed,
        )
        if self.undoes is None:
            return result
        return undone(result, self.undoes, self._wanted.version)

    async def _run_until_ended(self) -> None:
        """Run again for a module that did not come for its image, or with the next transport."""
        while True:
            self._again = None
            self.result = CANCELLED
            try:
                await self._run_once()
            except (ModuleConnectionError, InstallRefused) as err:
                await self._or_later(err)
                continue
            if not self.goes_on:
                return
            await self._rest()

    async def _rest(self) -> None:
        """Wait for a better time before another round, where the network ended this one."""
        if self._again is not None and self._ports.turn.may_wait(self._again):
            await self._wait_for_better(self._again)

    async def _or_later(self, err: OtaError) -> None:
        """Turn to the next way, or wait for a better time; raises what nothing helps against."""
        if isinstance(err, ModuleConnectionError):
            try:
                self._fall_back(err)
            except ModuleConnectionError as first:
                err = first
            else:
                return
        if self._sending.payload_started or not self._ports.turn.may_wait(err):
            raise err
        await self._wait_for_better(err)

    async def _wait_for_better(self, err: OtaError) -> None:
        """Wait until it may be tried again, by whatever way; raises what took too long."""
        self.result = CANCELLED  # for whoever is taken out of the queue
        if self.stage is not InstallStage.QUEUED:
            await self._stage(InstallStage.QUEUED)
        await self._ports.turn.better_time(err)
        self._transports = list(self._ports.transports)
        self._first_error = None
        self._sending.begin_anew()

    @property
    def goes_on(self) -> bool:
        """Whether the queue is entered once more; not with equipment that was not restored."""
        return self._again is not None and self.result.restore_error is None

    async def resume(self, since: float = 0.0, *, had_gone: bool = True) -> InstallResult:
        """Carry on after the image was delivered and Home Assistant itself had died.

        Or it was put aside: what was heard before `since` (`time.monotonic()`) then counts no more,
        and a module that `had_gone` has only to come back.
        """
        self._gone_at = since if had_gone else None
        self._proof.has_gone = self._gone_at is not None
        self._sending.was_delivered(since)
        self.stage = InstallStage.RESTARTING
        await self._restored(self._resumed)
        return await self._told(self._run_until_ended()) if self.goes_on else self.ending

    async def _resumed(self) -> InstallResult:
        with suppress(SafeStateError):  # then nothing is sent, but what runs is still found out
            await self._ports.safe_state.take_over()
        async with self._ports.turn:
            return await self._or_go_back(self._prove(Delivery.UNCONFIRMED, self._gone_at))

    async def look(self) -> InstallResult:
        """Tell what became of an image that was on its way when Home Assistant died.

        Nothing is sent, and the equipment is not touched any more.
        """
        self.result = found_out(await self._prove(Delivery.UNCONFIRMED, 0.0), self._before)
        return self.ending

    @property
    @override
    def is_put_aside(self) -> bool:
        """Whether it ended in the middle, with the equipment as it is, for `resume` or `run`."""
        return self._may_be_put_aside and self.stage in _CAN_WAIT

    @property
    @override
    def _safe_state(self) -> SafeState:
        return self._ports.safe_state

    @property
    @override
    def _is_met_again(self) -> bool:
        return self._again is not None

    @override
    async def _stage(self, stage: InstallStage) -> None:
        self.stage = stage
        await self._ports.on_stage(stage)
        self._ports.on_progress(self._sending.progress(stage))

    async def _run_once(self) -> None:
        """Wait for the turn and go through with the first transport that can begin."""
        transport = self._transports[0]
        if not transport.waits:
            await self._check_module()
        await self._stage(InstallStage.QUEUED)
        await transport.wait_ready(self._sending.parts[0].payload)
        await self._ports.turn.up()
        async with self._ports.safe_state.alone(), self._ports.turn:
            self._check_images()
            if not transport.waits:
                await self._check_module()
            await self._ports.confirm()
            await self._ports.safe_state.admit()
            await self._make_safe_and(lambda: self._or_go_back(self._send_and_prove()))

    def _fall_back(self, err: OtaError) -> None:
        """Turn to the next transport, or raise what kept the first one from beginning."""
        if self._sending.payload_started or isinstance(err, _FINAL) or err.cause in _WHO:
            raise err
        self._first_error = self._first_error or err
        if len(self._transports) == 1:
            raise self._first_error
        self._ports.on_fallback(self._transports.pop(0).name, err)
        self._again = self._first_error if self._transports[0].waits else None
        self._sending.begin_anew()

    def _check_images(self) -> None:
        """Compare the images with fresh facts; raises InstallRefused."""
        self._before = self._ports.facts()
        for part in self._sending.parts:
            if part.payload.data or not part.in_other_slot:
                candidate = self._ports.renewed(part.candidate)
                ask_gate(candidate, self._before, self._accepted).raise_for_refusal()

    async def _check_module(self) -> None:
        """Ask whether it is there; raises ModuleConnectionError, or InstallRefused for another."""
        await self._ports.find_module()
        if not await self._ports.observer.reachable():
            here = self._ports.facts()
            facts = {"host": here.host, "port": here.port}
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

    @override
    async def _cancelled(self) -> InstallResult:
        return cancelled_with(
            self._wanted.version,
            has_image=self._sending.has_image,
            files_touched=self.files_touched,
        )

    async def _or_go_back(self, work: Awaitable[InstallResult]) -> InstallResult:
        """Return what the work proves; where something else runs, send once what ran before.

        The equipment is still safe, so that all of it is one making safe and one restore.
        """
        result = await work
        if self.undoes is not None or not goes_back(result, files_touched=self.files_touched):
            return result
        if not (parts := await self._ports.go_back(result)):
            return result
        self.undoes = result
        self._sending = Sending(parts, self._ports, self._limits)
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
                delivery = await self._send()
        except (*_FINAL, InstallRefused) as err:
            # Before the first byte this is a plain no; after it something was begun.
            verdict = Verdict.FAILED if self._sending.payload_started else Verdict.REFUSED
            return InstallResult(verdict=verdict, cause=err.cause, facts=err.facts)
        except OtaError as err:
            return InstallResult(verdict=Verdict.FAILED, cause=err.cause, facts=err.facts)
        if delivery is None:
            assert self._again is not None
            missed = self._again
            return InstallResult(verdict=Verdict.FAILED, cause=missed.cause, facts=missed.facts)
        result = await self._prove(delivery)
        if self._sending.was_stopped and result.cause is Cause.NO_RESULT:
            return InstallResult(verdict=Verdict.FAILED, cause=Cause.SAFE_STATE_BROKEN)
        return result

    async def _send(self) -> Delivery | None:
        """Send what is left; None when the module is to be met again, or by another way."""
        try:
            return await self._sending.run(self._transports[0], self._before)
        except NotCollected as err:
            self._again = err
        except OtaError as err:
            try:
                self._fall_back(err)
            except ModuleConnectionError as first:
                if self._sending.payload_started or not self._ports.turn.may_wait(first):
                    raise
                self._again = first
        return None

    async def _prove(self, delivery: Delivery, gone_at: float | None = None) -> InstallResult:
        """Wait for the restart and judge what is heard after it."""
        sent = Sent(
            candidate=self._wanted,
            before=self._before,
            delivery=delivery,
            since=self._sending.since(delivery),
            gone_at=gone_at,
            on_probation=self.undoes is None,
        )
        return await self._proof.of(sent, self._transports[0])
