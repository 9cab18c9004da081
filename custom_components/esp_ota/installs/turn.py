"""One install's place in the queue of the house: what it waits for, and what the card says."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
import time
from typing import Final, Self

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..house import InstallNote
from ..ota import (
    Cause,
    InstallProgress,
    InstallRefused,
    InstallStage,
    ModuleConnectionError,
    OtaError,
    Priority,
    Reason,
    Standing,
    Ticket,
    Waits,
)
from .waiting import Waiter, Waiting

_SIGN_OF_LIFE: Final = Reason(why=Waits.SIGN_OF_LIFE)
_AWAKE: Final = 8.0
"""Seconds for which a module that sleeps is taken to be awake after a sign of life."""
_PER_SECOND: Final = 10
"""Installs whose conditions are looked at each second, of all that are forbidden."""
_LOOKS_PER_SECOND: Final = 100
"""Installs whose window and deadline are looked at each second, of all that wait for a turn."""


def priority_of(note: InstallNote) -> Priority:
    """Return who goes before whom: as it was noted, or by who presses."""
    if (queued := note.get("queued")) is not None and queued["priority"] in set(Priority):
        return Priority(queued["priority"])
    if "replaces" in note:
        return Priority.ROLLBACK
    return Priority.PRESS if note.get("user") is not None else Priority.REST


class Turn:
    """A `Turn` of the pipeline, from the press to the end."""

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: Waiter,
        note: InstallNote,
        on_told: Callable[[InstallProgress], None],
        admit: Callable[[], Awaitable[None]],
    ) -> None:
        """Take an install; it stands nowhere before `join`.

        `admit` raises InstallRefused while something forbids to begin.
        """
        self._coordinator = coordinator
        self._note = note
        self._on_told = on_told
        self._admit = admit
        self._ticket: Ticket | None = None
        self.priority = priority_of(note)
        """Who goes before whom, before it is in the queue."""
        self.gate: Callable[[], Reason | None] = lambda: None
        """Returns why a rollout does not let it begin."""
        self.on_leave: Callable[[], None] = lambda: None
        """Called when it has ended."""
        self.on_over: Callable[[bool], None] = lambda _is_over: None
        """Called with True when its turn is over, before anybody else has it and before it is known
        how that ended; with False when it goes on waiting."""
        self.stays = False
        """Whether it is not given back when it is over: it may be gone on with after a reload."""
        self._waiting = Waiting(hass, coordinator, note)
        self._was_queued = "queued" in note
        """Whether the module was there once, since somebody pressed."""
        self._pauses = list(coordinator.house.patience.pauses)
        self._last_sign = float("-inf")
        """The sign of life that was followed last."""
        self._began_at: float | None = None
        self._closed: OtaError | None = None
        """That its window or rollout did not let it begin any more, once it had its equipment."""

    @property
    def ticket(self) -> Ticket:
        """Its ticket."""
        assert self._ticket is not None
        return self._ticket

    def join(self, *, is_open: bool = False) -> None:
        """Stand in the queue, where the journal says; `is_open` for a module that has its image."""
        queued = self._note.get("queued")
        self._waiting.is_lifted = is_open
        self._ticket = self._coordinator.house.queue.async_join(
            self._coordinator.config_entry,
            priority=Priority.OPEN if is_open else self.priority,
            order=queued["order"] if queued else None,
            bar=self._bar,
            on_told=self._tell,
        )
        self.write()

    def _bar(self) -> Reason | None:
        if self._waiting.is_lifted:  # its module has the image: it is carried to its end
            return None
        return self.gate() or self._waiting.bar()

    def write(self) -> None:
        """Put into the note where it stands."""
        ticket = self.ticket
        if ticket.priority is not Priority.OPEN:
            self._note["queued"] = {"priority": int(ticket.priority), "order": ticket.order}

    @property
    def is_waiting(self) -> bool:
        """Whether it has a place that can be changed."""
        return self._ticket is not None and not self._ticket.runs

    def move(self, place: int) -> None:
        """Stand at another place, counted from 1."""
        self._coordinator.house.queue.async_move(self.ticket, place)
        self.write()

    async def async_open(self) -> None:
        """Load what its window asks for."""
        await self._waiting.async_open()

    def leave(self, *, comes_back: bool = False) -> None:
        """Make room; it has ended. Who `comes_back` after a reload has the turn that it had."""
        self._waiting.close()
        self.on_leave()
        queue = self._coordinator.house.queue
        if self._ticket is not None and comes_back and self._ticket.runs:
            queue.async_keep(self._ticket)
        elif self._ticket is not None:
            queue.async_leave(self._ticket)

    def wait_for_life(self) -> None:
        """Ask for no turn before the module speaks."""
        self.on_over(False)  # noqa: FBT003 - see there
        self.ticket.held = _SIGN_OF_LIFE

    def wait_for_equipment(self, names: str) -> None:
        """Give the turn to others meanwhile."""
        self.on_over(False)  # noqa: FBT003 - see there
        self.ticket.step_back(Reason(why=Waits.EQUIPMENT, what=names))

    async def up(self) -> None:
        """Return when it is its turn; raises InstallRefused when its window let it begin never."""
        self.on_over(False)  # noqa: FBT003 - see there
        await self.ticket.up(self._look)

    async def _look(self) -> float:
        """Take over a changed window; raises what `up` does."""
        await self._waiting.async_open()
        if self._waiting.bar() is not None and not self._waiting.waits_for_rollout():
            self._waiting.raise_if_over(self._waiting.missed())
        return self._pause_of(_LOOKS_PER_SECOND)

    def _pause_of(self, per_second: int) -> float:
        """Return the seconds between two looks, where all that wait take so many each second."""
        house = self._coordinator.house
        return max(house.patience.look_again, len(house.queue) / per_second)

    async def _look_with_equipment(self) -> float:
        """Raise InstallRefused where it may not begin any more: others need the equipment."""
        await self._waiting.async_open()
        if self._bar() is not None and not self._waiting.is_lifted:
            self._closed = self._waiting.missed()
            raise self._closed
        return self._pause_of(_LOOKS_PER_SECOND)

    async def __aenter__(self) -> Self:
        """Wait for the turn, unless it is there already; alone with the equipment by now."""
        self.on_over(False)  # noqa: FBT003 - see there
        await self.ticket.up(self._look_with_equipment)
        self._was_queued = True
        self._began_at = time.monotonic()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Let others run."""
        self.on_over(True)  # noqa: FBT003 - see there
        if not self.stays:
            await self.ticket.__aexit__()

    @property
    def seconds(self) -> float:
        """For how long it has run, since it was its turn last."""
        return time.monotonic() - self._began_at if self._began_at is not None else 0.0

    # A better time

    def may_wait(self, err: OtaError) -> bool:
        """Whether a better time is waited for: when what is in the way goes by itself."""
        if err is self._closed:
            return True
        if err.cause is Cause.INHIBITED:
            return self._waiting.waits_for_conditions
        if not isinstance(err, ModuleConnectionError):
            return False
        return self._waiting.sleeps or (self._was_queued and bool(self._pauses))

    async def better_time(self, err: OtaError) -> None:
        """Return when it may be tried again; raises the reason when that took too long."""
        self.on_over(False)  # noqa: FBT003 - see there
        if err is self._closed:
            return  # the turn waits for that
        if err.cause is Cause.INHIBITED:
            await self._until_admitted(err)
        elif self._waiting.sleeps:
            await self._until_awake(err)
        else:
            await self._after_a_pause()

    async def _until_admitted(self, err: OtaError) -> None:
        """Look again and again at what forbids it; hundreds do so less often."""
        while True:
            self._waiting.raise_if_over(err)
            reason = Reason(why=Waits.CONDITION, what=err.facts.get("reason", ""))
            self.ticket.step_back(reason)
            await asyncio.sleep(self._pause_of(_PER_SECOND))
            try:
                return await self._admit()
            except InstallRefused as again:
                if again.cause is not Cause.INHIBITED:
                    raise
                err = again

    async def _until_awake(self, err: OtaError) -> None:
        """Wait for a sign of life that was not followed yet; then it cannot wait for others."""
        self.ticket.step_back(_SIGN_OF_LIFE)
        life = self._coordinator.life
        asleep = ModuleConnectionError(Cause.NOT_AWAKE, detail=str(err.cause))
        while err.cause is not Cause.NO_POLL and life.last <= self._last_sign:
            self._waiting.raise_if_over(asleep)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._coordinator.house.patience.look_again):
                    await life.sign(self._last_sign)
        self._waiting.raise_if_over(asleep)
        self._last_sign = life.last
        self.ticket.urgent_until = time.monotonic() + _AWAKE

    async def _after_a_pause(self) -> None:
        """Wait longer each time; a sign of life ends it."""
        seconds = self._pauses.pop(0)
        again = dt_util.now() + timedelta(seconds=seconds)
        self.ticket.step_back(Reason(why=Waits.PAUSE, what=f"{again:%H:%M:%S}"))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._coordinator.life.sign(time.monotonic())

    # What the card says

    def shown(self, progress: InstallProgress) -> InstallProgress:
        """Return a progress with the place in the queue, where that is what it is about."""
        told = self._ticket.told if self._ticket else None
        if progress.stage is not InstallStage.QUEUED or told is None:
            return progress
        reason = told.reason
        return replace(progress, place=told.place, why=reason.why, waits_for=reason.what or None)

    def _tell(self, _standing: Standing) -> None:
        self._on_told(self.shown(InstallProgress(stage=InstallStage.QUEUED)))
