"""Trying a safe state: every step is shown, the restore runs once, and nothing else changes."""

import asyncio
from copy import deepcopy
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment.safe_state import ConfiguredSafeState
from custom_components.esp_ota.house import InstallNote
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    UNTOUCHED,
    VALVE,
    VALVE_CLOSED,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.sentences import (
    assert_abort_is_whole,
    assert_form_is_whole,
    assert_issue_is_whole,
    assert_progress_is_whole,
)
from tests.kit.valve import VALVE as REAL_VALVE, plant_valve
from tests.virtual_module import Seen, VirtualModule

KEY = "esp_ota.journal"
VALVE_OPEN = VALVE_CLOSED | {"state": "on"}
SLOW = {"delay": {"milliseconds": 400}}
STEPS = ("inhibit", "actions", "conditions", "stable", "restore", "restore_conditions")
ALL_STEPS = {"restore_conditions": [VALVE_OPEN]}


@pytest.fixture
async def module(garden: Garden, start_module: StartModule) -> VirtualModule:
    """Switch on a module that nothing is wrong with, and have a release for it."""
    await garden.release("1.1.0")
    return await start_module()


@pytest.fixture(autouse=True)
def _actions(garden: Garden) -> None:
    """Have an action that fails."""

    @callback
    def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("the | bus\nis down")

    garden.hass.services.async_register("test", "fail", fail)


async def add(garden: Garden, module: VirtualModule, **safe_state: Any) -> MockConfigEntry:
    """Set up a module with a changed safe state."""
    return await garden.add(entry_for(module, options=options_for(safe_state)))


async def choose(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> dict[str, Any]:
    """Open the menu and choose."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    return await send(hass, menu, {"next_step_id": step})


async def send(
    hass: HomeAssistant, shown: dict[str, Any], said: dict[str, Any] | None
) -> dict[str, Any]:
    result: dict[str, Any] = await hass.config_entries.options.async_configure(
        shown["flow_id"], said
    )
    return result


async def outcome(hass: HomeAssistant, shown: dict[str, Any]) -> dict[str, Any]:
    """Wait as the window does until the try has ended, and return the form that tells."""
    options = hass.config_entries.options
    await until(lambda: options.async_get(shown["flow_id"])["step_id"] == "tried")
    await hass.async_block_till_done()
    form = await send(hass, shown, None)
    assert form["type"] is FlowResultType.FORM
    assert_form_is_whole("options", form)
    return form


async def try_it(garden: Garden, entry: MockConfigEntry) -> dict[str, Any]:
    """Try what is stored."""
    return await outcome(garden.hass, await choose(garden.hass, entry, "try_safe_state"))


def cells(form: dict[str, Any]) -> dict[str, str]:
    """Return how each step ended: done, failed, or not reached."""
    return {step: form["description_placeholders"][step][0] for step in STEPS}


async def test_every_step_is_shown_and_nothing_else_changes(
    garden: Garden, module: VirtualModule, hass_storage: dict[str, Any]
) -> None:
    entry = await add(garden, module, **ALL_STEPS)
    before = deepcopy(dict(entry.options)), garden.card

    form = await try_it(garden, entry)

    assert form["errors"] == {}
    assert cells(form) == dict.fromkeys(STEPS, "✓")
    assert garden.valve == CLOSED_AND_OPENED
    assert hass_storage[KEY]["data"]["open"] == {}
    assert (deepcopy(dict(entry.options)), garden.card) == before
    assert_nothing_sent(module)
    assert not module.events.count_of(Seen.CONNECTED)

    # The window goes on to the form, where everything is as it was.
    shown = await send(garden.hass, form, {})
    assert shown["step_id"] == "safe_state"
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_what_was_typed_is_tried_before_it_is_stored(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add(entry_for(module, options={"firmware": "garden-valve"}))
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    assert "try_safe_state" not in menu["menu_options"]  # there is none to try
    shown = await send(garden.hass, menu, {"next_step_id": "safe_state"})
    typed = {
        "equipment": "switches",
        "actions": [CLOSE_VALVE],
        "conditions": [VALVE_CLOSED],
        "time_limit": 10,
        "stable": 0,
        "restore": [OPEN_VALVE],
        "when_missing": "restore",
    }

    form = await outcome(garden.hass, await send(garden.hass, shown, typed | {"try_now": True}))

    assert cells(form) == dict.fromkeys(STEPS, "✓") | {"restore_conditions": "-"}
    assert garden.valve == CLOSED_AND_OPENED
    assert "safe_state" not in entry.options
    shown = await send(garden.hass, form, {})
    fields = shown["data_schema"].schema
    hints = {str(key): (key.description or {}).get("suggested_value") for key in fields}
    assert hints.items() >= typed.items()
    assert not hints["try_now"]
    await send(garden.hass, shown, typed)
    assert entry.options["safe_state"]["actions"] == [CLOSE_VALVE]


async def test_trying_nothing_is_saving_it(garden: Garden, module: VirtualModule) -> None:
    entry = await add(garden, module)
    shown = await choose(garden.hass, entry, "safe_state")
    said = {"equipment": "nothing", "time_limit": 9, "stable": 0, "when_missing": "restore"}
    result = await send(garden.hass, shown, said | {"try_now": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert garden.valve == UNTOUCHED


async def test_a_mistake_is_said_and_not_tried(garden: Garden, module: VirtualModule) -> None:
    entry = await add(garden, module)
    shown = await choose(garden.hass, entry, "safe_state")
    said = {"equipment": "switches", "time_limit": 9, "stable": 0, "when_missing": "restore"}
    result = await send(garden.hass, shown, said | {"try_now": True})
    assert result["errors"] == {"conditions": "no_condition"}
    assert garden.valve == UNTOUCHED


FAIL = {"action": "test.fail"}
NEVER = {"condition": "state", "entity_id": VALVE, "state": "stuck"}
FAILURES: dict[str, tuple[dict[str, Any], str, dict[str, str], list[str]]] = {
    "something forbids it": (
        {"inhibit": [VALVE_OPEN]},
        "inhibited",
        {"inhibit": f"✗ {VALVE}"},
        UNTOUCHED,
    ),
    "it cannot be used": (
        {"restore": [{"flip": "the switch"}]},
        "safe_state_invalid",
        {"inhibit": "✗"},
        UNTOUCHED,
    ),
    "its condition cannot be used any more": (
        {
            "conditions": [
                {"condition": "device", "device_id": "gone", "domain": "switch", "type": "is_on"}
            ]
        },
        "safe_state_invalid",
        {"inhibit": "✗"},
        UNTOUCHED,
    ),
    "an action fails": (
        {"actions": [CLOSE_VALVE, FAIL]},
        "safe_state_failed",
        {"inhibit": "✓", "actions": "✗ the / bus is down", "restore": "✓"},
        CLOSED_AND_OPENED,
    ),
    "it says no": (
        {
            "actions": [
                CLOSE_VALVE,
                {"variables": {"answer": {"safe": False, "reason": "low water"}}},
                {"stop": "asked", "response_variable": "answer"},
            ]
        },
        "safe_state_refused",
        {"inhibit": "✓", "actions": "✗ low water", "restore": "✓"},
        CLOSED_AND_OPENED,
    ),
    "it is not confirmed": (
        {"conditions": [VALVE_CLOSED, NEVER], "time_limit": 0.4},
        "safe_state_not_confirmed",
        {"inhibit": "✓", "actions": "✓", "conditions": f"✗ {VALVE}", "restore": "✓"},
        CLOSED_AND_OPENED,
    ),
    "it does not stay true": (
        {"stable": 3600, "time_limit": 0.4},
        "safe_state_not_confirmed",
        {"inhibit": "✓", "actions": "✓", "conditions": "✓", "stable": "✗", "restore": "✓"},
        CLOSED_AND_OPENED,
    ),
    "an action of the restore fails": (
        {"restore": [OPEN_VALVE, FAIL]},
        "restore_failed",
        dict.fromkeys(STEPS[:4], "✓") | {"restore": "✗ the / bus is down"},
        CLOSED_AND_OPENED,
    ),
    "the restore is not confirmed": (
        {"restore": [], "restore_conditions": [VALVE_OPEN], "time_limit": 1},
        "restore_failed",
        dict.fromkeys(STEPS[:5], "✓") | {"restore_conditions": "✗"},
        ["off"],
    ),
    "both fail, and the restore is what matters": (
        {"actions": [CLOSE_VALVE, FAIL], "restore": [OPEN_VALVE, FAIL]},
        "restore_failed",
        {"inhibit": "✓", "actions": "✗", "restore": "✗"},
        CLOSED_AND_OPENED,
    ),
}


@pytest.mark.parametrize(("changes", "cause", "shown", "valve"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_is_told_at_its_step(
    garden: Garden,
    module: VirtualModule,
    issue_registry: ir.IssueRegistry,
    changes: dict[str, Any],
    cause: str,
    shown: dict[str, str],
    valve: list[str],
) -> None:
    entry = await add(garden, module, **changes)

    form = await try_it(garden, entry)

    assert form["errors"] == {"base": cause}
    for step in STEPS:
        mark, _, detail = shown.get(step, "-").partition(" ")
        cell = form["description_placeholders"][step]
        assert cell.startswith(mark), step
        assert cell.endswith(detail), step
    assert garden.valve == valve
    assert garden.house.journal.open_install(entry.entry_id) is None
    assert_nothing_sent(module)
    # Equipment that was not restored is told even if nobody looks at the window any more.
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert (issue is not None) is (cause == "restore_failed")
    if issue is not None:
        assert_issue_is_whole(issue)


async def test_no_wait_is_cut_short(garden: Garden, module: VirtualModule) -> None:
    hour_ago = time.time() - 3601
    garden.hass.states.async_set("binary_sensor.pump", "off", timestamp=hour_ago)
    still = {"condition": "state", "entity_id": "binary_sensor.pump", "state": "off"}
    entry = await add(garden, module, actions=[], restore=[], conditions=[still], stable=0.5)

    form = await try_it(garden, entry)

    assert cells(form)["stable"] == "✓"
    seconds = float(form["description_placeholders"]["stable"].split()[1])
    assert seconds >= 0.5


async def test_the_step_that_runs_is_shown(garden: Garden, module: VirtualModule) -> None:
    entry = await add(
        garden,
        module,
        actions=[SLOW, CLOSE_VALVE],
        stable=0.4,
        restore=[SLOW, OPEN_VALVE],
    )
    shown = await choose(garden.hass, entry, "try_safe_state")
    seen: list[str] = []
    while shown["type"] is FlowResultType.SHOW_PROGRESS:
        assert_progress_is_whole("options", shown)
        if shown["progress_action"] not in seen:
            seen.append(shown["progress_action"])
        await asyncio.sleep(0.05)
        shown = await send(garden.hass, shown, None)

    assert seen == ["actions", "stable", "restore"]
    assert cells(shown) == dict.fromkeys(STEPS, "✓") | {"restore_conditions": "-"}


async def test_an_entity_that_only_repeats_what_it_was_told_is_named(
    garden: Garden, module: VirtualModule
) -> None:
    garden.hass.states.async_set("switch.radio_plug", "off", {"assumed_state": True})
    guess = {"condition": "state", "entity_id": "switch.radio_plug", "state": "off"}
    as_template = "{{ is_state('switch.radio_plug', 'off') }}"
    both = [VALVE_CLOSED, {"or": [guess, as_template]}]
    entry = await add(garden, module, conditions=both)

    form = await try_it(garden, entry)

    assert form["errors"] == {}
    assert form["description_placeholders"]["assumed"] == "switch.radio_plug"


async def test_a_real_valve_is_tried(garden: Garden, module: VirtualModule) -> None:
    valve = await plant_valve(garden.hass)
    valve.faults.travel = 0.2
    target = {"target": {"entity_id": REAL_VALVE}}
    closed = {"condition": "valve.is_closed", "options": {"behavior": "all"}} | target
    entry = await add(
        garden,
        module,
        actions=[{"action": "valve.close_valve"} | target],
        conditions=[closed],
        restore=[{"action": "valve.open_valve"} | target],
        restore_conditions=[{"not": [closed]}],
    )

    form = await try_it(garden, entry)

    assert form["errors"] == {}
    assert form["description_placeholders"]["assumed"] == "-"
    assert valve.moved == ["closed", "open"]


async def test_the_houses_safe_state_is_tried_from_a_module_that_uses_it(
    garden: Garden, module: VirtualModule
) -> None:
    house = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house"},
        options={"safe_state": options_for()["safe_state"]},
    )
    await garden.add(house)
    entry = await garden.add(entry_for(module, options={"equipment": "house"}))

    async with garden.house.equipment:  # an update of another module is in it
        shown = await choose(garden.hass, entry, "try_safe_state")
        await until(lambda: garden.house.journal.open_install(entry.entry_id) is not None)
        assert garden.valve == UNTOUCHED
    form = await outcome(garden.hass, shown)

    assert form["errors"] == {}
    assert garden.valve == CLOSED_AND_OPENED
    assert not garden.house.equipment.locked()


# One at a time


async def test_no_update_begins_during_a_try(garden: Garden, module: VirtualModule) -> None:
    entry = await add(garden, module, actions=[CLOSE_VALVE, SLOW])
    shown = await choose(garden.hass, entry, "try_safe_state")
    await until(lambda: garden.valve == ["off"])

    again = await garden.hass.config_entries.options.async_init(entry.entry_id)
    await garden.refused("install_running")

    assert again["reason"] == "install_running"
    assert_abort_is_whole("options", again)
    assert (await outcome(garden.hass, shown))["errors"] == {}
    assert garden.valve == CLOSED_AND_OPENED
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_no_try_begins_during_an_update(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(loop_time=10)
    await garden.release("1.1.0")
    entry = await add(garden, module)
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.INVITED)

    result = await send(garden.hass, menu, {"next_step_id": "try_safe_state"})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "install_running"
    assert_abort_is_whole("options", result)
    await install
    assert garden.valve == CLOSED_AND_OPENED


async def test_a_module_that_is_not_loaded_cannot_be_tried(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await add(garden, module)
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    await garden.hass.config_entries.async_unload(entry.entry_id)

    result = await send(garden.hass, menu, {"next_step_id": "try_safe_state"})

    assert result["reason"] == "not_loaded"
    assert_abort_is_whole("options", result)
    assert garden.valve == UNTOUCHED


@pytest.mark.parametrize(
    ("equipment", "reason"),
    [("switches", "safe_state_missing"), ("house", "house_safe_state_missing")],
)
async def test_there_must_be_something_to_try(
    garden: Garden, module: VirtualModule, equipment: str, reason: str
) -> None:
    entry = await add(garden, module)
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    options = {"equipment": equipment, "safe_state": {"conditions": []}}
    garden.hass.config_entries.async_update_entry(entry, options=options)

    result = await send(garden.hass, menu, {"next_step_id": "try_safe_state"})

    assert result["reason"] == reason
    assert_abort_is_whole("options", result)


# Ended in the middle


MIDDLES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "while the actions run": ({"actions": [CLOSE_VALVE, {"delay": {"hours": 1}}]}, ["off"]),
    "while it is waited": ({"stable": 3600, "time_limit": 4000}, ["off"]),
    "while it is restored": ({"restore": [SLOW, OPEN_VALVE]}, ["off"]),
}


@pytest.mark.parametrize("how", ["closed", "unloaded", "stopped"])
@pytest.mark.parametrize(("changes", "reached"), MIDDLES.values(), ids=MIDDLES)
async def test_the_restore_runs_once_however_a_try_ends(
    garden: Garden,
    module: VirtualModule,
    changes: dict[str, Any],
    reached: list[str],
    how: str,
) -> None:
    entry = await add(garden, module, **changes)
    shown = await choose(garden.hass, entry, "try_safe_state")
    await until(lambda: garden.valve == reached)
    await asyncio.sleep(0.05)

    match how:
        case "closed":
            garden.hass.config_entries.options.async_abort(shown["flow_id"])
        case "unloaded":
            await garden.hass.config_entries.async_unload(entry.entry_id)
        case "stopped":
            await entry.runtime_data.installer.async_stop()

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await asyncio.sleep(0.1)
    assert garden.valve == CLOSED_AND_OPENED
    assert_nothing_sent(module)
    if how != "closed":
        form = await outcome(garden.hass, shown)
        assert form["errors"] == {"base": "cancelled"}


async def test_a_window_that_is_closed_after_the_try_ends_nothing(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await add(garden, module)
    form = await try_it(garden, entry)
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.INVITED)

    garden.hass.config_entries.options.async_abort(form["flow_id"])

    await install
    assert module.running_version == "1.1.0"
    assert garden.valve == CLOSED_AND_OPENED * 2


async def test_a_bug_of_ours_is_told_and_the_equipment_restored(
    garden: Garden, module: VirtualModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(self: ConfiguredSafeState) -> None:
        await garden.hass.services.async_call(
            "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
        )
        raise ValueError

    monkeypatch.setattr(ConfiguredSafeState, "enter", bug)
    entry = await add(garden, module)

    form = await try_it(garden, entry)

    assert form["errors"] == {"base": "internal"}
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_crash_in_the_middle_restores_what_was_tried_and_not_what_was_stored(
    garden: Garden,
    module: VirtualModule,
    issue_registry: ir.IssueRegistry,
    hass_storage: dict[str, Any],
) -> None:
    typed = options_for({"actions": [CLOSE_VALVE, {"delay": {"hours": 1}}]})
    entry = await garden.add(entry_for(module, options=typed))
    await choose(garden.hass, entry, "try_safe_state")
    await until(lambda: garden.valve == ["off"])
    note: InstallNote = deepcopy(hass_storage[KEY]["data"]["open"][entry.entry_id])
    assert note["tried"]["safe_state"] == typed["safe_state"]
    await garden.hass.config_entries.async_unload(entry.entry_id)
    assert garden.valve == CLOSED_AND_OPENED

    # As the disk was left by a Home Assistant that died, under other options.
    await garden.hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
    )
    await garden.house.journal.async_write(entry.entry_id, note)
    garden.hass.config_entries.async_update_entry(entry, options={"equipment": "nothing"})
    await garden.hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED * 2)
    assert garden.card.attributes["last_verdict"] is None
    issue = issue_registry.async_get_issue(DOMAIN, f"interrupted_try_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert_nothing_sent(module)
