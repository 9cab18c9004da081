"""One update of a guest: check, queue, make safe, have it updated, wait for its proof, restore.

The same promises as `Pipeline`, around a call of another integration that nobody can take back:
it is made once, and never again after a crash.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, override

from ..causes import Cause
from ..details import Detail
from ..exceptions import InstallRefused, ModuleConnectionError, OtaError, SafeStateError
from ..models import InstallResult, InstallStage, Verdict
from ..pipeline import Restoring, SafeState, Turn
from .proof import GuestLimits, GuestState, Vigil, has_version, keeps_from, proves

_CANCELLED: Final = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
_CAN_WAIT: Final = {InstallStage.QUEUED, InstallStage.SENDING, InstallStage.VERIFYING}
"""In them nothing is done but waiting: another life can go on with it, the equipment as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestPorts:
    """What one update of a guest needs from outside."""

    state: Callable[[], GuestState]
    any_version: Callable[[], bool]
    """Returns whether a version can be named to its integration."""
    confirm: Callable[[], None]
    """Raises InstallRefused for a guest that is not to be updated as one."""
    install: Callable[[], Coroutine[Any, Any, None]]
    """Has its integration install; raises InstallRefused for what it would not begin, OtaError for
    what went wrong."""
    look: Callable[[], Awaitable[None]]
    """Returns when something may have changed, or after a few seconds."""
    safe_state: SafeState
    turn: Turn
    on_stage: Callable[[InstallStage], Awaitable[None]]
    """Awaited before a stage takes effect; raises OtaError for one that must not begin."""
    now: Callable[[], float]
    """Seconds by a clock that does not jump."""


@dataclass(kw_only=True)
class GuestStep(Restoring):
    """One run for one guest; failures end in a result, only a cancelled task raises."""

    ports: GuestPorts
    wanted: str
    before: str | None
    limits: GuestLimits = field(default_factory=GuestLimits)
    stage: InstallStage = InstallStage.CHECKING
    result: InstallResult = _CANCELLED
    _call: asyncio.Task[None] | None = None
    _was_called: bool = False
    """Whether its integration may have been told."""

    @property
    @override
    def is_put_aside(self) -> bool:
        """Whether it ended in the middle, with the equipment as it is."""
        waits = self.stage is InstallStage.QUEUED or self._was_called
        return self._may_be_put_aside and waits and self.stage in _CAN_WAIT

    async def run(self) -> InstallResult:
        """Run every stage and return what it ended as."""
        try:
            self._check()
            try:
                await self.ports.safe_state.admit()
            except InstallRefused as err:
                if not self.ports.turn.may_wait(err):
                    raise
            await self._until_begun()
        except OtaError as err:
            self.result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        return self.result

    async def resume(self) -> InstallResult:
        """Wait for the proof of what was called before a crash; nothing is called again."""
        self._was_called = True
        self.stage = InstallStage.VERIFYING
        await self._restored(self._resumed)
        return self.result

    async def _resumed(self) -> InstallResult:
        with suppress(SafeStateError):  # what runs is still found out
            await self.ports.safe_state.take_over()
        async with self.ports.turn:
            return await self._prove()

    def _check(self) -> None:
        """Raise OtaError for what keeps it from beginning now."""
        self.ports.confirm()
        state = self.ports.state()
        if (
            err := keeps_from(state, self.wanted, any_version=self.ports.any_version())
        ) is not None:
            raise err

    @property
    def _has_it(self) -> bool:
        installed = self.ports.state().installed
        return installed is not None and has_version(installed, self.wanted)

    @property
    @override
    def _safe_state(self) -> SafeState:
        return self.ports.safe_state

    @override
    async def _stage(self, stage: InstallStage) -> None:
        self.stage = stage
        await self.ports.on_stage(stage)

    async def _until_begun(self) -> None:
        """Try again at a better time, as long as nothing was done."""
        while True:
            try:
                return await self._run_once()
            except (ModuleConnectionError, InstallRefused) as err:
                if not self.ports.turn.may_wait(err):
                    raise
                if self.stage is not InstallStage.QUEUED:
                    await self._stage(InstallStage.QUEUED)
                await self.ports.turn.better_time(err)

    async def _run_once(self) -> None:
        ports = self.ports
        self._check()
        await self._stage(InstallStage.QUEUED)
        await ports.turn.up()
        async with ports.safe_state.alone(), ports.turn:
            self._check()
            if self._has_it:  # somebody else was faster
                self.result = InstallResult(verdict=Verdict.VERIFIED, version=self.wanted)
                return
            await ports.safe_state.admit()
            await self._stage(InstallStage.MAKING_SAFE)
            await self._restored(self._safely)

    async def _safely(self) -> InstallResult:
        safe_state = self.ports.safe_state
        try:
            await safe_state.enter()
            self._check()
            await self._stage(InstallStage.SENDING)
            if not safe_state.holds():
                raise SafeStateError(Cause.SAFE_STATE_BROKEN)
        except OtaError as err:
            return InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        self._was_called = True
        self._call = asyncio.ensure_future(self.ports.install())
        return await self._prove()

    async def _prove(self) -> InstallResult:
        """Wait until it is proven, or there is nothing left to wait for."""
        ports, error = self.ports, None
        vigil = Vigil(limits=self.limits, began=ports.now())
        while True:
            if self._call is not None and self._call.done():
                error, self._call = _error_of(self._call), None
                if isinstance(error, InstallRefused):
                    self._was_called = False
                    return InstallResult(
                        verdict=Verdict.REFUSED, cause=error.cause, facts=error.facts
                    )
                vigil.has_failed = error is not None
                await self._stage(InstallStage.VERIFYING)
            said = ports.state()
            state = replace(said, in_progress=said.in_progress or self._call is not None)
            if proves(state, self.wanted, self.before):
                return self._proven(state)
            if vigil.is_over(state, ports.now()):
                if proves(said, self.wanted, self.before):  # and the call has never ended
                    return self._proven(said)
                return self._unproven(said, state, error, ports.now() - vigil.began)
            await self._look()

    async def _look(self) -> None:
        """Return when something may have changed; the end of the call is such a thing."""
        looking = asyncio.create_task(self._looked(), eager_start=True)
        ends = {looking} if self._call is None else {looking, self._call}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            looking.cancel()

    async def _looked(self) -> None:
        await self.ports.look()

    def _proven(self, state: GuestState) -> InstallResult:
        return InstallResult(verdict=Verdict.VERIFIED, version=state.installed)

    def _unproven(
        self, said: GuestState, state: GuestState, error: OtaError | None, seconds: float
    ) -> InstallResult:
        """Return why there is no proof, by what was said last."""
        verdict, cause = Verdict.FAILED, Cause.GUEST_OTHER_VERSION
        facts = {
            "version": self.wanted,
            "installed": said.installed or "?",
            "seconds": str(round(seconds)),
        }
        if not said.is_there:
            cause = Cause.GUEST_GONE
        elif not said.is_available:
            cause = Cause.DID_NOT_COME_BACK
        elif state.in_progress:
            cause = Cause.GUEST_TOO_SLOW
        elif error is not None:
            cause, facts = error.cause, facts | error.facts
        elif said.installed == self.before:
            verdict, cause = Verdict.UNCHANGED, Cause.GUEST_UNCHANGED
        return InstallResult(verdict=verdict, cause=cause, facts=facts)

    @override
    async def _cancelled(self) -> InstallResult:
        if not self._was_called:
            return _CANCELLED
        await self._until_at_rest()
        facts = {"version": self.wanted}
        return replace(_CANCELLED, cause=Cause.GUEST_CANCELLED_LATE, facts=facts)

    async def _until_at_rest(self) -> None:
        """Keep the equipment safe while what nobody can take back goes on, unless put aside.

        It is to restart yet: a valve that was opened because of a cancelling would be open then.
        """
        while not self.is_put_aside:
            with suppress(asyncio.CancelledError):  # who presses again changes nothing
                await self._at_rest()
                return

    async def _at_rest(self) -> None:
        """Return once it is proven, or nothing has run on it for a while."""
        vigil = Vigil(limits=self.limits, began=self.ports.now(), has_failed=True)
        while True:
            if self._call is not None and self._call.done():
                _error_of(self._call)
                self._call = None
            said = self.ports.state()
            state = replace(said, in_progress=said.in_progress or self._call is not None)
            if proves(state, self.wanted, self.before) or vigil.is_over(state, self.ports.now()):
                return
            await self._look()


def _error_of(call: asyncio.Task[None]) -> OtaError | None:
    """Return what a call has ended with."""
    if call.cancelled():
        return OtaError(Cause.GUEST_FAILED, detail=Detail.CALL_ENDED)
    err = call.exception()
    if err is None or isinstance(err, OtaError):
        return err
    return OtaError(Cause.GUEST_FAILED, detail=str(err) or type(err).__name__)
