"""After the send: the restart, the return, the evidence, and the probation of what runs then."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ..causes import Cause
from ..evidence import judge
from ..exceptions import OtaError
from ..models import (
    Delivery,
    ImageKind,
    InstallResult,
    InstallStage,
    ModuleFacts,
    Sighting,
    Verdict,
)
from ..preflight import Candidate
from ..transport import Transport
from .ports import Observer, Probation


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """An image that a module should run from now on."""

    candidate: Candidate
    before: ModuleFacts
    delivery: Delivery
    since: float
    """From when on a restart counts (`time.monotonic()`)."""
    gone_at: float | None = None
    """When the module went, where that is known already."""
    on_probation: bool = True
    """Whether it is new here: what ran well before needs no watching."""


class Proof:
    """Waits for what one module says after a send, and judges it."""

    def __init__(
        self,
        observer: Observer,
        on_probation: Probation,
        stage: Callable[[InstallStage], Awaitable[None]],
    ) -> None:
        """`stage` is awaited as each stage begins."""
        self._observer = observer
        self._on_probation = on_probation
        self._stage = stage
        self.has_gone = False
        """Whether the module is known to have restarted, or to be about to come back."""

    async def of(self, sent: Sent, transport: Transport) -> InstallResult:
        """Return what the module proved."""
        self.has_gone = sent.gone_at is not None
        await self._stage(InstallStage.RESTARTING)
        try:
            gone_at = await self._restarted(sent, transport)
        except OtaError as err:
            lost = sent.delivery is Delivery.UNCONFIRMED and err.cause is Cause.DID_NOT_RESTART
            cause = Cause.NO_RESULT if lost else err.cause
            return InstallResult(verdict=Verdict.FAILED, cause=cause, facts=err.facts)
        await self._stage(InstallStage.VERIFYING)
        known = sent.candidate, sent.before
        result = _judged(await self._observer.wait_evidence(gone_at, *known), sent, transport)
        if result.verdict.is_success and sent.candidate.image.kind is ImageKind.FILESYSTEM:
            try:
                await transport.confirm_files()
            except OtaError as err:
                return InstallResult(verdict=Verdict.FAILED, cause=err.cause, facts=err.facts)
        if not result.verdict.is_success or not sent.on_probation:
            return result
        try:
            said = await self._on_probation(*known)
        except OtaError as err:
            facts = {"version": sent.candidate.version} | err.facts
            return InstallResult(verdict=Verdict.FAILED, cause=err.cause, facts=facts)
        later = _judged(said, sent, transport) if said is not None else result
        return result if later.verdict.is_success else later

    async def _restarted(self, sent: Sent, transport: Transport) -> float:
        """Return when the module went, once it is back; raises VerifyError."""
        known = sent.candidate, sent.before
        gone_at = sent.gone_at
        restarts = transport.restarts_after(sent.candidate.image.kind)
        if gone_at is None and (not restarts or sent.delivery is Delivery.RESTARTED):
            gone_at = sent.since
        if gone_at is None:
            gone_at = await self._observer.wait_gone(sent.since, *known)
        self.has_gone = True
        await self._observer.wait_back(gone_at, *known)
        return gone_at


def _judged(sighting: Sighting | None, sent: Sent, transport: Transport) -> InstallResult:
    result = judge(sighting, sent.candidate, sent.before)
    if result.cause is Cause.OLD_FIRMWARE_BACK and transport.waits:
        # It may never have restarted: a request tells what runs, not since when.
        return replace(result, cause=Cause.OLD_FIRMWARE_ASKS)
    return result
