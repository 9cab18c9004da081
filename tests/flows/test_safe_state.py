"""The forms about a safe state: what is stored, what is refused, presets, and the house's."""

import asyncio
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment import PRESETS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for
from tests.kit.forms import at, filled_in, sections_of, suggested
from tests.kit.garden import CLOSE_VALVE, OPEN_VALVE, VALVE_CLOSED, Garden, options_for, until
from tests.kit.sentences import assert_form_is_whole
from tests.kit.valve import VALVE, plant_valve
from tests.virtual_module import Seen

VALVE_OPEN = VALVE_CLOSED | {"state": "on"}
TWO = {"entity_id": ["valve.a", "valve.b"]}
FORM: dict[str, Any] = {
    "actions": [CLOSE_VALVE],
    "conditions": [VALVE_CLOSED],
    "time_limit": 30,
    "stable": 2,
    "when_missing": "restore",
}
SWEEP = {"condition": "template", "value_template": "{{ states | count > 9 }}"}
ALL_OF_IT = FORM | {
    "inhibit": [{"condition": "state", "entity_id": "binary_sensor.rain", "state": "on"}],
    "restore": [OPEN_VALVE],
    "restore_conditions": [VALVE_OPEN | {"for": {"seconds": 1}}],
    "when_missing": "stay_safe",
}


@pytest.fixture
async def house(garden: Garden) -> MockConfigEntry:
    """Return the house's entry."""
    options = {"parallel_installs": 3}
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id="house", data={"kind": "house"}, options=options
    )
    return await garden.add(entry)


@pytest.fixture
async def entry(
    garden: Garden, house: MockConfigEntry, start_module: StartModule
) -> MockConfigEntry:
    """Return a module of which nobody has said what it switches."""
    return await garden.add(entry_for(await start_module(), options={"firmware": "pump"}))


async def go(hass: HomeAssistant, entry: MockConfigEntry, *steps: str) -> dict[str, Any]:
    """Open the menu and choose, again and again."""
    result: dict[str, Any] = await hass.config_entries.options.async_init(entry.entry_id)
    for step in steps:
        assert result["type"] is FlowResultType.MENU
        result = await answer(hass, result, {"next_step_id": step})
    return result


async def answer(
    hass: HomeAssistant, shown: dict[str, Any], said: dict[str, Any]
) -> dict[str, Any]:
    """Send a form."""
    result: dict[str, Any] = await hass.config_entries.options.async_configure(
        shown["flow_id"], filled_in(shown, said)
    )
    if result["type"] is FlowResultType.FORM:
        assert_form_is_whole("options", result)
    return result


# Typing it


async def test_all_of_it_is_stored_and_shown_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await go(hass, entry, "safe_state")
    result = await answer(hass, form, ALL_OF_IT | {"equipment": "switches"})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert json.loads(json.dumps(dict(entry.options))) == {
        "firmware": "pump",
        "equipment": "switches",
        "safe_state": ALL_OF_IT,
    }
    await hass.async_block_till_done()
    again = await go(hass, entry, "safe_state")
    assert suggested(again) == ALL_OF_IT | {"equipment": "switches"}


MISTAKES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "nothing confirms it": ({"conditions": []}, {"conditions": "no_condition"}),
    "any of two confirm it": (
        {"conditions": [VALVE_CLOSED | TWO | {"match": "any"}]},
        {"conditions": "any_of_several"},
    ),
    "any of two confirm the restore": (
        {"restore_conditions": [{"condition": "valve.is_open", "target": TWO}]},
        {"restore_conditions": "any_of_several"},
    ),
    "only all of two inhibit": (
        {"inhibit": [VALVE_OPEN | TWO]},
        {"inhibit": "all_of_several"},
    ),
    "it can never be stable": ({"stable": 30}, {"stable": "stable_too_long"}),
    "an inhibit condition is none": (
        {"inhibit": [{"condition": "device", "device_id": "gone", "domain": "switch"}]},
        {"inhibit": "invalid_sequence"},
    ),
    "a condition of the restore is none": (
        {"restore_conditions": [{"condition": "nowhere.is_open"}]},
        {"restore_conditions": "invalid_sequence"},
    ),
    "a condition looks through all states": (
        {"conditions": ["{{ states.valve | selectattr('state', 'eq', 'open') | list == [] }}"]},
        {"conditions": "sweeps"},
    ),
    "an inhibit condition does": ({"inhibit": [SWEEP]}, {"inhibit": "sweeps"}),
    "a condition of the restore does": (
        {"restore_conditions": [{"not": [SWEEP]}]},
        {"restore_conditions": "sweeps"},
    ),
    "the house has none": (
        {"equipment": "house", "conditions": []},
        {"equipment": "no_house_safe_state"},
    ),
}


@pytest.mark.parametrize(("changes", "errors"), MISTAKES.values(), ids=MISTAKES)
async def test_mistakes_are_said_where_they_are_and_what_was_typed_stays(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    changes: dict[str, Any],
    errors: dict[str, str],
) -> None:
    before = dict(entry.options)
    said = FORM | {"equipment": "switches"} | changes
    result = await answer(hass, await go(hass, entry, "safe_state"), said)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == at(result, errors)
    parts = sections_of(result)
    assert not any(parts[name].options["collapsed"] for name in result["errors"] if name in parts)
    assert suggested(result).items() >= said.items()
    assert entry.options == before


async def test_nothing_needed_forgets_what_was_never_typed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await go(hass, entry, "safe_state")
    said = {"equipment": "nothing", "time_limit": 60, "stable": 3, "when_missing": "restore"}
    await answer(hass, form, said)
    assert entry.options == {"firmware": "pump", "equipment": "nothing"}


@pytest.mark.slow
async def test_a_form_that_was_open_before_an_update_began_is_not_stored_under_it(
    garden: Garden, house: MockConfigEntry, start_module: StartModule
) -> None:
    """It would reload the module, and end the update."""
    module = await start_module(loop_time=10)
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    form = await go(garden.hass, entry, "safe_state")
    of_house = await go(garden.hass, house, "house_safe_state", "safe_state")
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.INVITED)

    result = await answer(garden.hass, form, FORM | {"equipment": "switches"})
    assert result["errors"] == {"base": "relied_upon"}
    # This module has a safe state of its own: the house's may change.
    result = await answer(garden.hass, of_house, FORM)
    assert result["type"] is FlowResultType.CREATE_ENTRY

    await install
    result = await answer(garden.hass, form, FORM | {"equipment": "switches"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.slow
async def test_the_houses_safe_state_is_not_changed_under_an_update_that_relies_on_it(
    garden: Garden, house: MockConfigEntry, start_module: StartModule
) -> None:
    garden.hass.config_entries.async_update_entry(house, options={"safe_state": FORM})
    module = await start_module(loop_time=10)
    await garden.release("1.1.0")
    options = {"firmware": "garden-valve", "equipment": "house"}
    await garden.add(entry_for(module, options=options))
    form = await go(garden.hass, house, "house_safe_state", "safe_state")
    install = asyncio.create_task(garden.install())
    await until(lambda: "making_safe" in garden.stages)

    result = await answer(garden.hass, form, FORM | {"actions": []})
    assert result["errors"] == {"base": "relied_upon"}

    await install
    assert module.running_version == "1.1.0"


# Presets


PRESET: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "close_valve": (
        {"entities": ["valve.a", "valve.b"], "flow_sensor": "sensor.flow", "return": True},
        {
            "actions": [{"action": "valve.close_valve", "target": TWO}],
            "conditions": [
                {"condition": "state", "entity_id": "valve.a", "state": "closed"},
                {"condition": "state", "entity_id": "valve.b", "state": "closed"},
                {"condition": "numeric_state", "entity_id": "sensor.flow", "below": 0.1},
            ],
            "restore": [{"action": "valve.open_valve", "target": TWO}],
            "restore_conditions": [
                {"condition": "state", "entity_id": "valve.a", "state": "open"},
                {"condition": "state", "entity_id": "valve.b", "state": "open"},
            ],
        },
    ),
    "switch_off": (
        {"entities": ["switch.pump"], "return": True},
        {
            "actions": [
                {"action": "homeassistant.turn_off", "target": {"entity_id": ["switch.pump"]}}
            ],
            "conditions": [{"condition": "state", "entity_id": "switch.pump", "state": "off"}],
            "restore": [
                {"action": "homeassistant.turn_on", "target": {"entity_id": ["switch.pump"]}}
            ],
            "restore_conditions": [
                {"condition": "state", "entity_id": "switch.pump", "state": "on"}
            ],
        },
    ),
    "call_script": (
        {
            "script": "script.drain",
            "confirming_entity": "sensor.level",
            "state": "empty",
            "restore_script": "script.fill",
        },
        {
            "actions": [{"action": "script.drain"}],
            "conditions": [{"condition": "state", "entity_id": "sensor.level", "state": "empty"}],
            "restore": [{"action": "script.fill"}],
        },
    ),
}
NOT_BACK: dict[str, dict[str, Any]] = {
    "close_valve": {"entities": ["valve.a"], "return": False},
    "switch_off": {"entities": ["switch.pump"], "return": False},
    "call_script": {"script": "script.a", "confirming_entity": "sensor.a", "state": "empty"},
}


def test_every_preset_is_tested() -> None:
    assert PRESET.keys() == NOT_BACK.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", PRESET)
async def test_a_preset_fills_the_form_and_stores_nothing_by_itself(
    hass: HomeAssistant, entry: MockConfigEntry, name: str
) -> None:
    said, filled = PRESET[name]
    hass.config_entries.async_update_entry(
        entry, options={"equipment": "nothing", "safe_state": ALL_OF_IT}
    )
    await hass.async_block_till_done()
    form = await go(hass, entry, "safe_state_preset", f"preset_{name}")
    assert_form_is_whole("options", form)

    result = await answer(hass, form, said)

    assert result["step_id"] == "safe_state"
    assert result["errors"] == {}
    shown = suggested(result)
    kept = ("inhibit", "time_limit", "stable", "when_missing")
    assert shown == {key: ALL_OF_IT[key] for key in kept} | filled | {"equipment": "switches"}
    assert entry.options["equipment"] == "nothing"

    result = await answer(hass, result, shown)
    if result.get("step_id") == "restore_unread":  # there is no such script here
        result = await answer(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    stored = entry.options["safe_state"]
    assert {key: stored[key] for key in filled} == filled


@pytest.mark.parametrize("name", NOT_BACK)
async def test_a_preset_without_a_restore_has_none(
    hass: HomeAssistant, entry: MockConfigEntry, name: str
) -> None:
    form = await go(hass, entry, "safe_state_preset", f"preset_{name}")
    shown = suggested(await answer(hass, form, NOT_BACK[name]))
    assert shown.keys() == {"equipment", "actions", "conditions"}


async def test_a_preset_of_no_valves_cannot_be_stored(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await go(hass, entry, "safe_state_preset", "preset_close_valve")
    shown = await answer(hass, form, {"entities": [], "return": False})
    result = await answer(hass, shown, suggested(shown))
    assert result["errors"] == {"before": "no_condition"}


@pytest.mark.slow
async def test_the_valve_preset_works_as_it_is(
    garden: Garden, house: MockConfigEntry, start_module: StartModule
) -> None:
    valve = await plant_valve(garden.hass)
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options={"firmware": "garden-valve"}))
    form = await go(garden.hass, entry, "safe_state_preset", "preset_close_valve")
    shown = await answer(garden.hass, form, {"entities": [VALVE], "return": True})
    await answer(garden.hass, shown, suggested(shown) | {"stable": 1})
    await garden.hass.async_block_till_done()

    await garden.install()

    assert module.running_version == "1.1.0"
    assert valve.moved == ["closed", "open"]


# The house's


async def test_the_house_has_a_safe_state_of_its_own(
    hass: HomeAssistant, house: MockConfigEntry, entry: MockConfigEntry
) -> None:
    form = await go(hass, house, "house_safe_state", "safe_state")
    assert_form_is_whole("options", form)
    assert not {"equipment", "try_now"} & {str(key) for key in form["data_schema"].schema}
    result = await answer(hass, form, ALL_OF_IT)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert house.options == {"parallel_installs": 3, "safe_state": ALL_OF_IT}
    await hass.async_block_till_done()

    # Now a module may use it.
    said = FORM | {"equipment": "house", "actions": [], "conditions": []}
    result = await answer(hass, await go(hass, entry, "safe_state"), said)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["equipment"] == "house"
    assert "safe_state" not in entry.options


async def test_the_house_needs_a_condition_as_well(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    form = await go(hass, house, "house_safe_state", "safe_state")
    result = await answer(hass, form, FORM | {"conditions": []})
    assert result["errors"] == {"before": "no_condition"}


async def test_an_emptied_form_of_the_house_is_no_safe_state(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(house, options={"safe_state": ALL_OF_IT})
    await hass.async_block_till_done()
    form = await go(hass, house, "house_safe_state", "safe_state")
    emptied = {"time_limit": 60, "stable": 3, "when_missing": "restore"}
    result = await answer(hass, form, emptied)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert house.options == {}


async def test_the_house_has_presets_too(hass: HomeAssistant, house: MockConfigEntry) -> None:
    form = await go(hass, house, "house_safe_state", "preset_close_valve")
    said, filled = PRESET["close_valve"]
    shown = await answer(hass, form, said)
    assert suggested(shown) == filled
    await answer(hass, shown, suggested(shown))
    assert house.options["safe_state"].items() >= filled.items()
    assert "equipment" not in house.options
