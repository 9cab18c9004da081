"""A try and an update keep out of each other's way, and a try that ends early restores once."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment.safe_state import ConfiguredSafeState
from custom_components.esp_ota.house import InstallNote
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    UNTOUCHED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.rehearsal import KEY, SLOW, choose, have_failing_action, outcome, send, try_it
from tests.kit.sentences import assert_abort_is_whole, assert_issue_is_whole
from tests.virtual_module import Seen, VirtualModule


@pytest.fixture(autouse=True)
def _actions(garden: Garden) -> None:
    """Have an action that fails."""
    have_failing_action(garden.hass)


# One at a time


@pytest.mark.slow
async def test_no_update_begins_during_a_try(garden: Garden, module: VirtualModule) -> None:
    entry = await garden.add_with(module, actions=[CLOSE_VALVE, SLOW])
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


@pytest.mark.slow
async def test_no_try_begins_during_an_update(garden: Garden, start_module: StartModule) -> None:
    module = await start_module(loop_time=10)
    await garden.release("1.1.0")
    entry = await garden.add_with(module)
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.INVITED)

    asked = await send(garden.hass, menu, {"next_step_id": "ask_try"})
    result = await send(garden.hass, asked, {})

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "install_running"
    assert_abort_is_whole("options", result)
    await install
    assert garden.valve == CLOSED_AND_OPENED


async def test_a_module_that_is_not_loaded_cannot_be_tried(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add_with(module)
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    await garden.hass.config_entries.async_unload(entry.entry_id)

    asked = await send(garden.hass, menu, {"next_step_id": "ask_try"})
    result = await send(garden.hass, asked, {})

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
    entry = await garden.add_with(module)
    menu = await garden.hass.config_entries.options.async_init(entry.entry_id)
    options = {"equipment": equipment, "safe_state": {"conditions": []}}
    garden.hass.config_entries.async_update_entry(entry, options=options)

    asked = await send(garden.hass, menu, {"next_step_id": "ask_try"})
    result = await send(garden.hass, asked, {})

    assert result["reason"] == reason
    assert_abort_is_whole("options", result)


# Ended in the middle


MIDDLES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "while the actions run": ({"actions": [CLOSE_VALVE, {"delay": {"hours": 1}}]}, ["off"]),
    "while it is waited": ({"stable": 3600, "time_limit": 4000}, ["off"]),
    "while it is restored": ({"restore": [SLOW, OPEN_VALVE]}, ["off"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["closed", "unloaded", "stopped"])
@pytest.mark.parametrize(("changes", "reached"), MIDDLES.values(), ids=MIDDLES)
async def test_the_restore_runs_once_however_a_try_ends(
    garden: Garden,
    module: VirtualModule,
    changes: dict[str, Any],
    reached: list[str],
    how: str,
) -> None:
    entry = await garden.add_with(module, **changes)
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


@pytest.mark.slow
async def test_a_window_that_is_closed_after_the_try_ends_nothing(
    garden: Garden, module: VirtualModule
) -> None:
    entry = await garden.add_with(module)
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
    entry = await garden.add_with(module)

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
