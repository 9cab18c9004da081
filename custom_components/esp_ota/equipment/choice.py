"""Which safe state a module's equipment gets: its own, the house's, or none."""

import asyncio
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant

from ..const import (
    CONF_CONDITIONS,
    CONF_EQUIPMENT,
    CONF_SAFE_STATE,
    EQUIPMENT_HOUSE,
    EQUIPMENT_NOTHING,
)
from ..house import House, InstallNote
from ..ota import Cause, InstallRefused, InstallResult, SafeState, SafeStateError
from .safe_state import ConfiguredSafeState, StepCallback
from .sequence import Sequence


class NothingToSecure:
    """The answer "nothing needed": a module that switches no equipment."""

    async def admit(self) -> None:
        """Nothing can be in the way."""

    async def enter(self) -> None:
        """Nothing to do."""

    async def take_over(self) -> None:
        """Nothing to be in."""

    def holds(self) -> bool:
        """Nothing can break."""
        return True

    async def leave(self, result: InstallResult) -> None:
        """Nothing to restore."""


class Lost:
    """A safe state that was taken away while it was relied upon: nobody knows how to restore it."""

    def __init__(self, err: SafeStateError) -> None:
        """Take why there is none."""
        self._err = err

    async def admit(self) -> None:
        """Raise InstallRefused."""
        raise InstallRefused(self._err.cause, **self._err.facts)

    async def enter(self) -> None:
        """Raise SafeStateError."""
        raise self._err

    async def take_over(self) -> None:
        """Be in it; what is left to do is to tell."""

    def holds(self) -> bool:
        """Nothing says so."""
        return False

    async def leave(self, result: InstallResult) -> None:  # noqa: ARG002 - the protocol's
        """Raise SafeStateError: the equipment stays as it is."""
        raise SafeStateError(Cause.RESTORE_FAILED, detail="its safe state was taken away")


class Exclusive:
    """A safe state that several modules share: only one of them is in it at a time.

    The first to leave would open the main valve while the other still counts on it.
    """

    def __init__(self, safe_state: SafeState, lock: asyncio.Lock) -> None:
        """Take the safe state, and the lock that all who share it hold."""
        self._safe_state = safe_state
        self._lock = lock
        self._holds_lock = False
        self._waits = False

    async def admit(self) -> None:
        """Raise InstallRefused while something forbids to begin."""
        await self._safe_state.admit()

    async def enter(self) -> None:
        """Wait until nobody else is in it."""
        self._waits = True
        await self._take()
        self._waits = False
        await self._safe_state.enter()

    async def take_over(self) -> None:
        """Keep the others out, as the Home Assistant that died did."""
        await self._take()
        await self._safe_state.take_over()

    def holds(self) -> bool:
        """Whether every condition is true right now."""
        return self._safe_state.holds()

    async def leave(self, result: InstallResult) -> None:
        """Restore, unless its turn never came; after a crash nobody has entered."""
        if self._waits:
            return
        await self._take()
        try:
            await self._safe_state.leave(result)
        finally:
            self._lock.release()
            self._holds_lock = False

    async def _take(self) -> None:
        if not self._holds_lock:
            await self._lock.acquire()
            self._holds_lock = True


def safe_state_for(
    hass: HomeAssistant,
    house: House,
    module: str,
    options: Mapping[str, Any],
    context: Context,
    on_step: StepCallback | None = None,
) -> SafeState:
    """Return the safe state of a module's options; raises SafeStateError when none was chosen.

    The house's is used only where that was the answer: what makes one module's equipment safe
    says nothing about another's.
    """
    equipment = options.get(CONF_EQUIPMENT)
    if equipment == EQUIPMENT_NOTHING:
        return NothingToSecure()
    shared = equipment == EQUIPMENT_HOUSE
    configured = (house.options if shared else options).get(CONF_SAFE_STATE, {})
    if not configured.get(CONF_CONDITIONS):
        raise SafeStateError(Cause.HOUSE_SAFE_STATE_MISSING if shared else Cause.SAFE_STATE_MISSING)
    sequence = Sequence(hass, f"safe state of {module}", context, {"module": module})
    safe_state = ConfiguredSafeState(hass, configured, sequence, on_step=on_step)
    return Exclusive(safe_state, house.equipment) if shared else safe_state


def safe_state_noted(
    hass: HomeAssistant, house: House, entry: ConfigEntry, note: InstallNote
) -> SafeState:
    """Return what an open install has made safe, also where that was taken away since."""
    options = note.get("tried", entry.options)
    try:
        return safe_state_for(hass, house, entry.title, options, Context())
    except SafeStateError as err:
        return Lost(err)
