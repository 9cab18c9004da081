"""Every restore is read back: by its conditions, or by what the equipment was before."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment.before import async_is_read_back
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.installs.test_recovery import crashed, start
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    VALVE,
    VALVE_CLOSED,
    Garden,
    options_for,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.steps import STOP, VALVE_OPEN

pytestmark = pytest.mark.slow

SCRIPTS = {
    "close_main": {"mode": "single", "sequence": [CLOSE_VALVE]},
    "open_main": {"mode": "single", "sequence": [{"wait_template": "{{ true }}"}, OPEN_VALVE]},
    "busy_main": {
        "mode": "single",
        "sequence": [{"if": "{{ busy | default(false) }}", "then": [{"delay": 8}]}, OPEN_VALVE],
    },
}
BY_SCRIPT = {
    "actions": [{"action": "script.close_main"}],
    "restore": [{"action": "script.busy_main"}],
    "time_limit": 1,
}


async def add_scripts(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "script", {"script": SCRIPTS})


def sentence(hass: HomeAssistant) -> str:
    verdict = hass.states.get("sensor.garden_valve_last_update")
    assert verdict is not None
    return str(verdict.attributes["sentence"])


async def test_a_script_that_is_busy_and_restores_nothing_is_told(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    """Its mode is single: the call returns at once, and the valve stays shut."""
    hass = garden.hass
    await add_scripts(hass)
    entry = await garden.add_valve(await start_module(), options=options_for(BY_SCRIPT))
    await hass.services.async_call(
        "script", "turn_on", {"entity_id": "script.busy_main", "variables": {"busy": True}}
    )

    facts = await garden.refused("restore_failed")

    assert f"{VALVE}: off, was on" in facts["detail"]
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    await hass.services.async_call("script", "turn_off", {"entity_id": "script.busy_main"})


async def test_a_script_that_restores_is_read_back_by_what_was_before(
    garden: Garden, start_module: StartModule
) -> None:
    await add_scripts(garden.hass)
    entry = await garden.add_valve(await start_module(), options=options_for(BY_SCRIPT))

    await garden.install()

    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    assert "reads back" not in sentence(garden.hass)


async def test_a_restore_that_opens_what_was_shut_before_is_what_it_was_told(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True)
    await garden.add_valve(await start_module(), options=options_for({"time_limit": 1}))

    await garden.install()

    assert hass.states.is_state(VALVE, "on")


UNREADABLE: dict[str, dict[str, Any]] = {
    "a command": {"actions": [], "restore": [{"action": "shell_command.open_main"}]},
    "a message": {"actions": [], "restore": [{"event": "open_main"}]},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
async def test_where_nothing_can_tell_the_verdict_says_so(
    garden: Garden, start_module: StartModule, changes: dict[str, Any]
) -> None:
    hass = garden.hass
    async_mock_service(hass, "shell_command", "open_main")
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True)
    told: list[Any] = []
    hass.bus.async_listen("esp_ota_update_ended", callback(lambda event: told.append(event.data)))
    await garden.add_valve(await start_module(), options=options_for(changes))

    await garden.install()
    await hass.async_block_till_done()

    assert "Nothing reads back" in sentence(hass)
    assert told[0]["restore_unread"] is True


READ: dict[str, tuple[dict[str, Any], bool]] = {
    "no restore": ({"restore": []}, True),
    "an entity": ({"restore": [OPEN_VALVE]}, True),
    "a script": ({"restore": [{"action": "script.open_main"}]}, True),
    "conditions": (
        {"restore": [{"event": "open"}], "restore_conditions": [VALVE_OPEN]},
        True,
    ),
    "a disabled condition": (
        {"restore": [{"event": "open"}], "restore_conditions": [VALVE_OPEN | {"enabled": False}]},
        False,
    ),
    "an event": ({"restore": [{"event": "open"}]}, False),
    "an event after a valve was shut": (
        {"actions": [CLOSE_VALVE], "restore": [{"event": "open"}]},
        True,
    ),
    "a message to people": ({"restore": [{"action": "notify.all"}]}, True),
    "what repeats what it was told": (
        {
            "restore": [
                {"action": "switch.turn_on", "target": {"entity_id": "switch.radio"}},
            ]
        },
        False,
    ),
    "a moment": (
        {"restore": [{"action": "button.press", "target": {"entity_id": "button.open"}}]},
        False,
    ),
}


@pytest.mark.parametrize(("safe_state", "is_read"), READ.values(), ids=READ)
async def test_what_reads_a_restore_back(
    garden: Garden, safe_state: dict[str, Any], is_read: bool
) -> None:
    hass = garden.hass
    await add_scripts(hass)
    hass.states.async_set("switch.radio", "off", {"assumed_state": True})
    hass.states.async_set("button.open", "2026-11-01T12:00:00+00:00")

    assert await async_is_read_back(hass, safe_state, {}) is is_read


# After a crash


@pytest.mark.parametrize("was", ["on", "off"])
async def test_what_was_before_outlives_a_crash(
    garden: Garden, start_module: StartModule, was: str
) -> None:
    """The journal has it: the valve was open, or it was not."""
    module = await start_module(advertise=True)
    entry = entry_for(module, options=options_for({"time_limit": 0.5}))
    await crashed(garden, entry, "sending", equipment={"was": {VALVE: was}, "broken": []})

    (told,) = await start(garden, entry)

    assert told["restore_error"] == (None if was == "on" else "restore_failed")
    assert told["restore_unread"] is False


async def test_a_note_of_an_older_release_is_restored_and_said_to_be_unread(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = entry_for(module, options=options_for({"time_limit": 0.5}))
    await crashed(garden, entry, "sending")

    (told,) = await start(garden, entry)

    assert told["restore_error"] is None
    assert told["restore_unread"] is True
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


# What no action touches


async def test_what_no_action_touches_delays_no_update(
    garden: Garden, start_module: StartModule
) -> None:
    """A flow meter that says nothing new, after a restore that nothing has read back."""
    hass = garden.hass
    hass.states.async_set("sensor.flow", "0.0")
    still = {"condition": "numeric_state", "entity_id": "sensor.flow", "below": 0.1}
    changes = {
        "conditions": [VALVE_CLOSED, still],
        "restore": [OPEN_VALVE, STOP],
        "time_limit": 120,
    }
    await garden.add_valve(await start_module(), options=options_for(changes))
    await garden.refused("restore_failed")

    async with asyncio.timeout(30):
        await garden.refused("restore_failed", "1.1.0")
