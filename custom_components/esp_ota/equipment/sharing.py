"""Installs that rest on the same equipment, one at a time.

The first to restore would open the valve under the other, whose module restarts just then. What
an install rests on is found when its turn of the equipment is asked for; whoever asked before and
shares any of it goes first, so that A and C wait for each other where both share with B only as
long as B stands between them. The equipment comes before the house's own turn: whoever holds a
turn never waits for equipment.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..ota import Cause, Detail, InstallResult, SafeStateError
from .safe_state import ConfiguredSafeState

_SHARING: Final[HassKey[Sharing]] = HassKey(f"{DOMAIN}_sharing")
_LOOK_AGAIN: Final = 1.0
"""Seconds; what a dead Home Assistant left is picked up without telling who waits for it."""

type WaitCallback = Callable[[str | None], None]
"""Told for whom it is waited, by name; None when that is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOpen:
    """Equipment that an install of another life, or one that was put aside, left safe."""

    owner: str
    name: str
    things: frozenset[str]
    comes: bool
    """Whether its entry will pick it up by itself."""
    restores: bool
    """Whether it will be restored at once."""


type LeftOpenCallback = Callable[[set[str]], Awaitable[list[LeftOpen]]]
"""Returns them, without those of some owners."""


@dataclass(eq=False, kw_only=True, slots=True)
class Claim:
    """One install's wish to be alone with its equipment."""

    owner: str
    """Entry of the module."""
    name: str
    things: frozenset[str]
    """Entities, and calls of which nobody knows what they reach."""
    left: bool = False
    """Taken over from another life: several of them may be in it at once."""
    held: bool = False
    is_ready: bool = False
    """Whether nothing is left to do but to restore."""

    def shares(self, other: Claim | LeftOpen) -> bool:
        """Whether it is somebody else's, and any of it the same."""
        return self.owner != other.owner and not self.things.isdisjoint(other.things)


class Sharing:
    """All claims of the house, in their order."""

    def __init__(self) -> None:
        """Nobody asks for anything yet."""
        self._claims: list[Claim] = []
        self._moved = asyncio.Event()

    @classmethod
    def of(cls, hass: HomeAssistant) -> Sharing:
        """Return the one of this Home Assistant."""
        return hass.data.setdefault(_SHARING, cls())

    def add(self, claim: Claim) -> None:
        """Put a claim behind those that were before it."""
        self._claims.append(claim)
        self.tell()

    def release(self, claim: Claim) -> None:
        """Let those behind it go on."""
        if claim in self._claims:
            self._claims.remove(claim)
            self.tell()

    def tell(self) -> None:
        """Have who waits look again."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_alone(
        self, claim: Claim, left_open: LeftOpenCallback, on_wait: WaitCallback
    ) -> None:
        """Return when nobody before it shares anything, and nothing of it was left safe."""

        async def in_the_way() -> list[str]:
            left = await self._not_taken_over(left_open)
            names = [item.name for item in left if claim.shares(item)]
            before = self._claims[: self._claims.index(claim)]
            late = [item for item in self._claims if item.left]
            return names + [item.name for item in [*before, *late] if claim.shares(item)]

        await self._until_free(in_the_way, on_wait)
        claim.held = True

    async def wait_for_others_inside(
        self, claim: Claim, left_open: LeftOpenCallback, on_wait: WaitCallback
    ) -> None:
        """Return when all that were left in the same equipment are ready to restore it as well.

        Then one after the other. What was entered alone in this life is over before.
        """

        async def in_the_way() -> list[str]:
            left = await self._not_taken_over(left_open)
            coming = [item for item in left if item.comes and not item.restores]
            before = self._claims[: self._claims.index(claim)]
            inside = [item for item in self._claims if item.held and not item.is_ready]
            first = [item for item in before if item.held and item.is_ready]
            others: list[Claim | LeftOpen] = [*coming, *inside, *first]
            return [item.name for item in others if claim.shares(item)]

        await self._until_free(in_the_way, on_wait)

    async def wait_until_left(self, claim: Claim, on_wait: WaitCallback) -> None:
        """Return when nobody is alone with any of it."""

        async def in_the_way() -> list[str]:
            alone = [item for item in self._claims if item.held and not item.left]
            return [item.name for item in alone if claim.shares(item)]

        await self._until_free(in_the_way, on_wait)
        claim.held = True

    async def _not_taken_over(self, left_open: LeftOpenCallback) -> list[LeftOpen]:
        """Return what is left safe and has no claim, looked at in one piece."""
        while True:
            moved = self._moved
            left = await left_open({claim.owner for claim in self._claims if claim.held})
            if moved is self._moved:
                return left

    async def _until_free(
        self, in_the_way: Callable[[], Awaitable[list[str]]], on_wait: WaitCallback
    ) -> None:
        told: list[str] = []
        while names := sorted(set(await in_the_way())):
            if names != told:
                told = names
                on_wait(", ".join(names))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._moved.wait()
        if told:
            on_wait(None)


class Shared:
    """A configured safe state, together with the others that rest on the same equipment."""

    def __init__(
        self,
        hass: HomeAssistant,
        safe_state: ConfiguredSafeState,
        owner: tuple[str, str],
        left_open: LeftOpenCallback,
        on_wait: WaitCallback,
    ) -> None:
        """Take the safe state and whose it is: the module's entry, and its name."""
        self._hass = hass
        self._safe_state = safe_state
        self._owner = owner
        self._left_open = left_open
        self._on_wait = on_wait
        self._sharing = Sharing.of(hass)
        self._claim: Claim | None = None

    @property
    def kept(self) -> dict[str, object]:
        """What the journal keeps of it, for a restore after a crash."""
        return self._safe_state.kept

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Wait until nobody else rests on the same equipment, and keep them out."""
        claim = await self._new_claim()
        try:
            await self._sharing.wait_alone(claim, self._left_open, self._on_wait)
            yield
        finally:
            self._let_go()

    async def _new_claim(self, *, left: bool = False) -> Claim:
        owner, name = self._owner
        things = frozenset(await self._safe_state.things())
        self._claim = Claim(owner=owner, name=name, things=things, left=left)
        self._sharing.add(self._claim)
        return self._claim

    def _let_go(self) -> None:
        if self._claim is not None:
            self._sharing.release(self._claim)
            self._claim = None

    async def admit(self) -> None:
        """Raise InstallRefused while something forbids to begin."""
        await self._safe_state.admit()

    async def enter(self) -> None:
        """Bring it about and read it back, alone with it."""
        await self._safe_state.enter()

    async def take_over(self) -> None:
        """Be in it, as the Home Assistant that died was; until the task ends, or it is left."""
        claim = await self._new_claim(left=True)
        if (task := asyncio.current_task()) is not None:
            task.add_done_callback(lambda _: self._sharing.release(claim))
        await self._sharing.wait_until_left(claim, self._on_wait)
        await self._safe_state.take_over()

    def holds(self) -> bool:
        """Whether every condition is true right now."""
        return self._safe_state.holds()

    def broken(self) -> str:
        """Return which conditions were untrue since it was entered."""
        return self._safe_state.broken()

    async def leave(self, result: InstallResult) -> bool:
        """Restore; what another life left, only when nobody else is in it any more."""
        claim = self._claim or await self._new_claim(left=True)
        try:
            if claim.left:
                claim.is_ready = True
                self._sharing.tell()
                await self._unless_stopping(self._until_others_are_ready(claim))
            return await self._safe_state.leave(result)
        finally:
            if claim.left:
                self._let_go()

    async def _until_others_are_ready(self, claim: Claim) -> None:
        await self._sharing.wait_until_left(claim, self._on_wait)
        await self._sharing.wait_for_others_inside(claim, self._left_open, self._on_wait)

    async def _unless_stopping(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for others; a Home Assistant that stops leaves the restore to its next start."""
        waiting = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({waiting}, timeout=_LOOK_AGAIN))[0]:
                if self._hass.is_stopping:
                    raise SafeStateError(Cause.RESTORE_FAILED, detail=Detail.OTHERS_INSIDE)
            waiting.result()
        finally:
            waiting.cancel()
