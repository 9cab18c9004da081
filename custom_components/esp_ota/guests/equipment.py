"""What a guest switches: as its entry under the firmware library says, or as was said in a call."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import CONF_EQUIPMENT, CONF_GUESTS, KIND_GUEST
from ..house import House
from ..owners import guest_id

_NOBODY_SAID: Final[Mapping[str, Any]] = {}


def equipment_of(house: House, key: str, answer: str | None) -> Mapping[str, Any]:
    """Return the options of a guest's safe state; `answer` is for one that is in no entry."""
    for subentry in house.entry.subentries.values() if house.entry else ():
        if subentry.subentry_type != KIND_GUEST:
            continue
        if guest_id(key) in subentry.data.get(CONF_GUESTS, ()):
            return subentry.data
    return {CONF_EQUIPMENT: answer} if answer is not None else _NOBODY_SAID


def entity_ids_of(hass: HomeAssistant, data: Mapping[str, Any]) -> list[str]:
    """Return the entities of such an entry, as they are called now."""
    registry = er.async_get(hass)
    return [er.async_resolve_entity_id(registry, i) or i for i in data.get(CONF_GUESTS, ())]


def stored_ids(hass: HomeAssistant, entity_ids: list[str]) -> list[str]:
    """Return entities as they are kept: by the id of the registry, which outlives a new name."""
    registry = er.async_get(hass)
    found = ((item, registry.async_get(item)) for item in entity_ids)
    return [entry.id if entry else item for item, entry in found]
