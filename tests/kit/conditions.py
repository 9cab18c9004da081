"""Conditions over two valves and a flow, and what stands in their way."""

from typing import Any

from custom_components.esp_ota.equipment import Conditions
from homeassistant.core import HomeAssistant

TRUE = "{{ true }}"


FALSE = "{{ false }}"


BOTH = {"entity_id": ["valve.a", "valve.b"]}


ALL: dict[str, Any] = {"options": {"behavior": "all"}}


A_CLOSED = {"condition": "state", "entity_id": "valve.a", "state": "closed"}


A_OPEN = A_CLOSED | {"state": "open"}


B_CLOSED = A_CLOSED | {"entity_id": "valve.b"}


A_IS_CLOSED = {"condition": "valve.is_closed", "target": {"entity_id": "valve.a"}}


BOTH_ARE_CLOSED = {"condition": "valve.is_closed", "target": BOTH} | ALL


NO_FLOW = {"condition": "numeric_state", "entity_id": "sensor.flow", "below": 0.1}


async def unmet(hass: HomeAssistant, *raw: Any, **variables: Any) -> list[str]:
    """Return what of the conditions is not true."""
    conditions = await Conditions.load(hass, list(raw))
    found = conditions.unmet(variables)
    conditions.unload()
    return found


async def standing(hass: HomeAssistant, *raw: Any) -> list[str]:
    """Return what of the conditions is not false."""
    conditions = await Conditions.load(hass, list(raw))
    found = conditions.standing({})
    conditions.unload()
    return found
