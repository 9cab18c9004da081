"""A safe state that breaks under an update, and what becomes of the equipment afterwards."""

import asyncio
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import StartModule
from tests.kit.garden import (
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    VALVE_CLOSED,
    Garden,
    options_for,
    patience,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.steps import (
    BROKEN,
    FAIL,
    IRRIGATING,
    NOT_IRRIGATING,
    STOP,
    have_actions,
    said,
)
from tests.virtual_module import Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _actions(garden: Garden) -> None:
    have_actions(garden.hass)


async def test_a_safe_state_that_breaks_while_sending_stops_the_update(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.1)
    await garden.release("1.1.0")
    garden.hass.states.async_set(IRRIGATING, "off")
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    entry = await garden.add_with(module, conditions=conditions, time_limit=2)
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
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    entry = await garden.add_with(module, conditions=conditions, time_limit=2)
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
    conditions = [VALVE_CLOSED, NOT_IRRIGATING]
    entry = await garden.add_with(module, conditions=conditions, time_limit=2)
    refused = asyncio.create_task(garden.refused("safe_state_broken"))

    await module.wait_for(Seen.ABORTED)
    garden.hass.states.async_set(IRRIGATING, "on")
    await refused

    assert module.events.count_of(Seen.CONNECTED) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


RESTORE_FAILS = {
    "an action fails": ([FAIL], "the bus is down"),
    "an action has a bug": ([BROKEN], "somebody's integration"),
    "it says no": (said(safe=False, reason="stuck"), "stuck"),
    "it stops with an error": ([STOP], "aborted"),
    "it hangs": ([{"wait_template": "{{ false }}"}], "They had not ended after"),
}


@pytest.mark.parametrize(("restore", "detail"), RESTORE_FAILS.values(), ids=RESTORE_FAILS)
async def test_a_restore_that_fails_is_told_although_the_update_went_well(
    garden: Garden,
    module: VirtualModule,
    issue_registry: ir.IssueRegistry,
    restore: list[Any],
    detail: str,
) -> None:
    entry = await garden.add_with(module, restore=restore, time_limit=0.5)

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
    entry = await garden.add_with(module, actions=[CLOSE_VALVE, STOP], restore=[FAIL])
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
    entry = await garden.add_with(module, when_missing="stay_safe")

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
    entry = await garden.add_with(module, when_missing="stay_safe")

    await garden.refused("no_space")

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert {issue.translation_key for issue in issue_registry.issues.values()} == {"update_failed"}


async def test_a_restore_that_is_not_configured_is_nothing_to_do(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add_with(module, restore=[])

    await garden.install()

    garden.assert_at_rest(entry, ["off"])
