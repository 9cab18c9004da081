"""What the modules switch, and which of its states is the safe one."""

from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Equipment:
    """One thing in the garden; `config/configuration.yaml` says how it behaves."""

    name: str
    entity_id: str
    working: str
    """Its state while it does its work."""
    safe: str
    make_safe: str
    """The action that brings it into the safe state."""
    restore: str
    evidence: Json
    """The condition that proves the safe state."""

    def safe_state(self, *, time_limit: int = 20, stable: int = 1) -> Json:
        """Return what a person would enter in the form "Safe state"."""
        target = {"entity_id": self.entity_id}
        return {
            "equipment": "switches",
            "actions": [{"action": self.make_safe, "target": target}],
            "conditions": [
                {"condition": "state", "entity_id": self.entity_id, "state": self.safe},
                self.evidence,
            ],
            "time_limit": time_limit,
            "stable": stable,
            "restore": [{"action": self.restore, "target": target}],
            "when_missing": "restore",
        }


VALVE = Equipment(
    name="garden valve",
    entity_id="valve.garden_valve",
    working="open",
    safe="closed",
    make_safe="valve.close_valve",
    restore="valve.open_valve",
    evidence={
        "condition": "state",
        "entity_id": "input_boolean.garden_valve_is_open",
        "state": "off",
    },
)
PUMP = Equipment(
    name="well pump",
    entity_id="switch.well_pump",
    working="on",
    safe="off",
    make_safe="switch.turn_off",
    restore="switch.turn_on",
    evidence={
        "condition": "numeric_state",
        "entity_id": "sensor.well_pump_flow",
        "below": 1,
    },
)
HEATER = Equipment(
    name="greenhouse heater",
    entity_id="switch.greenhouse_heater",
    working="on",
    safe="off",
    make_safe="switch.turn_off",
    restore="switch.turn_on",
    evidence={
        "condition": "template",
        "value_template": "{{ states('sensor.greenhouse_heater_power') | float(9999) < 5 }}",
    },
)

VALVE_JAMMED = "input_boolean.garden_valve_jammed"
"""While it is on, the valve's motor turns in vain."""
GARDEN = {
    "input_boolean.garden_valve_is_open": "on",
    VALVE_JAMMED: "off",
    "input_boolean.well_pump_turns": "on",
    "input_boolean.greenhouse_heater_glows": "on",
}
"""What the garden is like, by the boxes that stand for its hardware."""
