"""Whatever the sequence says, only conditions that were read back let an update through."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment import safe_state
from homeassistant.components.trace import util as trace_util
from homeassistant.core import Context, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.script import DATA_NEW_SCRIPT_RUNS_NOT_ALLOWED
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CARD,
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    UNTOUCHED,
    VALVE,
    VALVE_CLOSED,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
    until,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Fault, Seen, VirtualModule

NEVER = {"condition": "template", "value_template": "{{ false }}"}
ALWAYS = {"condition": "template", "value_template": "{{ true }}"}
IRRIGATING = "binary_sensor.irrigating"
NOT_IRRIGATING = {"condition": "state", "entity_id": IRRIGATING, "state": "off"}
STOP = {"stop": "no water", "error": True}
WAIT = {"wait_template": "{{ false }}", "timeout": {"milliseconds": 50}}
WAIT_FOR = {
    "wait_for_trigger": [{"trigger": "event", "event_type": "never"}],
    "timeout": {"milliseconds": 50},
}
FAIL: dict[str, Any] = {"action": "test.fail"}
MISSING = {"action": "input_boolean.turn_off", "target": {"entity_id": "input_boolean.nowhere"}}


def said(**answer: Any) -> list[dict[str, Any]]:
    """Return steps that end a sequence with an answer."""
    return [
        {"variables": {"answer": answer}},
        {"stop": "asked", "response_variable": "answer"},
    ]


@pytest.fixture
async def module(garden: Garden, start_module: StartModule) -> VirtualModule:
    """Switch on a module that nothing is wrong with, and have a release for it."""
    await garden.release("1.1.0")
    return await start_module()


@pytest.fixture(autouse=True)
def _actions(garden: Garden) -> None:
    """Have actions that fail in two ways."""

    @callback
    def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("the bus is down")

    @callback
    def broken(call: ServiceCall) -> None:
        raise ValueError("an error in somebody's integration")

    garden.hass.services.async_register("test", "fail", fail)
    garden.hass.services.async_register("test", "broken", broken)
    garden.hass.services.async_register(
        "test", "picky", fail, schema=vol.Schema({vol.Required("level"): int})
    )


async def add(garden: Garden, module: VirtualModule, **safe_state: Any) -> MockConfigEntry:
    """Set up a module with a changed safe state."""
    return await garden.add(entry_for(module, options=options_for(safe_state)))


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


@pytest.mark.parametrize("actions", ENDS_WELL.values(), ids=ENDS_WELL)
async def test_a_sequence_that_ended_somehow_passes_if_the_valve_is_read_back_as_closed(
    garden: Garden, module: VirtualModule, actions: list[Any]
) -> None:
    # It answers at once with an error of its own: to be asked is to have passed.
    module.faults.set(Fault.BOOT_STRAP)
    entry = await add(garden, module, actions=actions)

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
    "the entity is missing": [MISSING],
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


@pytest.mark.parametrize("actions", PROVES_NOTHING.values(), ids=PROVES_NOTHING)
async def test_a_finished_sequence_proves_nothing_while_the_valve_is_open(
    garden: Garden, module: VirtualModule, actions: list[Any]
) -> None:
    scripts = {"script": {"stops": {"sequence": [STOP, CLOSE_VALVE]}}}
    assert await async_setup_component(garden.hass, "script", scripts)
    garden.hass.states.async_set("input_boolean.away", "unavailable")
    entry = await add(garden, module, actions=actions, time_limit=0.25)

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
    "an action has a bug": [{"action": "test.broken"}],
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


@pytest.mark.parametrize("actions", FAILS.values(), ids=FAILS)
async def test_a_sequence_that_did_not_finish_refuses_although_the_valve_is_closed(
    garden: Garden, module: VirtualModule, actions: list[Any]
) -> None:
    # The valve is closed beforehand: a sequence with a mistake in it does not even begin.
    await garden.hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
    )
    entry = await add(garden, module, actions=actions)

    facts = await garden.refused("safe_state_failed")

    assert facts["detail"]
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("safe", [False, "no", None, 0], ids=str)
async def test_a_sequence_that_answers_no_is_believed(
    garden: Garden, module: VirtualModule, safe: object
) -> None:
    answer = said(safe=safe, reason="the tank is low")
    entry = await add(garden, module, actions=[CLOSE_VALVE, *answer])

    facts = await garden.refused("safe_state_refused")

    assert facts["detail"] == "the tank is low"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_sequence_that_says_no_without_a_reason_gets_one(
    garden: Garden, module: VirtualModule
) -> None:
    await add(garden, module, actions=[CLOSE_VALVE, *said(safe=False)])

    assert (await garden.refused("safe_state_refused"))["detail"]


async def test_nothing_is_sent_while_home_assistant_takes_no_more_sequences(
    garden: Garden, module: VirtualModule, issue_registry: ir.IssueRegistry
) -> None:
    entry = await add(garden, module)
    garden.hass.data[DATA_NEW_SCRIPT_RUNS_NOT_ALLOWED] = None

    await garden.refused("safe_state_failed")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)
    assert issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")


async def test_a_script_that_is_only_started_is_waited_for_by_the_conditions(
    garden: Garden, module: VirtualModule
) -> None:
    sequence = [{"delay": {"milliseconds": 300}}, CLOSE_VALVE]
    assert await async_setup_component(
        garden.hass, "script", {"script": {"close": {"sequence": sequence}}}
    )
    start = {"action": "script.turn_on", "target": {"entity_id": "script.close"}}
    entry = await add(garden, module, actions=[start])

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_sequence_that_hangs_is_ended_at_the_time_limit(
    garden: Garden, module: VirtualModule
) -> None:
    hang = {"wait_template": "{{ false }}"}
    entry = await add(garden, module, actions=[CLOSE_VALVE, hang, FAIL], time_limit=0.3)

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["seconds"] == "0"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_all_conditions_must_be_true(garden: Garden, module: VirtualModule) -> None:
    garden.hass.states.async_set(IRRIGATING, "on")
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    await add(garden, module, conditions=conditions, time_limit=0.3)

    await garden.refused("safe_state_not_confirmed")

    assert_nothing_sent(module)


async def test_a_condition_about_a_missing_entity_is_false_and_does_not_flood_the_log(
    garden: Garden, module: VirtualModule, caplog: pytest.LogCaptureFixture
) -> None:
    await add(garden, module, conditions=[VALVE_CLOSED, NOT_IRRIGATING], time_limit=0.6)

    await garden.refused("safe_state_not_confirmed")

    assert_nothing_sent(module)
    lines = [record for record in caplog.records if IRRIGATING in record.getMessage()]
    assert len(lines) == 1  # how the update ended


async def test_a_condition_that_bounces_is_not_believed(
    garden: Garden, module: VirtualModule
) -> None:
    garden.hass.states.async_set(IRRIGATING, "off")
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    await add(garden, module, conditions=conditions, stable=0.6, time_limit=1.2)
    bouncing = True

    async def bounce() -> None:
        while bouncing:
            garden.hass.states.async_set(IRRIGATING, "on")
            await asyncio.sleep(0.2)
            garden.hass.states.async_set(IRRIGATING, "off")
            await asyncio.sleep(0.2)

    task = asyncio.create_task(bounce())
    await garden.refused("safe_state_not_confirmed")
    bouncing = False
    await task

    assert_nothing_sent(module)


async def test_a_look_after_the_last_pause_decides(
    garden: Garden, module: VirtualModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_state, "_POLL", 0.6)
    garden.hass.states.async_set(IRRIGATING, "off")
    await add(garden, module, conditions=[VALVE_CLOSED, NOT_IRRIGATING], stable=0.3)
    install = asyncio.create_task(garden.install())
    await until(lambda: garden.valve == ["off"])
    await asyncio.sleep(0.05)

    garden.hass.states.async_set(IRRIGATING, "on")  # during the one pause there is
    await asyncio.sleep(0.8)
    assert_nothing_sent(module)
    garden.hass.states.async_set(IRRIGATING, "off")

    await install
    assert module.running_version == "1.1.0"


async def test_conditions_that_stay_true_for_the_stable_time_pass(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await add(garden, module, stable=0.3)

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_template_that_becomes_true_by_itself_is_noticed(
    garden: Garden, module: VirtualModule
) -> None:
    soon = {
        "condition": "template",
        "value_template": "{{ (now() - states.input_boolean.valve.last_changed)"
        ".total_seconds() > 0.4 }}",
    }
    entry = await add(garden, module, conditions=[VALVE_CLOSED, soon])

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


UNUSABLE = {
    "the actions are none": ("actions", {"flip": "the switch"}),
    "a device of the actions is gone": (
        "actions",
        {"device_id": "gone", "domain": "switch", "type": "turn_off"},
    ),
    "the restore is none": ("restore", {"flip": "the switch"}),
    "a device of the restore is gone": (
        "restore",
        {"device_id": "gone", "domain": "switch", "type": "turn_on"},
    ),
    "a condition of the restore is none": ("restore_conditions", {"flow": 0}),
    "a device of an inhibit condition is gone": (
        "inhibit",
        {"condition": "device", "device_id": "gone", "domain": "switch", "type": "is_on"},
    ),
    "one of two valves restores": (
        "restore_conditions",
        {"condition": "valve.is_open", "target": {"entity_id": ["valve.a", "valve.b"]}},
    ),
    "only both of two inhibit": (
        "inhibit",
        {"condition": "state", "entity_id": ["valve.a", "valve.b"], "state": "open"},
    ),
}


@pytest.mark.parametrize(("key", "item"), UNUSABLE.values(), ids=UNUSABLE)
async def test_what_cannot_be_used_is_refused_before_anything_is_touched(
    garden: Garden, module: VirtualModule, key: str, item: dict[str, Any]
) -> None:
    entry = await add(garden, module, **{key: [item]})

    facts = await garden.refused("safe_state_invalid")

    assert facts["detail"]
    assert garden.stages[1:2] == ["checking"]
    assert "making_safe" not in garden.stages
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


NOBODY_CONFIRMS = {
    "disabled": [VALVE_CLOSED | {"enabled": False}],
    "disabled by a template": [VALVE_CLOSED | {"enabled": "{{ false }}"}],
    "disabled inside and": [
        {"condition": "and", "conditions": [VALVE_CLOSED | {"enabled": False}]}
    ],
    "disabled inside the short form of and": [{"and": [VALVE_CLOSED | {"enabled": False}]}],
    "disabled inside not": [
        {"condition": "not", "conditions": [VALVE_CLOSED | {"enabled": False}]}
    ],
    "an empty and": [{"condition": "and", "conditions": []}],
    "an empty and inside or": [{"or": [{"and": []}]}],
}


@pytest.mark.parametrize("conditions", NOBODY_CONFIRMS.values(), ids=NOBODY_CONFIRMS)
async def test_conditions_that_cannot_say_no_are_no_conditions(
    garden: Garden, module: VirtualModule, conditions: list[Any]
) -> None:
    entry = await add(garden, module, conditions=conditions)

    await garden.refused("safe_state_invalid")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.parametrize(
    "condition",
    [
        {"or": [{"condition": "not", "conditions": [NOT_IRRIGATING]}, VALVE_CLOSED]},
        {"condition": "and", "conditions": [{"and": VALVE_CLOSED}]},
        "{{ is_state('input_boolean.valve', 'off') }}",
    ],
    ids=["nested", "nested in short", "template"],
)
async def test_a_condition_counts_in_whichever_form_it_is_written(
    garden: Garden, module: VirtualModule, condition: Any
) -> None:
    garden.hass.states.async_set(IRRIGATING, "off")
    entry = await add(garden, module, conditions=[condition])

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_condition_that_one_of_two_valves_makes_true_is_not_used(
    garden: Garden, module: VirtualModule
) -> None:
    either = {"condition": "valve.is_closed", "target": {"entity_id": ["valve.a", "valve.b"]}}
    entry = await add(garden, module, conditions=[VALVE_CLOSED, either])

    facts = await garden.refused("safe_state_invalid")

    assert "any one" in facts["detail"]
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.parametrize(
    "condition",
    [
        {"condition": "device", "device_id": "gone", "domain": "switch", "type": "is_off"},
        {"condition": "nowhere.is_closed"},
        {"flow": 0},
    ],
    ids=["device is gone", "unknown condition", "no condition"],
)
async def test_a_condition_that_cannot_be_used_any_more_refuses(
    garden: Garden, module: VirtualModule, condition: dict[str, Any]
) -> None:
    entry = await add(garden, module, conditions=[condition])

    facts = await garden.refused("safe_state_invalid")

    assert facts["detail"]
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.parametrize(
    "options",
    [
        {"firmware": "garden-valve", "equipment": "switches"},
        {"firmware": "garden-valve"},
        options_for({"conditions": []}),
    ],
    ids=["none", "not even asked", "no conditions"],
)
async def test_a_module_without_a_safe_state_is_not_updated(
    garden: Garden, module: VirtualModule, options: dict[str, Any]
) -> None:
    entry = await garden.add(entry_for(module, options=options))

    await garden.refused("safe_state_missing")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_module_that_switches_nothing_needs_no_safe_state(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add(entry_for(module, options=options_for(equipment="nothing")))

    await garden.install()

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_safe_state_that_breaks_while_sending_stops_the_update(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.1)
    await garden.release("1.1.0")
    garden.hass.states.async_set(IRRIGATING, "off")
    entry = await add(garden, module, conditions=[VALVE_CLOSED, NOT_IRRIGATING])
    refused = asyncio.create_task(garden.refused("safe_state_broken"))

    await module.wait_for(Seen.FIRST_BYTE)
    garden.hass.states.async_set(IRRIGATING, "on")
    await refused

    await module.wait_for(Seen.ABORTED)
    assert module.running_version == "1.0.0"
    assert not module.restarts
    assert garden.card.attributes["last_verdict"] == "failed"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    # The module is free again at once.
    garden.hass.states.async_set(IRRIGATING, "off")
    module.faults.clear()
    await garden.install()
    assert module.running_version == "1.1.0"


async def test_a_safe_state_that_breaks_before_the_first_byte_sends_none(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(loop_time=10)  # it says OK late
    await garden.release("1.1.0")
    garden.hass.states.async_set(IRRIGATING, "off")
    entry = await add(garden, module, conditions=[VALVE_CLOSED, NOT_IRRIGATING])
    refused = asyncio.create_task(garden.refused("safe_state_broken"))

    await module.wait_for(Seen.INVITED)
    garden.hass.states.async_set(IRRIGATING, "on")
    await refused

    assert not module.events.count_of(Seen.FIRST_BYTE)
    assert garden.card.attributes["last_verdict"] == "refused"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_retry_needs_the_safe_state_as_well(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.RESET])
    garden.house.patience = patience(retry_pause=30.0)
    await garden.release("1.1.0")
    garden.hass.states.async_set(IRRIGATING, "off")
    entry = await add(garden, module, conditions=[VALVE_CLOSED, NOT_IRRIGATING])
    refused = asyncio.create_task(garden.refused("safe_state_broken"))

    await module.wait_for(Seen.ABORTED)
    garden.hass.states.async_set(IRRIGATING, "on")
    await refused

    assert module.events.count_of(Seen.CONNECTED) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


RESTORE_FAILS = {
    "an action fails": ([FAIL], "the bus is down"),
    "an action has a bug": ([{"action": "test.broken"}], "somebody's integration"),
    "it says no": (said(safe=False, reason="stuck"), "stuck"),
    "it stops with an error": ([STOP], "aborted"),
    "it hangs": ([{"wait_template": "{{ false }}"}], "not done after"),
}


@pytest.mark.parametrize(("restore", "detail"), RESTORE_FAILS.values(), ids=RESTORE_FAILS)
async def test_a_restore_that_fails_is_told_although_the_update_went_well(
    garden: Garden,
    module: VirtualModule,
    issue_registry: ir.IssueRegistry,
    restore: list[Any],
    detail: str,
) -> None:
    entry = await add(garden, module, restore=restore, time_limit=0.5)

    facts = await garden.refused("restore_failed")

    assert detail in facts["detail"]
    assert garden.card.attributes["last_verdict"] == "unverified"
    garden.assert_at_rest(entry, ["off"])
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert issue.is_persistent
    assert_issue_is_whole(issue)


async def test_a_restore_that_fails_after_a_failed_update_is_told_as_a_repair(
    garden: Garden, module: VirtualModule, issue_registry: ir.IssueRegistry
) -> None:
    entry = await add(garden, module, actions=[CLOSE_VALVE, STOP], restore=[FAIL])
    issue_id = f"restore_failed_{entry.entry_id}"

    await garden.refused("safe_state_failed")
    assert issue_registry.async_get_issue(DOMAIN, issue_id)

    # The next update begins with a clean slate.
    options = options_for({"restore": [OPEN_VALVE]})
    garden.hass.config_entries.async_update_entry(entry, options=options)
    await garden.install()
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)


async def test_equipment_stays_safe_when_the_module_does_not_come_back_and_that_was_chosen(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module(faults=[Fault.NEVER_BACK])
    garden.house.patience = patience(back=0.2)
    await garden.release("1.1.0")
    entry = await add(garden, module, when_missing="stay_safe")

    await garden.refused("did_not_come_back")

    garden.assert_at_rest(entry, ["off"])
    issue = issue_registry.async_get_issue(DOMAIN, f"stayed_safe_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)


async def test_stay_safe_restores_after_every_other_failure(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module(faults=[Fault.NOT_ENOUGH_SPACE])
    await garden.release("1.1.0")
    entry = await add(garden, module, when_missing="stay_safe")

    await garden.refused("no_space")

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert {issue.translation_key for issue in issue_registry.issues.values()} == {"update_failed"}


async def test_a_restore_that_is_not_configured_is_nothing_to_do(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await add(garden, module, restore=[])

    await garden.install()

    garden.assert_at_rest(entry, ["off"])


async def test_the_sequence_acts_in_the_name_of_who_pressed(
    garden: Garden, module: VirtualModule, hass_admin_user: Any
) -> None:
    await add(garden, module)
    context = Context(user_id=hass_admin_user.id)

    await garden.hass.services.async_call(
        "update", "install", {"entity_id": CARD}, blocking=True, context=context
    )

    valve = garden.hass.states.get(VALVE)
    assert valve is not None
    assert valve.context.user_id == hass_admin_user.id


async def test_the_sequence_knows_which_module_it_is_for(
    garden: Garden, module: VirtualModule
) -> None:
    calls = async_mock_service(garden.hass, "test", "tell")
    tell = {"action": "test.tell", "data": {"text": "{{ module }}"}}
    is_it = {"condition": "template", "value_template": "{{ module == 'garden-valve' }}"}
    await add(garden, module, actions=[tell, CLOSE_VALVE], conditions=[is_it], restore=[tell])

    await garden.install()

    assert [call.data["text"] for call in calls] == ["garden-valve", "garden-valve"]


async def test_the_trace_of_the_calling_automation_stays_whole(
    garden: Garden, module: VirtualModule
) -> None:
    await add(garden, module)
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
