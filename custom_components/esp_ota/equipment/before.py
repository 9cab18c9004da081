"""What the equipment was before it was made safe: a restore without conditions comes back to it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import ATTR_ASSUMED_STATE, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import CONF_ACTIONS, CONF_RESTORE, CONF_RESTORE_CONDITIONS
from .command import is_owed
from .conditions import enabled
from .reach import Reach, reach_of
from .sequence import async_validate_actions

_STAYS: Final = {
    "alarm_control_panel",
    "automation",
    "climate",
    "cover",
    "fan",
    "group",
    "humidifier",
    "input_boolean",
    "input_number",
    "input_select",
    "input_text",
    "lawn_mower",
    "light",
    "lock",
    "media_player",
    "number",
    "remote",
    "select",
    "siren",
    "switch",
    "text",
    "vacuum",
    "valve",
    "water_heater",
}
"""Domains whose state is what the thing was told, until it is told otherwise."""
_MOVES: Final = {"arming", "closing", "locking", "opening", "pending", "unlocking"}
_UNTOLD: Final = {STATE_UNAVAILABLE, STATE_UNKNOWN}


class Before:
    """The states that entities had, and have to have again."""

    def __init__(self, hass: HomeAssistant, states: Mapping[str, str]) -> None:
        """Take the states, by entity."""
        self._hass = hass
        self.states = dict(states)
        self.tells = bool(states)
        """Whether there is anything that tells of a restore."""

    @classmethod
    def now(cls, hass: HomeAssistant, entities: Iterable[str]) -> Before:
        """Return what can be told of entities, and will tell of a restore."""
        found = {}
        for entity_id in entities:
            state = hass.states.get(entity_id)
            if state is None or not _is_readable(hass, entity_id):
                continue
            if state.state not in _UNTOLD | _MOVES and not is_owed(hass, entity_id):
                found[entity_id] = state.state
        return cls(hass, found)

    def forget_unmoved(self) -> None:
        """Demand nothing of what making safe has not moved, and is known not to have.

        Whatever the restore does to that is what it was told.
        """
        for entity_id, was in list(self.states.items()):
            if self._state(entity_id) == was and not is_owed(self._hass, entity_id):
                del self.states[entity_id]

    @property
    def rests_on(self) -> set[str]:
        """The entities that tell of it."""
        return set(self.states)

    def unmet(self) -> list[str]:
        """Return which entities are not what they were, for the person."""
        return [
            f"{entity_id}: {now}, was {was}"
            for entity_id, was in sorted(self.states.items())
            if (now := self._state(entity_id)) != was
        ]

    def _state(self, entity_id: str) -> str:
        state = self._hass.states.get(entity_id)
        return state.state if state else "missing"


def _is_readable(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether an entity tells what it is, and not only what it was told."""
    state = hass.states.get(entity_id)
    is_known = state is not None and not state.attributes.get(ATTR_ASSUMED_STATE)
    return is_known and entity_id.partition(".")[0] in _STAYS


def moves(after: Reach) -> bool:
    """Whether a restore tells any equipment anything; one that only tells people does not."""
    return bool(after.told or after.unread)


def telling(hass: HomeAssistant, before: Reach, after: Reach) -> set[str]:
    """Return the entities that can tell whether it was restored, of what both sequences reach.

    Those that the restore itself tells; only where there are none, those that were made safe.
    """
    for reach in (after, before) if moves(after) else ():
        if readable := {item for item in reach.told if _is_readable(hass, item)}:
            return readable
    return set()


async def reaches(
    hass: HomeAssistant, safe_state: Mapping[str, Any], variables: Mapping[str, Any]
) -> tuple[Reach, Reach]:
    """Return what the actions before and those after reach; nothing where they are not valid."""
    found = []
    for key in (CONF_ACTIONS, CONF_RESTORE):
        try:
            actions = await async_validate_actions(hass, safe_state.get(key, []))
        except vol.Invalid, HomeAssistantError, ValueError:
            actions = []
        found.append(reach_of(hass, actions, variables))
    return found[0], found[1]


async def async_is_read_back(
    hass: HomeAssistant, safe_state: Mapping[str, Any], variables: Mapping[str, Any]
) -> bool:
    """Whether anything can tell that the actions after have restored the equipment."""
    if not safe_state.get(CONF_RESTORE) or enabled(safe_state.get(CONF_RESTORE_CONDITIONS, [])):
        return True
    before, after = await reaches(hass, safe_state, variables)
    return not moves(after) or bool(telling(hass, before, after))
