"""Conditions must be read back, all and for long enough; one that cannot say no is none."""

import asyncio
from typing import Any

import pytest

from custom_components.esp_ota.equipment import safe_state
from tests.kit.entries import entry_for
from tests.kit.garden import (
    CLOSED_AND_OPENED,
    UNTOUCHED,
    VALVE_CLOSED,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.steps import (
    IRRIGATING,
    NOT_IRRIGATING,
)
from tests.virtual_module import VirtualModule


@pytest.mark.slow
async def test_all_conditions_must_be_true(garden: Garden, module: VirtualModule) -> None:
    garden.hass.states.async_set(IRRIGATING, "on")
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    await garden.add_with(module, conditions=conditions, time_limit=0.3)

    await garden.refused("safe_state_not_confirmed")

    assert_nothing_sent(module)


@pytest.mark.slow
async def test_a_condition_about_a_missing_entity_is_false_and_does_not_flood_the_log(
    garden: Garden, module: VirtualModule, caplog: pytest.LogCaptureFixture
) -> None:
    await garden.add_with(module, conditions=[VALVE_CLOSED, NOT_IRRIGATING], time_limit=0.6)

    await garden.refused("safe_state_not_confirmed")

    assert_nothing_sent(module)
    ours = [record for record in caplog.records if record.name.startswith("custom_components")]
    lines = [record for record in ours if IRRIGATING in record.getMessage()]
    assert len(lines) == 1  # how the update ended


@pytest.mark.slow
async def test_a_condition_that_bounces_is_not_believed(
    garden: Garden, module: VirtualModule
) -> None:
    garden.hass.states.async_set(IRRIGATING, "off")
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    await garden.add_with(module, conditions=conditions, stable=0.6, time_limit=1.2)
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


@pytest.mark.slow
async def test_a_look_after_the_last_pause_decides(
    garden: Garden, module: VirtualModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_state, "_POLL", 0.6)
    garden.hass.states.async_set(IRRIGATING, "off")
    await garden.add_with(module, conditions=[VALVE_CLOSED, NOT_IRRIGATING], stable=0.3)
    install = asyncio.create_task(garden.install())
    await until(lambda: garden.valve == ["off"])
    await asyncio.sleep(0.05)

    garden.hass.states.async_set(IRRIGATING, "on")  # during the one pause there is
    await asyncio.sleep(0.8)
    assert_nothing_sent(module)
    garden.hass.states.async_set(IRRIGATING, "off")

    await install
    assert module.running_version == "1.1.0"


@pytest.mark.slow
async def test_conditions_that_stay_true_for_the_stable_time_pass(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add_with(module, stable=0.3)

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_a_template_that_becomes_true_by_itself_is_noticed(
    garden: Garden, module: VirtualModule
) -> None:
    soon = {
        "condition": "template",
        "value_template": "{{ (now() - states.input_boolean.valve.last_changed)"
        ".total_seconds() > 0.4 }}",
    }
    entry = await garden.add_with(module, conditions=[VALVE_CLOSED, soon])

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
    entry = await garden.add_with(module, **{key: [item]})

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
    entry = await garden.add_with(module, conditions=conditions)

    await garden.refused("safe_state_invalid")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
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
    entry = await garden.add_with(module, conditions=[condition])

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_condition_that_one_of_two_valves_makes_true_is_not_used(
    garden: Garden, module: VirtualModule
) -> None:
    either = {"condition": "valve.is_closed", "target": {"entity_id": ["valve.a", "valve.b"]}}
    entry = await garden.add_with(module, conditions=[VALVE_CLOSED, either])

    facts = await garden.refused("safe_state_invalid")

    assert facts["detail"].startswith("A condition on several targets is decided by any one")
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
    entry = await garden.add_with(module, conditions=[condition])

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


@pytest.mark.slow
async def test_a_module_that_switches_nothing_needs_no_safe_state(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add(entry_for(module, options=options_for(equipment="nothing")))

    await garden.install()

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, UNTOUCHED)
