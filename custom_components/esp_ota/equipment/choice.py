"""Which safe state a module's equipment gets: its own, the house's, or none."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
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
from ..owners import GuestOwner, Owner
from .current import CurrentSafeState
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
_STAYS_OF_GUEST: Final = _STAYS | {InstallStage.SENDING}
"""The same for a guest: what its integration was told is waited for."""

type Equipment = NothingToSecure | Lost | Shared | CurrentSafeState
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
    entry: Owner,
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


def safe_state_of_turn(
    house: House, owner: Owner, make: Callable[[], Equipment]
) -> CurrentSafeState:
    """Return the safe state that somebody has when the turn comes; raises what `make` does."""

    def said() -> tuple[object, object]:
        return owner.options.get(CONF_EQUIPMENT), dict(_said(house, owner.options))

    return CurrentSafeState(said, make)


def _said(house: House, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a person has said of it: for the module, or for the house."""
    of_house = options.get(CONF_EQUIPMENT) == EQUIPMENT_HOUSE
    safe_state: Mapping[str, Any] = (house.options if of_house else options).get(
        CONF_SAFE_STATE, {}
    )
    return safe_state


def _configured(
    hass: HomeAssistant,
    house: House,
    entry: Owner,
    options: Mapping[str, Any],
    context: Context,
    *,
    on_step: StepCallback | None = None,
    kept: Mapping[str, Any] | None = None,
) -> ConfiguredSafeState:
    of_house = options.get(CONF_EQUIPMENT) == EQUIPMENT_HOUSE
    configured = _said(house, options)
    if not configured.get(CONF_CONDITIONS):
        cause = Cause.HOUSE_SAFE_STATE_MISSING if of_house else Cause.SAFE_STATE_MISSING
        raise SafeStateError(cause)
    name = entry.title
    sequence = Sequence(hass, f"safe state of {name}", context, {"module": name})
    return ConfiguredSafeState(
        hass, configured, sequence, on_step=on_step, of_house=of_house, kept=kept
    )


async def _left_open(hass: HomeAssistant, house: House, without: set[str]) -> list[LeftOpen]:
    """Return what other installs have left safe, and nobody has picked up yet."""
    found = []
    for entry, note, comes in _not_ended(house):
        stage = InstallStage(note["stage"])
        stays = _STAYS_OF_GUEST if "guest" in note else _STAYS
        if entry.entry_id in without or stage not in _RESTORES | stays:
            continue
        if stage in stays and note.get("looks"):
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
                comes=comes,
                restores=stage not in stays,
            )
        )
    return found


def _not_ended(house: House) -> Iterator[tuple[Owner, InstallNote, bool]]:
    """Yield whose installs have not ended, and whether they are picked up by themselves."""
    for entry in house.modules:
        note = house.journal.open_install(entry.entry_id)
        if note is not None and entry.disabled_by is None:
            yield entry, note, entry.state not in _NEVER_COMES
    for key, note in house.journal.open_guests().items():
        yield GuestOwner.noted(key, note), note, True


def safe_state_noted(
    hass: HomeAssistant,
    house: House,
    entry: Owner,
    note: InstallNote,
    on_wait: WaitCallback = lambda _names: None,
) -> Equipment:
    """Return what an open install has made safe, also where that was taken away since."""
    options, kept = note.get("tried", entry.options), note.get("equipment")
    try:
        return safe_state_for(hass, house, entry, options, Context(), on_wait=on_wait, kept=kept)
    except SafeStateError as err:
        return Lost(err)
