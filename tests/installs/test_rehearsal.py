"""Trying a safe state: every step is shown, the restore runs once, and nothing else changes."""

import asyncio
from copy import deepcopy
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import entry_for
from tests.kit.equipment import is_free, taken
from tests.kit.forms import suggested
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
from tests.kit.rehearsal import (
    ALL_STEPS,
    KEY,
    SLOW,
    STEPS,
    cells,
    choose,
    have_failing_action,
    outcome,
    send,
    shown_now,
    try_it,
)
from tests.kit.sentences import assert_issue_is_whole, assert_progress_is_whole
from tests.kit.steps import VALVE_OPEN
from tests.kit.valve import VALVE as REAL_VALVE, plant_valve
from tests.virtual_module import Seen, VirtualModule


@pytest.fixture(autouse=True)
def _actions(garden: Garden) -> None:
    """Have an action that fails."""
    have_failing_action(garden.hass)


@pytest.mark.slow
async def test_every_step_is_shown_and_nothing_else_changes(
    garden: Garden, module: VirtualModule, hass_storage: dict[str, Any]
) -> None:
    entry = await garden.add_with(module, **ALL_STEPS)
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
    assert "ask_try" not in menu["menu_options"]  # there is none to try
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

    assert cells(form) == dict.fromkeys(STEPS, "✓")
    assert garden.valve == CLOSED_AND_OPENED
    assert "safe_state" not in entry.options
    shown = await send(garden.hass, form, {})
    hints = suggested(shown)
    assert hints.items() >= typed.items()
    assert "try_now" not in hints
    await send(garden.hass, shown, typed)
    assert entry.options["safe_state"]["actions"] == [CLOSE_VALVE]


async def test_trying_nothing_is_saving_it(garden: Garden, module: VirtualModule) -> None:
    entry = await garden.add_with(module)
    shown = await choose(garden.hass, entry, "safe_state")
    said = {"equipment": "nothing", "time_limit": 9, "stable": 0, "when_missing": "restore"}
    result = await send(garden.hass, shown, said | {"try_now": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert garden.valve == UNTOUCHED


async def test_a_mistake_is_said_and_not_tried(garden: Garden, module: VirtualModule) -> None:
    entry = await garden.add_with(module)
    shown = await choose(garden.hass, entry, "safe_state")
    said = {"equipment": "switches", "time_limit": 9, "stable": 0, "when_missing": "restore"}
    result = await send(garden.hass, shown, said | {"try_now": True})
    assert result["errors"] == {"before": "no_condition"}
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


@pytest.mark.slow
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
    entry = await garden.add_with(module, **changes)

    form = await try_it(garden, entry)

    assert form["errors"] == {"base": cause}
    if shown.get("restore") == "✓":  # the valve is read back as it was before
        shown = {"restore_conditions": "✓"} | shown
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


@pytest.mark.slow
async def test_no_wait_is_cut_short(garden: Garden, module: VirtualModule) -> None:
    hour_ago = time.time() - 3601
    garden.hass.states.async_set("binary_sensor.pump", "off", timestamp=hour_ago)
    still = {"condition": "state", "entity_id": "binary_sensor.pump", "state": "off"}
    entry = await garden.add_with(module, actions=[], restore=[], conditions=[still], stable=0.5)

    form = await try_it(garden, entry)

    assert cells(form)["stable"] == "✓"
    seconds = float(form["description_placeholders"]["stable"].split()[1])
    assert seconds >= 0.5


@pytest.mark.slow
async def test_the_step_that_runs_is_shown(garden: Garden, module: VirtualModule) -> None:
    entry = await garden.add_with(
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
    assert cells(shown) == dict.fromkeys(STEPS, "✓")


async def test_an_entity_that_only_repeats_what_it_was_told_is_named(
    garden: Garden, module: VirtualModule
) -> None:
    garden.hass.states.async_set("switch.radio_plug", "off", {"assumed_state": True})
    guess = {"condition": "state", "entity_id": "switch.radio_plug", "state": "off"}
    as_template = "{{ is_state('switch.radio_plug', 'off') }}"
    both = [VALVE_CLOSED, {"or": [guess, as_template]}]
    entry = await garden.add_with(module, conditions=both)

    form = await try_it(garden, entry)

    assert form["errors"] == {}
    assert form["description_placeholders"]["assumed"] == "switch.radio_plug"


@pytest.mark.slow
async def test_a_real_valve_is_tried(garden: Garden, module: VirtualModule) -> None:
    valve = await plant_valve(garden.hass)
    valve.faults.travel = 0.2
    target = {"target": {"entity_id": REAL_VALVE}}
    closed = {"condition": "valve.is_closed", "options": {"behavior": "all"}} | target
    entry = await garden.add_with(
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

    with taken(garden.hass):
        shown = await choose(garden.hass, entry, "try_safe_state")
        await until(lambda: shown_now(garden.hass, shown)["progress_action"] == "turn")
        step = shown_now(garden.hass, shown)
        assert step["description_placeholders"]["waits_for"] == "Greenhouse"
        assert garden.house.journal.open_install(entry.entry_id) is None
        assert garden.valve == UNTOUCHED
    form = await outcome(garden.hass, shown)

    assert form["errors"] == {}
    assert garden.valve == CLOSED_AND_OPENED
    assert is_free(garden.hass)
