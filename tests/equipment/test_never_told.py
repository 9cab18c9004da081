"""What rests on something unavailable, unknown or missing is never true, under `not` as well."""

from typing import Any

import pytest

from custom_components.esp_ota.equipment import Conditions, sweeps
from custom_components.esp_ota.equipment.safe_state import ConfiguredSafeState
from custom_components.esp_ota.equipment.sequence import Sequence
from custom_components.esp_ota.ota import Cause, InstallRefused
from homeassistant.core import Context, HomeAssistant
from homeassistant.setup import async_setup_component

FLOW = "sensor.flow"
LOST = "sensor.lost"
BELOW: dict[str, Any] = {"condition": "numeric_state", "entity_id": FLOW, "below": 5}
STATE: dict[str, Any] = {"condition": "state", "entity_id": FLOW}

NEVER: dict[str, Any] = {
    "a value that reads an unavailable entity": BELOW
    | {"value_template": "{{ states('sensor.lost') | float(0) }}"},
    "a value that reads a missing entity": BELOW
    | {"value_template": "{{ states('sensor.nowhere') | float(0) }}"},
    "a value that is no number": BELOW | {"value_template": "{{ float('nan') }}"},
    "a value that is endless": BELOW | {"value_template": "{{ float('-inf') }}"},
    "a value that is nothing": BELOW | {"value_template": "{{ state.attributes.nothing }}"},
    "an attribute that is no number": BELOW | {"attribute": "nan"},
    "an attribute that is no number in letters": BELOW | {"attribute": "nan_text"},
    "an attribute that is not there": BELOW | {"attribute": "nowhere"},
    "an attribute that is nothing": BELOW | {"attribute": "nothing"},
    "an attribute that is unknown": BELOW | {"attribute": "unknown"},
    "a limit that is no number": BELOW | {"below": "sensor.nan"},
    "a state of an attribute that is not there": STATE | {"attribute": "nowhere", "state": "x"},
    "a state of an attribute that is nothing": STATE | {"attribute": "nothing", "state": "x"},
    "a state of an attribute that is unavailable": STATE
    | {"attribute": "unavailable", "state": "x"},
    "a template of an unavailable entity": "{{ states('sensor.lost') | float(0) < 5 }}",
    "a template over all sensors": "{{ states.sensor | list | count > 1000 }}",
    "a template over all states": "{{ states | list | count > 10000 }}",
    "a template that counts": "{{ states.sensor | count > 1000 }}",
    "a value over all sensors": BELOW | {"value_template": "{{ states.sensor | list | count }}"},
}


@pytest.fixture(autouse=True)
def _states(hass: HomeAssistant) -> None:
    attributes = {
        "nan": float("nan"),
        "nan_text": "NaN",
        "nothing": None,
        "unknown": "unknown",
        "unavailable": "unavailable",
        "level": 3,
        "mode": "shut",
    }
    hass.states.async_set(FLOW, "3", attributes)
    hass.states.async_set(LOST, "unavailable")
    hass.states.async_set("sensor.nan", "nan")


async def answers(hass: HomeAssistant, condition: Any) -> tuple[list[str], list[str]]:
    """Return why it is not true, and why it is not false."""
    conditions = await Conditions.load(hass, [condition])
    try:
        return conditions.unmet({}), conditions.standing({})
    finally:
        conditions.unload()


@pytest.mark.parametrize("condition", NEVER.values(), ids=NEVER)
async def test_it_is_neither_true_nor_false_and_says_why(
    hass: HomeAssistant, condition: Any
) -> None:
    for asked in (condition, {"not": [condition]}, {"not": [{"not": [condition]}]}):
        unmet, standing = await answers(hass, asked)
        assert unmet
        assert standing
        assert "(" in unmet[0], "no reason"


TOLD: dict[str, tuple[Any, bool]] = {
    "a number": (BELOW, True),
    "an attribute": (BELOW | {"attribute": "level"}, True),
    "a value": (BELOW | {"value_template": "{{ state.attributes.level + 4 }}"}, False),
    "a value of another entity": (BELOW | {"value_template": "{{ states('sensor.flow') }}"}, True),
    "a state of an attribute": (STATE | {"attribute": "mode", "state": "shut"}, True),
    "an attribute that is asked for as unknown": (
        STATE | {"attribute": "unknown", "state": "unknown"},
        True,
    ),
    "an entity that is asked for as unavailable": (
        STATE | {"entity_id": LOST, "state": "unavailable"},
        True,
    ),
    "a template of one entity": ("{{ states.sensor.flow.state == '3' }}", True),
}


@pytest.mark.parametrize(("condition", "is_true"), TOLD.values(), ids=TOLD)
async def test_what_can_be_told_is_told(hass: HomeAssistant, condition: Any, is_true: bool) -> None:
    assert (not (await answers(hass, condition))[0]) is is_true
    assert (not (await answers(hass, {"not": [condition]}))[0]) is not is_true


@pytest.mark.parametrize("negated", [False, True])
async def test_targets_without_a_number_say_nothing(hass: HomeAssistant, negated: bool) -> None:
    """Those of the editor of 2026.10: a humidifier without a humidity, say."""
    assert await async_setup_component(hass, "humidity", {})
    hass.states.async_set(
        "sensor.damp", "nan", {"device_class": "humidity", "unit_of_measurement": "%"}
    )
    threshold = {"type": "below", "value": {"number": 50}}
    condition: dict[str, Any] = {
        "condition": "humidity.is_value",
        "target": {"entity_id": "sensor.damp"},
        "options": {"behavior": "all", "threshold": threshold},
    }
    assert (await answers(hass, {"not": [condition]} if negated else condition))[0]


# Templates that look through everything

SWEEPS = [
    "{{ states | selectattr('state', 'eq', 'on') | list | count == 0 }}",
    "{{ states.light | list }}",
    "{{ states['light'] | list }}",
    "{% for item in states.light %}{{ item }}{% endfor %}",
    "{% if false %}{{ states.light | count }}{% endif %}",
    "{% set all = states %}{{ all.light | list }}",
    "{{ expand(states.valve) | list }}",
    "{{ [states] }}",
]
NAMES = [
    "{{ states('light.kitchen') == 'on' }}",
    "{{ states.light.kitchen.state == 'on' }}",
    "{{ states['light.kitchen'].state == 'on' }}",
    "{{ states.light['kitchen'].state == 'on' }}",
    "{{ states(module) == 'on' }}",
    "{{ states[module].state == 'on' }}",
    "{{ area_entities('garden') | select('is_state', 'on') | list | count == 0 }}",
    "{{ 'states' == 'light' }}",
    "{{ broken",
]


@pytest.mark.parametrize("template", SWEEPS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: {"condition": "template", "value_template": text},
        lambda text: {"or": [{"not": [{"condition": "template", "value_template": text}]}]},
        lambda text: BELOW | {"value_template": text},
    ],
    ids=["short", "long", "nested", "a value"],
)
def test_a_template_over_all_states_is_seen(template: str, wrap: Any) -> None:
    assert sweeps([wrap(template)])


@pytest.mark.parametrize("template", NAMES)
def test_a_template_that_names_its_entities_is_not_taken_for_one(template: str) -> None:
    assert not sweeps([template])


@pytest.mark.parametrize("key", ["inhibit", "conditions", "restore_conditions"])
async def test_stored_options_with_such_a_template_refuse_before_anything_is_touched(
    hass: HomeAssistant, key: str
) -> None:
    options = {"conditions": [STATE | {"state": "3"}], key: [SWEEPS[0]]}
    state = ConfiguredSafeState(hass, options, Sequence(hass, "test", Context(), {}))

    with pytest.raises(InstallRefused) as caught:
        await state.admit()

    assert caught.value.cause is Cause.SAFE_STATE_INVALID
    assert caught.value.facts["detail"] == "sweeps"
