"""Which safe state a module's equipment gets: its own, the house's, or none."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import Context, HomeAssistant

from ..const import (
    CONF_CONDITIONS,
    CONF_EQUIPMENT,
    CONF_SAFE_STATE,
    EQUIPMENT_HOUSE,
    EQUIPMENT_NOTHING,
)
from ..house import House, InstallNote
from ..ota import Cause, Detail, InstallRefused, InstallResult, InstallStage, SafeStateError
from .safe_state import ConfiguredSafeState
from .sequence import Sequence
from .sharing import LeftOpen, Shared, WaitCallback
from .steps import StepCallback

_NEVER_COMES: Final = {
    ConfigEntryState.FAILED_UNLOAD,
    ConfigEntryState.MIGRATION_ERROR,
    ConfigEntryState.SETUP_ERROR,
}
_RESTORES: Final = {InstallStage.MAKING_SAFE, InstallStage.SENDING, InstallStage.RESTORING}
"""Stages that are ended by a restore at once when they are picked up."""
_STAYS: Final = {InstallStage.RESTARTING, InstallStage.VERIFYING}
"""Stages that go on, with the equipment as it is."""

type Equipment = NothingToSecure | Lost | Shared
"""A `SafeState` of `ota/`, and what the journal keeps of it."""


class NothingToSecure:
    """The answer "nothing needed": a module that switches no equipment."""

    kept: Mapping[str, object] = {}

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Nobody can be in the way."""
        return nullcontext()

    async def admit(self) -> None:
        """Nothing can be in the way."""

    async def enter(self) -> None:
        """Nothing to do."""

    async def take_over(self) -> None:
        """Nothing to be in."""

    def holds(self) -> bool:
        """Nothing can break."""
        return True

    def broken(self) -> str:
        """Nothing can break."""
        return ""

    async def leave(self, result: InstallResult) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing to restore, nor to read back."""
        return True


class Lost:
    """A safe state that was taken away while it was relied upon: nobody knows how to restore it."""

    def __init__(self, err: SafeStateError) -> None:
        """Take why there is none."""
        self._err = err
        self.kept: Mapping[str, object] = {}

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Nobody knows who would be in the way."""
        return nullcontext()

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

    def broken(self) -> str:
        """Nobody can say what."""
        return ""

    async def leave(self, result: InstallResult) -> bool:  # noqa: ARG002 - the protocol's
        """Raise SafeStateError: the equipment stays as it is."""
        raise SafeStateError(Cause.RESTORE_FAILED, detail=Detail.TAKEN_AWAY)


def safe_state_for(
    hass: HomeAssistant,
    house: House,
    entry: ConfigEntry,
    options: Mapping[str, Any],
    context: Context,
    *,
    on_step: StepCallback | None = None,
    on_wait: WaitCallback = lambda _names: None,
    kept: Mapping[str, Any] | None = None,
) -> Equipment:
    """Return the safe state of a module's options; raises SafeStateError when none was chosen.

    The house's is used only where that was the answer: what makes one module's equipment safe
    says nothing about another's. `kept` is what the journal has kept of it.
    """
    if options.get(CONF_EQUIPMENT) == EQUIPMENT_NOTHING:
        return NothingToSecure()
    configured = _configured(hass, house, entry, options, context, on_step=on_step, kept=kept)

    async def left_open(without: set[str]) -> list[LeftOpen]:
        return await _left_open(hass, house, without | {entry.entry_id})

    return Shared(hass, configured, (entry.entry_id, entry.title), left_open, on_wait)


def _configured(
    hass: HomeAssistant,
    house: House,
    entry: ConfigEntry,
    options: Mapping[str, Any],
    context: Context,
    *,
    on_step: StepCallback | None = None,
    kept: Mapping[str, Any] | None = None,
) -> ConfiguredSafeState:
    of_house = options.get(CONF_EQUIPMENT) == EQUIPMENT_HOUSE
    configured = (house.options if of_house else options).get(CONF_SAFE_STATE, {})
    if not configured.get(CONF_CONDITIONS):
        cause = Cause.HOUSE_SAFE_STATE_MISSING if of_house else Cause.SAFE_STATE_MISSING
        raise SafeStateError(cause)
    name = entry.title
    sequence = Sequence(hass, f"safe state of {name}", context, {"module": name})
    return ConfiguredSafeState(
        hass, configured, sequence, on_step=on_step, of_house=of_house, kept=kept
    )


async def _left_open(hass: HomeAssistant, house: House, without: set[str]) -> list[LeftOpen]:
    """Return what installs of other modules have left safe, and nobody has picked up yet."""
    found = []
    for entry in house.modules:
        note = house.journal.open_install(entry.entry_id)
        if note is None or entry.entry_id in without or entry.disabled_by is not None:
            continue
        stage = InstallStage(note["stage"])
        if stage not in _RESTORES | _STAYS or (stage in _STAYS and note.get("looks")):
            continue
        options = note.get("tried", entry.options)
        if options.get(CONF_EQUIPMENT) == EQUIPMENT_NOTHING:
            continue
        try:
            configured = _configured(hass, house, entry, options, Context())
        except SafeStateError:
            continue
        found.append(
            LeftOpen(
                owner=entry.entry_id,
                name=entry.title,
                things=frozenset(await configured.things()),
                comes=entry.state not in _NEVER_COMES,
                restores=stage in _RESTORES,
            )
        )
    return found


def safe_state_noted(
    hass: HomeAssistant,
    house: House,
    entry: ConfigEntry,
    note: InstallNote,
    on_wait: WaitCallback = lambda _names: None,
) -> Equipment:
    """Return what an open install has made safe, also where that was taken away since."""
    options, kept = note.get("tried", entry.options), note.get("equipment")
    try:
        return safe_state_for(hass, house, entry, options, Context(), on_wait=on_wait, kept=kept)
    except SafeStateError as err:
        return Lost(err)
