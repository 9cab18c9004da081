"""Safe states that most people need, to be seen and changed before they are stored."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_STATE
from homeassistant.helpers import selector

from ..const import CONF_ACTIONS, CONF_CONDITIONS, CONF_RESTORE, CONF_RESTORE_CONDITIONS

_CONF_ENTITIES: Final = "entities"
_CONF_FLOW: Final = "flow_sensor"
_CONF_RETURN: Final = "return"
_CONF_SCRIPT: Final = "script"
_CONF_CONFIRM: Final = "confirming_entity"
_CONF_RESTORE_SCRIPT: Final = "restore_script"
_NO_FLOW: Final = 0.1
"""In whatever unit the sensor has; a meter at rest says zero, but some are never quite still."""

FILLED: Final = (CONF_ACTIONS, CONF_CONDITIONS, CONF_RESTORE, CONF_RESTORE_CONDITIONS)
"""What a preset says; everything else is left as it was."""

type Json = dict[str, Any]


def _entities(*domains: str, multiple: bool = False) -> selector.EntitySelector:
    config = selector.EntitySelectorConfig(multiple=multiple)
    if domains:
        config["domain"] = list(domains)
    return selector.EntitySelector(config)


def _act(action: str, entities: list[str]) -> list[Json]:
    return [{"action": action, "target": {"entity_id": entities}}]


def _each_is(state: str, entities: list[str]) -> list[Json]:
    """Return one condition for each: the editor shows which one is not true."""
    return [{"condition": "state", "entity_id": entity, "state": state} for entity in entities]


def _close_valve(said: Mapping[str, Any]) -> Json:
    valves = said[_CONF_ENTITIES]
    safe_state: Json = {
        CONF_ACTIONS: _act("valve.close_valve", valves),
        CONF_CONDITIONS: _each_is("closed", valves),
    }
    if flow := said.get(_CONF_FLOW):
        no_flow = {"condition": "numeric_state", "entity_id": flow, "below": _NO_FLOW}
        safe_state[CONF_CONDITIONS].append(no_flow)
    if said[_CONF_RETURN]:
        safe_state[CONF_RESTORE] = _act("valve.open_valve", valves)
        safe_state[CONF_RESTORE_CONDITIONS] = _each_is("open", valves)
    return safe_state


def _switch_off(said: Mapping[str, Any]) -> Json:
    switches = said[_CONF_ENTITIES]
    safe_state: Json = {
        CONF_ACTIONS: _act("homeassistant.turn_off", switches),
        CONF_CONDITIONS: _each_is("off", switches),
    }
    if said[_CONF_RETURN]:
        safe_state[CONF_RESTORE] = _act("homeassistant.turn_on", switches)
        safe_state[CONF_RESTORE_CONDITIONS] = _each_is("on", switches)
    return safe_state


def _call_script(said: Mapping[str, Any]) -> Json:
    # By its own name it is waited for; `script.turn_on` would only start it.
    safe_state: Json = {
        CONF_ACTIONS: [{"action": said[_CONF_SCRIPT]}],
        CONF_CONDITIONS: _each_is(said[CONF_STATE], [said[_CONF_CONFIRM]]),
    }
    if script := said.get(_CONF_RESTORE_SCRIPT):
        safe_state[CONF_RESTORE] = [{"action": script}]
    return safe_state


class Preset:
    """One form, and the safe state that its answers make."""

    def __init__(self, fields: Mapping[vol.Marker, Any], make: Callable[[Json], Json]) -> None:
        """Take both."""
        self.schema = vol.Schema(dict(fields))
        self.make = make


PRESETS: Final = {
    "close_valve": Preset(
        {
            vol.Required(_CONF_ENTITIES): _entities("valve", multiple=True),
            vol.Optional(_CONF_FLOW): _entities("sensor"),
            vol.Required(_CONF_RETURN, default=False): selector.BooleanSelector(),
        },
        _close_valve,
    ),
    "switch_off": Preset(
        {
            vol.Required(_CONF_ENTITIES): _entities(
                "switch", "light", "fan", "input_boolean", "climate", "water_heater", multiple=True
            ),
            vol.Required(_CONF_RETURN, default=False): selector.BooleanSelector(),
        },
        _switch_off,
    ),
    "call_script": Preset(
        {
            vol.Required(_CONF_SCRIPT): _entities("script"),
            vol.Required(_CONF_CONFIRM): _entities(),
            vol.Required(CONF_STATE): selector.TextSelector(),
            vol.Optional(_CONF_RESTORE_SCRIPT): _entities("script"),
        },
        _call_script,
    ),
}
