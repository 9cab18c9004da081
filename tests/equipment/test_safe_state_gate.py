"""What forbids an update to begin, when the wait is cut short, and a restore that is read back."""

import asyncio
import time
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import InstallNote
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
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
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.steps import IRRIGATING, NOT_IRRIGATING, VALVE_OPEN, WHILE_IRRIGATING
from tests.kit.turns import turn_of
from tests.virtual_module import Seen, VirtualModule

pytestmark = pytest.mark.slow

TEMPLATE = "{{ is_state('binary_sensor.irrigating', 'on') }}"
AN_HOUR = {"stable": 3600, "time_limit": 0.5}
"""Longer than any test waits: only a wait that is cut short can pass."""


# Not while


@pytest.mark.parametrize(
    "inhibit",
    [
        [WHILE_IRRIGATING],
        [VALVE_CLOSED, WHILE_IRRIGATING],
        [{"not": [NOT_IRRIGATING]}],
        ["{{ is_state('binary_sensor.irrigating', 'on') }}"],
        [{"or": [VALVE_CLOSED, WHILE_IRRIGATING]}],
    ],
    ids=["a state", "one of two", "not", "a template", "or"],
)
async def test_an_update_does_not_begin_while_something_forbids_it(
    garden: Garden, module: VirtualModule, inhibit: list[Any]
) -> None:
    garden.hass.states.async_set(IRRIGATING, "on")
    entry = await garden.add_with(module, inhibit=inhibit)

    facts = await garden.refused("inhibited")

    assert facts["reason"]
    assert "making_safe" not in garden.stages
    assert garden.card.attributes["last_verdict"] == "refused"
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)

    garden.hass.states.async_set(IRRIGATING, "off")
    await garden.install()
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("state", ["unavailable", "unknown", None])
@pytest.mark.parametrize(
    "inhibit",
    [
        WHILE_IRRIGATING,
        {"not": [NOT_IRRIGATING]},
        "{{ is_state('binary_sensor.irrigating', 'on') }}",
    ],
    ids=["a state", "not", "a template"],
)
async def test_what_cannot_be_told_forbids_as_well(
    garden: Garden, module: VirtualModule, inhibit: Any, state: str | None
) -> None:
    if state is not None:
        garden.hass.states.async_set(IRRIGATING, state)
    entry = await garden.add_with(module, inhibit=[inhibit])

    facts = await garden.refused("inhibited")

    assert facts["reason"].endswith(f"({IRRIGATING}: {state or 'missing'})")
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_disabled_reason_forbids_nothing(garden: Garden, module: VirtualModule) -> None:
    garden.hass.states.async_set(IRRIGATING, "on")
    await garden.add_with(module, inhibit=[WHILE_IRRIGATING | {"enabled": False}])

    await garden.install()

    assert module.running_version == "1.1.0"


async def test_it_is_asked_again_when_the_turn_comes(garden: Garden, module: VirtualModule) -> None:
    garden.hass.states.async_set(IRRIGATING, "off")
    entry = await garden.add_with(module, inhibit=[WHILE_IRRIGATING])
    async with turn_of(garden.house), turn_of(garden.house):  # both places are taken
        refused = asyncio.create_task(garden.refused("inhibited"))
        await until(lambda: "queued" in garden.stages)
        garden.hass.states.async_set(IRRIGATING, "on")

    await refused

    assert "making_safe" not in garden.stages
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_irrigation_that_begins_during_an_update_does_not_end_it(
    garden: Garden, start_module: StartModule
) -> None:
    """What must not change in the middle belongs into the conditions that confirm."""
    module = await start_module(loop_time=10)
    await garden.release("1.1.0")
    garden.hass.states.async_set(IRRIGATING, "off")
    await garden.add_with(module, inhibit=[WHILE_IRRIGATING])
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.INVITED)

    garden.hass.states.async_set(IRRIGATING, "on")

    await install
    assert module.running_version == "1.1.0"


# Safe already


async def quiet_for_an_hour(garden: Garden, entity_id: str, state: str) -> None:
    """Have an entity that did not change for longer than anybody waits."""
    garden.hass.states.async_set(entity_id, state, timestamp=time.time() - 3601)


async def test_what_was_safe_for_long_enough_is_not_waited_for(
    garden: Garden, module: VirtualModule
) -> None:
    await quiet_for_an_hour(garden, IRRIGATING, "off")
    touch_nothing = {"action": "input_boolean.turn_on", "target": {"entity_id": VALVE}}
    await garden.add_with(module, actions=[touch_nothing], conditions=[NOT_IRRIGATING], **AN_HOUR)

    await garden.install()

    assert module.running_version == "1.1.0"


SCRIPTS = {
    "start": {"sequence": [{"delay": {"seconds": 1}}]},
    "change": {"sequence": [CLOSE_VALVE]},
}
LET_RUN = {"action": "script.turn_on", "target": {"entity_id": "script.start"}}
NOT_SETTLED: dict[str, dict[str, Any]] = {
    "the actions change something": {"actions": [CLOSE_VALVE]},
    "a script changes something": {"actions": [{"action": "script.change"}]},
    "a script runs on": {"actions": [LET_RUN]},
    "the actions set something off": {"actions": [{"event": "set_off"}]},
    "a template is asked": {
        "conditions": ["{{ is_state('binary_sensor.irrigating', 'off') }}"],
    },
    "it changed a moment ago": {"conditions": [NOT_IRRIGATING, VALVE_OPEN]},
}


@pytest.mark.parametrize("safe_state", NOT_SETTLED.values(), ids=NOT_SETTLED)
async def test_everything_else_waits_for_the_whole_stable_time(
    garden: Garden, module: VirtualModule, safe_state: dict[str, Any]
) -> None:
    await quiet_for_an_hour(garden, IRRIGATING, "off")
    assert await async_setup_component(garden.hass, "script", {"script": SCRIPTS})
    automation = {"trigger": {"trigger": "event", "event_type": "set_off"}, "action": CLOSE_VALVE}
    assert await async_setup_component(garden.hass, "automation", {"automation": [automation]})
    await garden.hass.async_block_till_done()
    usual = {"actions": [], "conditions": [NOT_IRRIGATING], "restore": []}
    await garden.add_with(module, **usual | AN_HOUR | safe_state)

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["detail"] == "All of it was true, but did not stay so."
    assert_nothing_sent(module)


async def test_what_breaks_during_the_actions_is_not_taken_for_safe(
    garden: Garden, module: VirtualModule
) -> None:
    await quiet_for_an_hour(garden, IRRIGATING, "off")
    wait = {"delay": {"milliseconds": 300}}
    await garden.add_with(module, actions=[wait], conditions=[NOT_IRRIGATING], **AN_HOUR)
    refused = asyncio.create_task(garden.refused("safe_state_not_confirmed"))
    await until(lambda: "making_safe" in garden.stages)

    garden.hass.states.async_set(IRRIGATING, "on")  # by somebody else
    garden.hass.states.async_set(IRRIGATING, "off")

    await refused
    assert_nothing_sent(module)


# The restore is read back


async def test_a_restore_is_over_when_it_is_read_back(
    garden: Garden, module: VirtualModule
) -> None:
    scripts = {"open": {"sequence": [{"delay": {"milliseconds": 400}}, OPEN_VALVE]}}
    assert await async_setup_component(garden.hass, "script", {"script": scripts})
    start = {"action": "script.turn_on", "target": {"entity_id": "script.open"}}
    entry = await garden.add_with(module, restore=[start], restore_conditions=[VALVE_OPEN])

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


NOT_BACK: dict[str, tuple[list[Any], list[Any], str]] = {
    "it stays shut": ([], [VALVE_OPEN], f": {VALVE}"),
    "nobody can tell": (
        [OPEN_VALVE],
        [VALVE_OPEN, {"not": [WHILE_IRRIGATING]}],
        f"condition 2 ({IRRIGATING}: missing)",
    ),
}


@pytest.mark.parametrize(("restore", "conditions", "detail"), NOT_BACK.values(), ids=NOT_BACK)
async def test_a_restore_that_is_not_read_back_has_failed(
    garden: Garden,
    module: VirtualModule,
    issue_registry: ir.IssueRegistry,
    restore: list[Any],
    conditions: list[Any],
    detail: str,
) -> None:
    entry = await garden.add_with(
        module, restore=restore, restore_conditions=conditions, time_limit=1
    )

    facts = await garden.refused("restore_failed")

    assert facts["detail"].startswith("Not true after 1 s: ")
    assert facts["detail"].endswith(f"{detail}.")
    assert garden.card.attributes["last_verdict"] == "unverified"
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_condition_of_the_restore_that_breaks_later_is_a_failed_restore(
    garden: Garden, module: VirtualModule
) -> None:
    """It could be loaded when the update began; the restore itself is run all the same."""
    entry = await garden.add_with(module, restore_conditions=[VALVE_OPEN])
    changed = options_for({"restore_conditions": [{"condition": "gone.is_open"}]})
    install = asyncio.create_task(garden.refused("restore_failed"))
    await module.wait_for(Seen.INVITED)
    entry.options["safe_state"]["restore_conditions"][:] = changed["safe_state"][
        "restore_conditions"
    ]

    facts = await install

    assert facts["detail"]
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_restore_that_cannot_be_used_after_a_crash_is_told(
    garden: Garden, module: VirtualModule, issue_registry: ir.IssueRegistry
) -> None:
    """It was usable when the update began; the device was removed while nobody ran."""
    gone = {"device_id": "gone", "domain": "switch", "type": "turn_on"}
    entry = entry_for(module, options=options_for({"restore": [gone]}))
    note: InstallNote = {
        "stage": "sending",
        "sha256": "0" * 64,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(entry.entry_id, note)

    await garden.add(entry)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)

    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert garden.valve == UNTOUCHED
