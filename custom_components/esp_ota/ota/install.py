"""The one pipeline: check, queue, make safe, send, restart, verify, restore.

Transport, safe state and observer are injected, so that every step can be run without Home
Assistant. Failures end in an `InstallResult`; only a cancelled task raises, after the restore.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
import time
from typing import Any, Final, Protocol

from .evidence import judge
from .exceptions import (
    InstallRefused,
    ModuleAuthError,
    ModuleRejectedImage,
    OtaError,
    SafeStateError,
)
from .gate import Candidate, Check, preflight
from .models import (
    Cause,
    Delivery,
    InstallProgress,
    InstallResult,
    InstallStage,
    ModuleFacts,
    Payload,
    Sighting,
    Verdict,
)
from .transport import Transport


class SafeState(Protocol):
    """The equipment's condition in which an update may happen."""

    async def raise_if_inhibited(self) -> None:
        """Raise InstallRefused while something forbids to begin."""

    async def enter(self) -> None:
        """Bring it about and read it back; raises SafeStateError when that fails."""

    def holds(self) -> bool:
        """Whether every condition is true right now."""

    async def leave(self, result: InstallResult) -> None:
        """Restore the equipment; raises SafeStateError when that fails."""


class Observer(Protocol):
    """What is heard of the module besides the transfer itself."""

    async def reachable(self) -> bool:
        """Whether the module answers now."""

    async def wait_gone(self, since: float, candidate: Candidate, before: ModuleFacts) -> float:
        """Return when the module went; raises VerifyError when it did not."""

    async def wait_back(self, since: float, candidate: Candidate, before: ModuleFacts) -> None:
        """Return once the module is back; raises VerifyError when it does not come."""

    async def wait_evidence(
        self, since: float, candidate: Candidate, before: ModuleFacts
    ) -> Sighting | None:
        """Return the best statement heard since then, None when nothing was said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How often and how long the pipeline tries."""

    tries: int = 3
    """A second and third try help against a lost packet and a weak signal, no more do."""
    retry_pause: float = 5.0
    """Seconds; an ESP32 drops a dead connection after 4 s and only then hears us again."""
    watch_interval: float = 0.5
    """Seconds between looks at the safe state; a broken one must stop the send within 1 s."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What one install needs from outside."""

    facts: Callable[[], ModuleFacts]
    observer: Observer
    safe_state: SafeState
    transport: Transport
    turn: AbstractAsyncContextManager[Any]
    """Held from the second check to the end; the house limits how many hold it at once."""
    on_stage: Callable[[InstallStage], Awaitable[None]]
    """Awaited before a stage takes effect, so that a journal is never behind."""
    on_progress: Callable[[InstallProgress], None]


_INTERNAL: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)


class Install:
    """One run for one module."""

    def __init__(
        self,
        candidate: Candidate,
        payload: Payload,
        ports: Ports,
        *,
        accepted: frozenset[Check] = frozenset(),
        limits: Limits | None = None,
    ) -> None:
        """Remember what to install; nothing happens before `run`."""
        self._candidate = candidate
        self._payload = payload
        self._ports = ports
        self._accepted = accepted
        self._limits = limits or Limits()
        self._before = ports.facts()
        self.result = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
        """What it ended as, for who cancelled it and gets nothing returned."""
        self._payload_started = False
        self._started_at = 0.0
        self._payload_arrived = False

    async def run(self) -> InstallResult:
        """Run every stage and return what it ended as."""
        try:
            await self._stage(InstallStage.CHECKING)
            await self._check()
            await self._stage(InstallStage.QUEUED)
            async with self._ports.turn:
                await self._check()
                return await self._make_safe_and(self._send_and_prove)
        except InstallRefused as err:
            return InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)

    async def resume(self, delivery: Delivery) -> InstallResult:
        """Carry on after the image was delivered and Home Assistant itself had died."""
        return await self._restored(lambda: self._prove(delivery, gone_at=0.0))

    async def _stage(self, stage: InstallStage) -> None:
        await self._ports.on_stage(stage)
        self._ports.on_progress(InstallProgress(stage=stage, total=len(self._payload.data)))

    async def _check(self) -> None:
        """Compare the image with fresh facts; raises InstallRefused."""
        self._before = self._ports.facts()
        preflight(self._candidate, self._before, self._accepted).raise_for_refusal()
        if not await self._ports.observer.reachable():
            raise InstallRefused(Cause.UNREACHABLE, host=self._before.host, port=self._before.port)
        await self._ports.safe_state.raise_if_inhibited()

    async def _make_safe_and(self, work: Callable[[], Awaitable[InstallResult]]) -> InstallResult:
        await self._stage(InstallStage.MAKING_SAFE)

        async def safely() -> InstallResult:
            try:
                await self._ports.safe_state.enter()
            except SafeStateError as err:
                return InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
            return await work()

        return await self._restored(safely)

    async def _restored(self, work: Callable[[], Awaitable[InstallResult]]) -> InstallResult:
        """Do the work and restore exactly once, whatever became of it."""
        cancelled, self.result = self.result, _INTERNAL
        try:
            self.result = await work()
        except asyncio.CancelledError:
            self.result = cancelled
            raise
        finally:
            await self._restore()
        return self.result

    async def _restore(self) -> None:
        try:
            await self._stage(InstallStage.RESTORING)
        finally:  # a journal that cannot be written must not keep the equipment shut off
            await self._leave()

    async def _leave(self) -> None:
        """Restore the equipment; once begun this is carried to its end, cancelled or not."""
        leaving = asyncio.ensure_future(self._ports.safe_state.leave(self.result))
        cancelled = False
        while not leaving.done():
            try:
                await asyncio.wait({leaving})
            except asyncio.CancelledError:
                cancelled = True
        try:
            leaving.result()
        except SafeStateError as err:
            self.result = replace(self.result, restore_error=err.cause, restore_facts=err.facts)
        if cancelled:
            raise asyncio.CancelledError

    async def _send_and_prove(self) -> InstallResult:
        try:
            await self._stage(InstallStage.SENDING)
            delivery = await self._send()
        except (InstallRefused, ModuleAuthError, ModuleRejectedImage, SafeStateError) as err:
            # Before the first byte this is a plain no; after it something was begun.
            verdict = Verdict.FAILED if self._payload_started else Verdict.REFUSED
            return InstallResult(verdict=verdict, cause=err.cause, facts=err.facts)
        except OtaError as err:
            return InstallResult(verdict=Verdict.FAILED, cause=err.cause, facts=err.facts)
        return await self._prove(delivery)

    async def _send(self) -> Delivery:
        """Send, again after network faults, never after a refusal."""
        tries = self._limits.tries
        while True:
            self._confirm_safe()
            try:
                return await self._while_safe(self._transport_send())
            except OtaError as err:
                tries -= 1
                if not err.retryable or tries <= 0:
                    raise
            await self._while_safe(asyncio.sleep(self._limits.retry_pause))

    async def _transport_send(self) -> Delivery:
        return await self._ports.transport.send(
            self._payload,
            before_first_byte=self._before_first_byte,
            on_progress=self._on_progress,
        )

    def _before_first_byte(self) -> None:
        self._confirm_safe()
        self._payload_started = True
        self._started_at = time.monotonic()

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
        self._ports.on_progress(InstallProgress(stage=InstallStage.SENDING, sent=sent, total=total))

    async def _prove(self, delivery: Delivery, *, gone_at: float | None = None) -> InstallResult:
        """Wait for the restart and judge what is heard after it."""
        observer = self._ports.observer
        known = self._candidate, self._before
        # While a lost OK was waited for, the module may have restarted already.
        since = self._started_at if delivery is Delivery.UNCONFIRMED else time.monotonic()
        try:
            await self._stage(InstallStage.RESTARTING)
            if gone_at is None:
                gone_at = await observer.wait_gone(since, *known)
            await observer.wait_back(gone_at, *known)
        except OtaError as err:
            lost = delivery is Delivery.UNCONFIRMED and err.cause is Cause.DID_NOT_RESTART
            cause = Cause.NO_RESULT if lost else err.cause
            return InstallResult(verdict=Verdict.FAILED, cause=cause, facts=err.facts)
        await self._stage(InstallStage.VERIFYING)
        sighting = await observer.wait_evidence(gone_at, *known)
        return judge(sighting, *known)
