"""What the equipment was told, and which of its entities have said something since.

A state outlives the command that makes it untrue: a valve that was told to close says "open" until
its integration hears of it. Facts of Home Assistant 2026.10: a state that is written again without
a change moves `last_reported` alone (`StateMachine.async_set_internal`); an entity that pushes
writes nothing while there is nothing new; one that is polled says what it said at its last poll.
`homeassistant.update_entity` makes an entity look that has an update method, and only repeats the
known state of one that has none (`Entity.async_update_ha_state`), which proves nothing.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
import math
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_component import DATA_INSTANCES, async_update_entity
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.loader import async_get_loaded_integration
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

_TOLD: Final[HassKey[dict[str, float]]] = HassKey(f"{DOMAIN}_told")
"""Until when an entity may still say what came of a command that was not confirmed."""
_FOLLOW: Final[HassKey[set[str]]] = HassKey(f"{DOMAIN}_follow")
"""Entities that were seen to change by what actions set off."""
_ANSWERS: Final = 0.8
"""Of the time limit: whoever is told again at once hears of it before that has passed too."""
_AGAIN: Final = 2.0
"""Seconds after which an entity that could not answer is asked again."""


class Command:
    """One run of the actions before, or of those after, over the entities that tell of it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entities: set[str],
        limit: float,
        *,
        moved: set[str],
        in_doubt: bool = False,
    ) -> None:
        """Be about to command; `limit` is how long the equipment may take, in seconds.

        `moved` are those of the entities that actions can reach. `in_doubt` is true where nobody
        knows what was told before: then all of these have to say it anew.
        """
        self._hass = hass
        now = time.monotonic()
        self._told = hass.data.setdefault(_TOLD, {})
        self._doubted = {item: self._told.get(item, 0.0) for item in entities}
        if in_doubt:
            self._doubted |= dict.fromkeys(entities & moved, now + limit)
        self._before = {item: self._reported(item) for item in entities}
        self._asked_at = -math.inf
        self._told.update(dict.fromkeys(entities & moved, now + _ANSWERS * limit))

    def _reported(self, entity_id: str) -> datetime | None:
        state = self._hass.states.get(entity_id)
        return state.last_reported if state else None

    def _silent(self, entities: Iterable[str]) -> set[str]:
        """Return those that have said nothing since the command."""
        return {
            item
            for item in entities
            if item in self._before and self._reported(item) == self._before[item]
        }

    def doubted(self, entities: Iterable[str]) -> set[str]:
        """Return those whose state may be older than a command before this one.

        Not for longer than the equipment may take: who has said nothing else by then agrees.
        """
        now = time.monotonic()
        return {item for item in self._silent(entities) if self._doubted[item] > now}

    async def ask(self, entities: Iterable[str]) -> None:
        """Have those look at their devices that have said nothing since, where that helps."""
        now = time.monotonic()
        if now - self._asked_at < _AGAIN:
            return
        silent = sorted(self._silent(entities))
        if asked := [item for item in silent if can_be_asked(self._hass, item)]:
            self._asked_at = now
            await asyncio.gather(*(_async_ask(self._hass, item) for item in asked))

    def confirmed(self) -> None:
        """Take note that it was read back: nothing is to be said of it any more."""
        for item in self._before:
            self._told.pop(item, None)


def is_owed(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether an entity may still say what came of a command that was not confirmed."""
    return hass.data.get(_TOLD, {}).get(entity_id, 0.0) > time.monotonic()


def seen_to_follow(hass: HomeAssistant) -> set[str]:
    """Return the entities that were seen to change by what actions set off; it may be added to."""
    return hass.data.setdefault(_FOLLOW, set())


def can_be_asked(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether an entity can look at its device now, and not only repeat what it knows."""
    if (entity := _entity(hass, entity_id)) is None:
        return False
    if isinstance(entity, CoordinatorEntity):
        return entity.coordinator.update_interval is not None
    if not (hasattr(entity, "async_update") or hasattr(entity, "update")):
        return False
    # A helper (template, group) works out anew what others have said.
    integration = async_get_loaded_integration(hass, entity.platform.platform_name)
    return integration.integration_type != "helper"


async def _async_ask(hass: HomeAssistant, entity_id: str) -> None:
    entity = _entity(hass, entity_id)
    if isinstance(entity, CoordinatorEntity):
        await entity.coordinator.async_refresh()  # a request for it may be put off for 10 s
    else:
        await async_update_entity(hass, entity_id)


def _entity(hass: HomeAssistant, entity_id: str) -> Entity | None:
    components: dict[str, Any] = hass.data.get(DATA_INSTANCES, {})
    component = components.get(entity_id.partition(".")[0])
    return component.get_entity(entity_id) if component else None
