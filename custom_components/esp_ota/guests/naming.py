"""Which guests a call names, and why one of them is not updated."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.update import DOMAIN as UPDATE_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from ..const import CONF_EQUIPMENT, DOMAIN
from ..ota import GuestState, as_text, is_offered
from ..owners import guest_key
from .guest import Guest

_TARGETS: Final = ("entity_id", "device_id", "area_id", "floor_id", "label_id")


def mistake(key: str, **facts: str) -> ServiceValidationError:
    """Return the translated error of a call that makes no sense."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=facts
    )


def async_guests(
    hass: HomeAssistant, said: Mapping[str, Any], answer: str | None = None
) -> list[Guest]:
    """Return the guests that a target names, in the order of their names.

    Entities of every category count: nearly all update entities belong to the settings of their
    device, which Home Assistant passes over where a device, an area or a label is named. `answer`
    is what is said of their equipment. Raises ServiceValidationError for what does not exist, and
    for an entity that is none of another integration.
    """
    target = TargetSelection({key: said[key] for key in _TARGETS if said.get(key)})
    found = async_extract_referenced_entity_ids(hass, target, primary_entities_only=False)
    registry = er.async_get(hass)
    there = {item for item in found.referenced if registry.async_get(item) or hass.states.get(item)}
    missing = [
        *found.missing_areas,
        *found.missing_devices,
        *found.missing_floors,
        *found.missing_labels,
        *(found.referenced - there),
    ]
    if missing:
        raise mistake("rollout_target_unknown", what=as_text(", ".join(sorted(missing))))
    for entity_id in sorted(found.referenced):
        if not is_foreign(hass, entity_id):
            raise mistake("guest_is_none", entity=as_text(entity_id))
    indirect = {
        item
        for item in found.indirectly_referenced
        if (entry := registry.async_get(item)) is not None and entry.disabled_by is None
    }
    foreign = [item for item in found.referenced | indirect if is_foreign(hass, item)]
    guests = [Guest(hass, guest_key(hass, item), answer=answer) for item in foreign]
    return sorted(guests, key=lambda guest: (guest.title.lower(), guest.entity_id))


def is_foreign(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether it is an update entity, and not the card of one of our modules."""
    entry = er.async_get(hass).async_get(entity_id)
    is_update = entity_id.partition(".")[0] == UPDATE_DOMAIN
    return is_update and (entry is None or entry.platform != DOMAIN)


def why_left_out(guest: Guest) -> tuple[str, dict[str, str]] | None:
    """Return the reason why a guest is not updated, and the facts of its sentence."""
    state = guest.state()
    if (module := guest.module) is not None:
        return "guest_is_module", {"other": as_text(module.title)}
    if not state.is_there:
        return "guest_gone", {}
    if not state.is_available:
        return "guest_unavailable", {}
    if not state.can_install:
        return "guest_no_install", {}
    if state.installed is None or state.latest is None:
        return "guest_no_version", {}
    if not is_offered(state):
        return _up_to_date(state)
    if CONF_EQUIPMENT not in guest.options:
        return "guest_equipment", {}
    return None


def _up_to_date(state: GuestState) -> tuple[str, dict[str, str]]:
    """Tell what was skipped from what is there."""
    assert state.latest is not None
    if state.skipped == state.latest:
        return "skipped", {"version": state.latest}
    return "has_it", {"version": state.installed or state.latest}
