"""What is heard of one module after a send: that it went, that it is back, what it runs.

Two ways of hearing: probes we send, and sightings that others report (an mDNS announcement, a
poll). Going and coming back have a deadline each; one lost probe is not a restart.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import time
from typing import Final, override

from ..causes import Cause
from ..exceptions import VerifyError
from ..models import EvidenceSource, ModuleFacts, Sighting
from ..module import Bell, catch_up
from ..naming import same_version
from ..preflight import Candidate
from .judgement import is_proof, judge
from .statements import SAID, strongest

_KEEP: Final = 32
"""Different statements kept of each source; an install looks back over a few minutes only."""
_ITS_OWN: Final = {
    EvidenceSource.PULL_MD5,
    EvidenceSource.SHARED_PULL_MD5,
    EvidenceSource.PULL_VERSION,
    EvidenceSource.TXT,
}
"""What only a module that runs can say; a page may be kept by others, an entity is others'."""
_REQUESTS: Final = {
    EvidenceSource.PULL_MD5,
    EvidenceSource.SHARED_PULL_MD5,
    EvidenceSource.PULL_VERSION,
}
"""What nobody holds back: who asks waits for the answer."""
_ASK: Final = 1.0
"""Seconds between questions; a responder says the same no sooner again (RFC 6762, 6)."""
_STOOD_STILL: Final = 0.1
"""Seconds by which a probe ends too late that tell of a loop that stood still."""
_ANEW: Final = 2
"""Probes for one answer at most: on a machine that never rests a restart is to be heard as well."""
_LOOK: Final = 10.0
"""Seconds between looks at what can be asked while a request is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchLimits:
    """Seconds of the time after a send."""

    go: float = 60.0
    """An ESP8266 restarts 1.1 s after its `OK`; sketches may finish something first."""
    back: float = 180.0
    """Copying a large image takes eboot 15 s, joining a weak Wi-Fi a minute and more."""
    evidence: float = 30.0
    """From being back to its first mDNS announcement, which follows the DHCP lease."""
    evidence_unlikely: float = 10.0
    """The same when the module never said what it runs and the image has no marker."""
    late: float = 1.0
    """For what was said before a restart to arrive: responders hold answers back for up to 0.5 s
    (RFC 6762, 7.2), and a busy machine reads them later still."""
    again: float = 5.0
    """For the answer to one more question, where what was said speaks against the image."""
    interval: float = 0.5
    """Between probes; the shortest restart seen (ESP32, known access point) takes 1.5 s."""
    misses: int = 2
    """Probes in a row without an answer that mean "gone"."""
    silence: int = 3
    """Probes in a row without an answer that mean a restart while nobody waits for one: 1.8 s, a
    restart takes at least 1.5 s and then the Wi-Fi has to be joined."""
    quick_probe: float = 0.6
    """For an answer while watching for a restart; two misses fit into the shortest one."""
    patient_probe: float = 3.0
    """For an answer before an install: a sleeping radio wakes within 300 ms, ARP takes 1 s."""


@dataclass(slots=True)
class _Said:
    """One statement, however often a source repeats it."""

    first_at: float
    last: Sighting


class ModuleWatch:
    """Collects what is heard of one module, and waits for more."""

    def __init__(
        self,
        probe: Callable[[float], Awaitable[bool]],
        ask: Callable[[], None],
        limits: WatchLimits | None = None,
    ) -> None:
        """`probe` asks whether it is alive, within so many seconds; `ask` makes others report."""
        self._probe = probe
        self._ask = ask
        self._limits = limits or WatchLimits()
        self._said: dict[EvidenceSource, deque[_Said]] = {}
        self._heard = Bell()
        self._left_at = 0.0

    def heard(self, sighting: Sighting) -> None:
        """Take a statement somebody heard from the module."""
        if (said := self._said.get(sighting.source)) is None:
            said = self._said[sighting.source] = deque(maxlen=_KEEP)
        if said and said[-1].last[SAID] == sighting[SAID]:
            said[-1].last = sighting
        else:
            said.append(_Said(first_at=sighting.at, last=sighting))
        self._heard.ring()

    def left(self) -> None:
        """Take note that the module said goodbye."""
        self._left_at = time.monotonic()
        self._heard.ring()

    async def reachable(self) -> bool:
        """Whether the module answers now; a lost packet is given a second chance."""
        patience = self._limits.patient_probe
        return await self._probe(patience) or await self._probe(patience)

    async def wait_gone(self, since: float, candidate: Candidate, before: ModuleFacts) -> float:
        """Return when the module went (`time.monotonic()`).

        A statement that proves the new image counts, however short the absence was. Raises
        VerifyError when the module was there all the time.
        """
        deadline = time.monotonic() + self._limits.go
        while not (gone_at := await self._gone(since)):
            if self._proof(since, candidate, before):
                return since
            if time.monotonic() > deadline:
                raise VerifyError(Cause.DID_NOT_RESTART, seconds=round(self._limits.go))
            await self._wait(self._limits.interval)
        return gone_at

    async def wait_back(self, since: float, candidate: Candidate, before: ModuleFacts) -> None:
        """Return once the module answers again, or says that it runs the new image.

        Raises VerifyError when it does not come back in time.
        """
        deadline = time.monotonic() + self._limits.back
        while not self._proof(since, candidate, before):
            if await self._probe(self._limits.patient_probe):
                return
            if time.monotonic() > deadline:
                raise VerifyError(Cause.DID_NOT_COME_BACK, seconds=round(self._limits.back))
            await self._wait(self._limits.interval)

    async def wait_evidence(
        self, since: float, candidate: Candidate, before: ModuleFacts
    ) -> Sighting | None:
        """Return a statement that proves the image, else the last one before the time is up.

        What speaks against the image is asked for once more before it is returned.
        """
        await catch_up()
        began = time.monotonic()
        deadline = began + self._evidence_limit(candidate, before)
        while (left := deadline - time.monotonic()) > 0:
            if proof := self._proof(since, candidate, before):
                return proof
            self._ask()
            await self._wait(min(left, 2.0))
        said = strongest(self._news(since, candidate))
        return await self._weighed(said, since, self._told_now(since, began), candidate, before)

    async def restarted(self, since: float) -> bool:
        """Look once whether the module went again since then, or is away now."""
        return self._left_at > since or await self._silent(self._limits.silence)

    async def said(
        self, since: float, candidate: Candidate, before: ModuleFacts
    ) -> Sighting | None:
        """Return the best statement heard since then, None when nothing was said.

        What speaks against the image is asked for once more.
        """
        said = strongest(self._since(since))
        return await self._weighed(said, since, since + self._limits.late, candidate, before)

    async def _weighed(
        self,
        said: Sighting | None,
        since: float,
        told_now: float,
        candidate: Candidate,
        before: ModuleFacts,
    ) -> Sighting | None:
        """Return a statement; one that speaks against the image only after it was asked for anew.

        The answer decides. Without one it stands, unless it was heard before `told_now`: then
        it may have been said, queued or kept before the module went; by this one, not by another.
        A request a moment after it went is one of what runs now, often the only one for a minute.
        """
        if said is None or judge(said, candidate, before).verdict.is_success:
            return said
        await catch_up()
        asked_at = time.monotonic()
        while (left := asked_at + self._limits.again - time.monotonic()) > 0:
            self._ask()
            await asyncio.sleep(min(left, _ASK))
            answer = strongest(item for item in self._news(since, candidate) if item.at >= asked_at)
            if answer is not None and is_proof(answer, candidate, before):
                return answer
            said = answer or said
        if said.source in _REQUESTS:
            told_now = min(told_now, since + self._limits.late)
        stands = judge(said, candidate, before).cause is Cause.WRONG_MODULE
        return said if stands or said.at >= told_now else None

    def _told_now(self, _since: float, back_at: float) -> float:
        """Return from when on what is heard was said by what runs now."""
        return back_at + self._limits.late

    async def pause(self) -> None:
        """Let some time pass between two looks; less when something is heard."""
        await self._wait(self._limits.interval)

    def _evidence_limit(self, candidate: Candidate, before: ModuleFacts) -> float:
        likely = before.version or before.sketch_md5 or candidate.image.marker
        return self._limits.evidence if likely else self._limits.evidence_unlikely

    async def _gone(self, since: float) -> float:
        """Return when the module was found gone, 0 when it still answers."""
        if self._left_at > since:
            return self._left_at
        return time.monotonic() if await self._silent(self._limits.misses) else 0.0

    async def _silent(self, misses: int) -> bool:
        """Whether so many quick probes in a row got no answer."""
        for _ in range(misses):
            if await self._answers():
                return False
        return True

    async def _answers(self) -> bool:
        """Probe once; anew when Home Assistant stood still meanwhile and could hear nothing."""
        patience = self._limits.quick_probe
        for _ in range(_ANEW):
            asked_at = time.monotonic()
            if await self._probe(patience):
                return True
            if time.monotonic() - asked_at < patience + _STOOD_STILL:
                return False
        return False

    def _since(self, since: float) -> list[Sighting]:
        """Return the different statements heard since then, of each source in their order."""
        return [item.last for said in self._said.values() for item in said if item.last.at >= since]

    def _news(self, since: float, candidate: Candidate) -> list[Sighting]:
        """Return what was heard since then, without what only says again what it said before.

        A record, a page or an entity that is behind named the new version before it could run:
        that proves nothing. Nor does an entity that is still to change speak against the module.
        """
        again = [
            item.last for said in self._said.values() for item in said if item.first_at < since
        ]
        news = [
            item
            for item in self._since(since)
            if item not in again
            or item.version is None
            or not same_version(item.version, candidate.version)
            or item.sketch_md5 is not None  # which tells the old from the new
        ]
        if strongest(item for item in news if item.source in _ITS_OWN) is None:
            return news
        return [
            item for item in news if item.source is not EvidenceSource.ENTITY or item not in again
        ]

    def _proof(self, since: float, candidate: Candidate, before: ModuleFacts) -> Sighting | None:
        """Return what proves the new image: the last word of the strongest source that spoke."""
        last = strongest(self._news(since, candidate))
        return last if last is not None and is_proof(last, candidate, before) else None

    async def _wait(self, seconds: float) -> None:
        """Wait, but not longer than until something is heard."""
        await self._heard.wait(seconds)


class PollWatch(ModuleWatch):
    """Of a module that only asks us: it cannot be probed, and may sleep between its requests."""

    def __init__(
        self,
        patience: Callable[[], float],
        limits: WatchLimits | None = None,
        ask: Callable[[], None] = lambda: None,
    ) -> None:
        """`patience` answers for how many seconds a request may be waited for after a download."""
        super().__init__(_answer_always, ask, limits)
        self._patience = patience

    @override
    async def reachable(self) -> bool:
        """Return True: whether it asks is another question, with its own deadline."""
        return True

    @override
    async def restarted(self, since: float) -> bool:
        """Return False: a restart is not heard, only what runs after it."""
        return False

    @override
    async def wait_gone(self, since: float, candidate: Candidate, before: ModuleFacts) -> float:
        """Return at once: nothing is heard of it between two requests anyway."""
        return since

    @override
    async def wait_back(self, since: float, candidate: Candidate, before: ModuleFacts) -> None:
        """Return once it asks again, or is proven; raises VerifyError when it does not.

        What others say of it, an entity or a page, is no sign that it was there meanwhile.
        """
        patience = max(self._limits.back, self._patience())
        deadline = time.monotonic() + patience
        while not (self._proof(since, candidate, before) or self._spoke(since)):
            if (left := deadline - time.monotonic()) <= 0:
                raise VerifyError(Cause.SILENT_AFTER_DOWNLOAD, minutes=round(patience / 60))
            self._ask()
            await self._wait(min(left, _LOOK))

    def _spoke(self, since: float) -> bool:
        return any(item.source in _ITS_OWN for item in self._since(since))

    @override
    def _told_now(self, since: float, _back_at: float) -> float:
        """Return a moment after the download: the request it is known by may be the only one."""
        return since + self._limits.late

    @override
    def _evidence_limit(self, candidate: Candidate, before: ModuleFacts) -> float:
        """Its request said all it has to say; a second one may follow when the first was old."""
        return self._limits.evidence_unlikely


async def _answer_always(_timeout: float) -> bool:
    return True
