"""A module's options: what is stored, and what is refused on the form."""

import asyncio
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import ReleaseName
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.forms import at, filled_in
from tests.kit.garden import Garden, options_for
from tests.kit.sentences import assert_abort_is_whole, assert_form_is_whole
from tests.virtual_module import Seen

CLOSE = {"action": "input_boolean.turn_off", "target": {"entity_id": "input_boolean.valve"}}
CLOSED = {"condition": "state", "entity_id": "input_boolean.valve", "state": "off"}
FORM: dict[str, Any] = {
    "equipment": "switches",
    "actions": [CLOSE],
    "conditions": [CLOSED],
    "time_limit": 30,
    "stable": 2,
    "when_missing": "restore",
}


@pytest.fixture
async def entry(hass: HomeAssistant, esp_ota: None, start_module: StartModule) -> MockConfigEntry:
    """Return a loaded module, and a valve to be closed."""
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"valve": {}}})
    entry = entry_for(await start_module())
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def open_step(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> dict[str, Any]:
    """Open the menu and choose one form."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    return await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": step}
    )


async def save(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> dict[str, Any]:
    """Fill in the safe-state form and send it."""
    form = await open_step(hass, entry, "safe_state")
    answer = {key: value for key, value in (FORM | changes).items() if value is not None}
    sent = filled_in(form, answer)
    return await hass.config_entries.options.async_configure(form["flow_id"], sent)


async def test_a_safe_state_is_stored_as_it_was_typed_and_can_be_written_to_disk(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    conditions = [
        CLOSED | {"for": {"seconds": 2}},
        {"condition": "template", "value_template": "{{ is_state('input_boolean.valve', 'off') }}"},
    ]
    result = await save(hass, entry, conditions=conditions, restore=[CLOSE])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["safe_state"]["conditions"] == conditions
    assert json.loads(json.dumps(dict(entry.options["safe_state"]))) == {
        "actions": [CLOSE],
        "conditions": conditions,
        "time_limit": 30,
        "stable": 2,
        "restore": [CLOSE],
        "when_missing": "restore",
    }
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.options["firmware"] == "garden-valve"  # the other form's answers stay


@pytest.mark.parametrize(
    "conditions",
    [
        None,
        [],
        [CLOSED | {"enabled": False}],
        [{"condition": "and", "conditions": []}],
        [{"or": [CLOSED | {"enabled": False}]}],
    ],
    ids=["absent", "empty", "disabled", "empty group", "group of disabled ones"],
)
async def test_without_a_condition_that_can_say_no_nothing_is_saved(
    hass: HomeAssistant, entry: MockConfigEntry, conditions: list[Any] | None
) -> None:
    result = await save(hass, entry, conditions=conditions)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"before": "no_condition"}
    assert "safe_state" not in entry.options


SEVERAL = {"entity_id": ["valve.front", "valve.back"]}


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ({"condition": "valve.is_closed", "target": SEVERAL}, True),
        ({"condition": "valve.is_closed", "target": {"area_id": "garden"}}, True),
        (
            {
                "condition": "valve.is_closed",
                "target": SEVERAL,
                "options": {"behavior": "all"},
            },
            False,
        ),
        ({"condition": "valve.is_closed", "target": {"entity_id": "valve.front"}}, False),
        ({"or": [{"condition": "valve.is_closed", "target": SEVERAL}]}, True),
        ("{{ is_state('valve.front', 'closed') }}", False),
        (CLOSED, False),
    ],
)
async def test_any_one_of_several_valves_confirms_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, condition: Any, refused: bool
) -> None:
    assert await async_setup_component(hass, "valve", {})
    result = await save(hass, entry, conditions=[condition])
    if refused:
        assert result["errors"] == {"before": "any_of_several"}
    else:
        assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_nothing_needed_is_an_answer_without_conditions(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    result = await save(hass, entry, equipment="nothing", conditions=None, actions=None)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["equipment"] == "nothing"


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": [{"delay": "soon"}]},
        {"restore": [{"no such": "step"}]},
        {"conditions": [{"condition": "device", "device_id": "gone", "domain": "light"}]},
    ],
)
async def test_a_sequence_that_cannot_be_used_is_said_on_the_form(
    hass: HomeAssistant, entry: MockConfigEntry, changes: dict[str, Any]
) -> None:
    result = await save(hass, entry, **changes)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == at(result, dict.fromkeys(changes, "invalid_sequence"))
    assert result["description_placeholders"]["error"]
    again = await hass.config_entries.options.async_configure(
        result["flow_id"], filled_in(result, FORM)
    )
    assert again["type"] is FlowResultType.CREATE_ENTRY


async def test_the_firmware_form_offers_what_the_library_holds(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    name = ReleaseName(file_name="any.bin")
    await hass.data[HOUSE].library.async_add(firmware("1.0.0"), name, source="upload")
    form = await open_step(hass, entry, "firmware")
    selectors = {str(key): value for key, value in form["data_schema"].schema.items()}
    assert selectors["firmware"].config["options"] == ["garden-valve"]

    answer = {"firmware": "pump", "chip": "esp32s3", "accepted_checks": ["firmware"]}
    result = await hass.config_entries.options.async_configure(form["flow_id"], answer)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert dict(entry.options) == {"equipment": "nothing", "gzip": True} | answer
    await hass.async_block_till_done()
    facts = entry.runtime_data.coordinator.facts()
    assert (facts.chip, facts.firmware) == ("esp32s3", "pump")
    assert entry.runtime_data.coordinator.accepted == {"firmware"}


async def test_an_emptied_field_is_forgotten(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await open_step(hass, entry, "firmware")
    await hass.config_entries.options.async_configure(form["flow_id"], {})
    assert dict(entry.options) == {"equipment": "nothing", "gzip": True}


@pytest.mark.slow
async def test_options_wait_while_an_install_runs(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(loop_time=10)
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.INVITED)

    result = await garden.hass.config_entries.options.async_init(entry.entry_id)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "install_running"
    assert_abort_is_whole("options", result)
    await install
    assert module.running_version == "1.1.0"


async def test_a_module_that_is_not_loaded_can_be_configured(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU


async def test_the_watch_over_new_firmware_is_stored_beside_the_other_answers(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await open_step(hass, entry, "verification")
    assert_form_is_whole("options", form)
    said = {"rollback": "auto", "soak_minutes": 5, "soak_entities": ["sensor.flow"]}
    result = await hass.config_entries.options.async_configure(form["flow_id"], said)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert {key: entry.options[key] for key in said} == said
    assert entry.options["firmware"] == "garden-valve"
    await hass.async_block_till_done()

    form = await open_step(hass, entry, "verification")
    said = {"rollback": "never", "soak_minutes": 0}
    await hass.config_entries.options.async_configure(form["flow_id"], said)
    assert "soak_entities" not in entry.options
