"""Whatever a sequence says, only conditions that were read back let an update through."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.esp_ota.const import DOMAIN
from homeassistant.components.trace import util as trace_util
from homeassistant.core import Context, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.script import DATA_NEW_SCRIPT_RUNS_NOT_ALLOWED
from homeassistant.setup import async_setup_component
from tests.kit.garden import (
    CARD,
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    UNTOUCHED,
    VALVE,
    Garden,
    assert_nothing_sent,
    until,
)
from tests.kit.steps import (
    ALWAYS,
    BROKEN,
    FAIL,
    MISSING,
    NEVER,
    STOP,
    WAIT,
    WAIT_FOR,
    have_actions,
    said,
)
from tests.virtual_module import Fault, Seen, VirtualModule


@pytest.fixture(autouse=True)
def _actions(garden: Garden) -> None:
    have_actions(garden.hass)


ENDS_WELL = {
    "it runs through": [CLOSE_VALVE],
    "a false condition inside if is lost": [
        {"if": [ALWAYS], "then": [NEVER, FAIL]},
        CLOSE_VALVE,
    ],
    "a false condition inside sequence is lost": [{"sequence": [NEVER, FAIL]}, CLOSE_VALVE],
    "a false condition inside parallel is lost": [
        {"parallel": [{"sequence": [NEVER, FAIL]}, CLOSE_VALVE]}
    ],
    "a wait that timed out": [WAIT, CLOSE_VALVE],
    "a wait for a trigger that timed out": [WAIT_FOR, CLOSE_VALVE],
    "an error that is passed over": [FAIL | {"continue_on_error": True}, CLOSE_VALVE],
    "a missing entity is skipped": [MISSING, CLOSE_VALVE],
    "it answers that it is safe": [CLOSE_VALVE, *said(safe=True)],
    "it answers something else": [CLOSE_VALVE, *said(flow=0)],
    "it stops without an error": [CLOSE_VALVE, {"stop": "done"}, FAIL],
    "a disabled step": [FAIL | {"enabled": False}, CLOSE_VALVE],
}


@pytest.mark.slow
@pytest.mark.parametrize("actions", ENDS_WELL.values(), ids=ENDS_WELL)
async def test_a_sequence_that_ended_somehow_passes_if_the_valve_is_read_back_as_closed(
    garden: Garden, module: VirtualModule, actions: list[Any]
) -> None:
    # It answers at once with an error of its own: to be asked is to have passed.
    module.faults.set(Fault.BOOT_STRAP)
    entry = await garden.add_with(module, actions=actions)

    await garden.refused("boot_strap")

    assert module.events.count_of(Seen.INVITED) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


PROVES_NOTHING = {
    "nothing is done": [],
    "a false condition guards it inside if": [{"if": [ALWAYS], "then": [NEVER, CLOSE_VALVE]}],
    "a false condition guards it inside sequence": [{"sequence": [NEVER, CLOSE_VALVE]}],
    "a false condition guards it inside parallel": [
        {"parallel": [{"sequence": [NEVER, CLOSE_VALVE]}]}
    ],
    "a false condition guards it inside choose": [
        {"choose": [{"conditions": [ALWAYS], "sequence": [NEVER, CLOSE_VALVE]}]}
    ],
    "no choice fits": [{"choose": [{"conditions": [NEVER], "sequence": [CLOSE_VALVE]}]}],
    "a false condition guards it in the default": [
        {
            "choose": [{"conditions": [NEVER], "sequence": []}],
            "default": [NEVER, CLOSE_VALVE],
        }
    ],
    "a false condition guards it inside repeat": [
        {"repeat": {"count": 1, "sequence": [NEVER, CLOSE_VALVE]}}
    ],
    "it is repeated for nothing": [{"repeat": {"for_each": [], "sequence": [CLOSE_VALVE]}}],
    "a wait timed out": [WAIT],
    "a wait for a trigger timed out": [WAIT_FOR],
    "an error is passed over": [FAIL | {"continue_on_error": True}],
    "one of its entities is missing": [
        MISSING,
        {"action": "input_boolean.turn_on", "target": {"entity_id": VALVE}},
    ],
    "the entity is unavailable": [
        {"action": "input_boolean.turn_off", "target": {"entity_id": "input_boolean.away"}}
    ],
    "a script stops with an error": [{"action": "script.stops"}],
    "a script that is started stops with an error": [
        {"action": "script.turn_on", "target": {"entity_id": "script.stops"}}
    ],
    "it only says that it is safe": said(safe=True),
    "its step is disabled": [CLOSE_VALVE | {"enabled": False}],
    "it stops without an error": [{"stop": "not today"}, CLOSE_VALVE],
}


@pytest.mark.slow
@pytest.mark.parametrize("actions", PROVES_NOTHING.values(), ids=PROVES_NOTHING)
async def test_a_finished_sequence_proves_nothing_while_the_valve_is_open(
    garden: Garden, module: VirtualModule, actions: list[Any]
) -> None:
    scripts = {"script": {"stops": {"sequence": [STOP, CLOSE_VALVE]}}}
    assert await async_setup_component(garden.hass, "script", scripts)
    garden.hass.states.async_set("input_boolean.away", "unavailable")
    entry = await garden.add_with(module, actions=actions, time_limit=0.25)

    await garden.refused("safe_state_not_confirmed")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


FAILS = {
    "it stops with an error": [STOP],
    "it stops with an error inside if": [{"if": [ALWAYS], "then": [STOP]}],
    "it stops with an error inside parallel": [{"parallel": [STOP, {"delay": 0}]}],
    "a condition is false": [NEVER],
    "a wait may not time out": [WAIT | {"continue_on_timeout": False}],
    "a wait for a trigger may not time out": [WAIT_FOR | {"continue_on_timeout": False}],
    "an action fails": [FAIL],
    "an action has a bug": [BROKEN],
    "an action refuses its data": [{"action": "test.picky", "data": {"level": "high"}}],
    "an action is unknown": [{"action": "test.nothing"}],
    "an unknown action may fail": [{"action": "test.nothing", "continue_on_error": True}],
    "a template cannot be rendered": [{"action": "test.fail", "data": {"a": "{{ 1 / 0 }}"}}],
    "it stops with an error inside choose": [
        {"choose": [{"conditions": [NEVER], "sequence": []}], "default": [STOP]}
    ],
    "it stops with an error inside repeat": [{"repeat": {"count": 2, "sequence": [STOP]}}],
    "it stops with an error inside sequence": [{"sequence": [STOP]}],
}


@pytest.mark.slow
@pytest.mark.parametrize("actions", FAILS.values(), ids=FAILS)
async def test_a_sequence_that_did_not_finish_refuses_although_the_valve_is_closed(
    garden: Garden, module: VirtualModule, actions: list[Any]
) -> None:
    # The valve is closed beforehand: a sequence with a mistake in it does not even begin.
    await garden.hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
    )
    entry = await garden.add_with(module, actions=actions)

    facts = await garden.refused("safe_state_failed")

    assert facts["detail"]
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
@pytest.mark.parametrize("safe", [False, "no", None, 0], ids=str)
async def test_a_sequence_that_answers_no_is_believed(
    garden: Garden, module: VirtualModule, safe: object
) -> None:
    answer = said(safe=safe, reason="the tank is low")
    entry = await garden.add_with(module, actions=[CLOSE_VALVE, *answer])

    facts = await garden.refused("safe_state_refused")

    assert facts["detail"] == "the tank is low."
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_a_sequence_that_says_no_without_a_reason_gets_one(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.add_with(module, actions=[CLOSE_VALVE, *said(safe=False)])

    assert (await garden.refused("safe_state_refused"))["detail"]


async def test_nothing_is_sent_while_home_assistant_takes_no_more_sequences(
    garden: Garden, module: VirtualModule, issue_registry: ir.IssueRegistry
) -> None:
    entry = await garden.add_with(module)
    garden.hass.data[DATA_NEW_SCRIPT_RUNS_NOT_ALLOWED] = None

    await garden.refused("safe_state_failed")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)
    assert issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")


@pytest.mark.slow
async def test_a_script_that_is_only_started_is_waited_for_by_the_conditions(
    garden: Garden, module: VirtualModule
) -> None:
    sequence = [{"delay": {"milliseconds": 300}}, CLOSE_VALVE]
    assert await async_setup_component(
        garden.hass, "script", {"script": {"close": {"sequence": sequence}}}
    )
    start = {"action": "script.turn_on", "target": {"entity_id": "script.close"}}
    entry = await garden.add_with(module, actions=[start])

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_a_sequence_that_hangs_is_ended_at_the_time_limit(
    garden: Garden, module: VirtualModule
) -> None:
    hang = {"wait_template": "{{ false }}"}
    entry = await garden.add_with(module, actions=[CLOSE_VALVE, hang, FAIL], time_limit=0.3)

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["seconds"] == "0"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_the_sequence_acts_in_the_name_of_who_pressed(
    garden: Garden, module: VirtualModule, hass_admin_user: Any
) -> None:
    await garden.add_with(module)
    context, moved = Context(user_id=hass_admin_user.id), []
    seen = callback(lambda event: moved.append(event.context))
    async_track_state_change_event(garden.hass, [VALVE], seen)

    await garden.hass.services.async_call(
        "update", "install", {"entity_id": CARD}, blocking=True, context=context
    )

    closed, opened = moved
    assert closed.user_id == hass_admin_user.id
    # Who pressed may be gone by then: it is put back all the same, and traced to the press.
    assert (opened.user_id, opened.parent_id) == (None, context.id)


@pytest.mark.slow
async def test_the_sequence_knows_which_module_it_is_for(
    garden: Garden, module: VirtualModule
) -> None:
    calls = async_mock_service(garden.hass, "test", "tell")
    tell = {"action": "test.tell", "data": {"text": "{{ module }}"}}
    is_it = {"condition": "template", "value_template": "{{ module == 'garden-valve' }}"}
    await garden.add_with(
        module, actions=[tell, CLOSE_VALVE], conditions=[is_it], restore=[tell, OPEN_VALVE]
    )

    await garden.install()

    assert [call.data["text"] for call in calls] == ["garden-valve", "garden-valve"]


@pytest.mark.slow
async def test_the_trace_of_the_calling_automation_stays_whole(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.add_with(module)
    install = {"action": "update.install", "target": {"entity_id": CARD}}
    config = {
        "id": "nightly",
        "trigger": {"trigger": "event", "event_type": "night"},
        "action": [{"variables": {"before": 1}}, install, {"event": "updated"}],
    }
    assert await async_setup_component(garden.hass, "automation", {"automation": [config]})
    await garden.hass.async_block_till_done()

    garden.hass.bus.async_fire("night")
    await garden.hass.async_block_till_done()
    await until(lambda: module.running_version == "1.1.0")
    await garden.hass.async_block_till_done()

    [run] = await trace_util.async_list_traces(garden.hass, "automation", "automation.nightly")
    assert run["script_execution"] == "finished"
    assert run["last_step"] == "action/2"
    trace = await trace_util.async_get_trace(garden.hass, "automation.nightly", run["run_id"])
    assert set(trace["trace"]) == {"trigger/0", "action/0", "action/1", "action/2"}
