"""Steps of a sequence, and conditions, as people write them: harmless, failing and in vain."""

from typing import Any

import voluptuous as vol

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError
from tests.kit.garden import VALVE_CLOSED

NEVER = {"condition": "template", "value_template": "{{ false }}"}
ALWAYS = {"condition": "template", "value_template": "{{ true }}"}
IRRIGATING = "binary_sensor.irrigating"
WHILE_IRRIGATING = {"condition": "state", "entity_id": IRRIGATING, "state": "on"}
NOT_IRRIGATING = WHILE_IRRIGATING | {"state": "off"}
VALVE_OPEN = VALVE_CLOSED | {"state": "on"}
STOP = {"stop": "no water", "error": True}
WAIT = {"wait_template": "{{ false }}", "timeout": {"milliseconds": 50}}
WAIT_FOR = {
    "wait_for_trigger": [{"trigger": "event", "event_type": "never"}],
    "timeout": {"milliseconds": 50},
}
FAIL: dict[str, Any] = {"action": "test.fail"}
BROKEN: dict[str, Any] = {"action": "test.broken"}
MISSING = {"action": "input_boolean.turn_off", "target": {"entity_id": "input_boolean.nowhere"}}


def said(**answer: Any) -> list[dict[str, Any]]:
    """Return steps that end a sequence with an answer."""
    return [
        {"variables": {"answer": answer}},
        {"stop": "asked", "response_variable": "answer"},
    ]


def have_actions(hass: HomeAssistant) -> None:
    """Have actions that fail, each in its own way."""

    @callback
    def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("the bus is down")

    @callback
    def broken(call: ServiceCall) -> None:
        raise ValueError("an error in somebody's integration")

    hass.services.async_register("test", "fail", fail)
    hass.services.async_register("test", "broken", broken)
    picky = vol.Schema({vol.Required("level"): int})
    hass.services.async_register("test", "picky", fail, schema=picky)
