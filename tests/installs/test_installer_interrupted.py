"""An install that somebody presses twice, stops, or takes the entry away from."""

import asyncio
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import Library
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import StartModule
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    UNTOUCHED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
    until,
)
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow

# Around one install


async def test_a_second_press_while_one_runs_is_an_error_and_disturbs_nothing(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    entry = await garden.add_valve(module)
    first = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    with pytest.raises(HomeAssistantError):  # by Home Assistant, that knows the entity
        await garden.install()
    with pytest.raises(HomeAssistantError) as caught:  # by us, for whoever else asks
        await entry.runtime_data.installer.async_install(None, None)

    assert caught.value.translation_key == "install_running"
    assert_error_is_whole(caught.value)
    await first
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_an_install_goes_on_when_its_caller_is_stopped(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    entry = await garden.add_valve(module)
    runtime = entry.runtime_data
    caller = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    assert runtime.installer.is_running
    await until(lambda: not runtime.installer.is_running)
    assert module.running_version == "1.1.0"
    assert garden.card.attributes["last_verdict"] == "unverified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("how", ["unload", "reload"])
@pytest.mark.parametrize("when", [Seen.INVITED, Seen.FIRST_BYTE])
async def test_an_entry_that_is_taken_away_ends_its_install_and_restores(
    garden: Garden, start_module: StartModule, how: str, when: Seen
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02, loop_time=10)
    # It does not hear while it tries to call back where nobody listens any more.
    garden.house.patience = patience(answer=0.3, tries=30, evidence=0.1)
    entry = await garden.add_valve(module)
    refused = expect(garden, "cancelled")
    await module.wait_for(when)

    if how == "unload":
        assert await garden.hass.config_entries.async_unload(entry.entry_id)
    else:
        assert await garden.hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED

    await refused
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None
    assert module.running_version == "1.0.0"
    module.faults.clear()
    if how == "unload":
        assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.install()  # the module was freed
    assert module.running_version == "1.1.0"


def expect(garden: Garden, cause: str) -> asyncio.Task[None]:
    """Press Update, and go on; it is to end with this cause."""

    async def press() -> None:
        with pytest.raises(HomeAssistantError) as caught:
            await garden.install()
        assert caught.value.translation_key == cause
        assert_error_is_whole(caught.value)

    return asyncio.create_task(press())


async def restarting(
    garden: Garden, start_module: StartModule, cause: str
) -> tuple[VirtualModule, MockConfigEntry, asyncio.Task[None]]:
    """Press Update, which is to end with this cause, and wait until the module restarts."""
    module = await start_module(offline_time=30)
    entry = await garden.add_valve(module)
    pressed = expect(garden, cause)
    await module.wait_for(Seen.RESTARTED)
    await garden.at("restarting")
    return module, entry, pressed


async def test_a_module_that_restarts_while_its_entry_is_reloaded_is_waited_for_after_it(
    garden: Garden, start_module: StartModule
) -> None:
    module, entry, suspended = await restarting(garden, start_module, "suspended")

    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    await suspended
    assert garden.valve == ["off"]

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["last_verdict"] == "unverified"
    assert module.events.count_of(Seen.FIRST_BYTE) == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_a_module_that_restarts_while_its_entry_is_disabled_is_not_waited_for(
    garden: Garden, start_module: StartModule
) -> None:
    _, entry, cancelled = await restarting(garden, start_module, "cancelled_late")

    await garden.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await cancelled
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_module_that_restarts_while_it_is_removed_leaves_the_equipment_restored(
    garden: Garden, start_module: StartModule
) -> None:
    _, entry, suspended = await restarting(garden, start_module, "suspended")

    await garden.hass.config_entries.async_remove(entry.entry_id)
    await suspended
    await garden.hass.async_block_till_done()
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_an_entry_that_is_taken_away_while_the_valve_closes_restores(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    options = options_for()
    options["safe_state"]["actions"].append({"wait_template": "{{ false }}"})
    entry = await garden.add_valve(module, options=options)
    refused = expect(garden, "cancelled")
    await until(lambda: garden.valve == ["off"])

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert_nothing_sent(module)
    assert garden.valve == CLOSED_AND_OPENED


async def test_an_entry_that_is_taken_away_before_anything_began_has_nothing_to_restore(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    reading = asyncio.Event()

    async def read_for_ever(*_: object) -> bytes:
        reading.set()
        return await asyncio.get_running_loop().create_future()

    with patch.object(Library, "async_read", read_for_ever):
        refused = expect(garden, "cancelled")
        await reading.wait()
        assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert garden.valve == UNTOUCHED
    assert_nothing_sent(module)


async def test_a_restore_that_fails_when_the_entry_is_taken_away_is_a_repair(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    module = await start_module(loop_time=10)
    options = options_for({"restore": [{"action": "test.nothing"}]})
    entry = await garden.add_valve(module, options=options)
    refused = expect(garden, "cancelled")
    await module.wait_for(Seen.INVITED)

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert garden.valve == ["off"]
    assert issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")


async def test_a_restore_that_runs_while_the_entry_is_taken_away_is_carried_to_its_end(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.BOOT_STRAP])
    pause = {"delay": {"milliseconds": 300}}
    options = options_for()
    options["safe_state"]["restore"].insert(0, pause)
    entry = await garden.add_valve(module, options=options)
    refused = expect(garden, "boot_strap")
    await garden.at("restoring")

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    await refused
    assert garden.valve == CLOSED_AND_OPENED
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_removed_module_leaves_no_trace(
    garden: Garden,
    start_module: StartModule,
    issue_registry: ir.IssueRegistry,
    hass_storage: dict[str, Any],
) -> None:
    module = await start_module(faults=[Fault.NEVER_BACK])
    garden.house.patience = patience(back=0.2)
    entry = await garden.add_valve(module, options=options_for({"when_missing": "stay_safe"}))
    await garden.refused("did_not_come_back")
    await garden.house.journal.async_remember(
        entry.entry_id, {"version": "1.0.0", "firmware": None, "assumed": False}
    )
    assert issue_registry.issues

    await garden.hass.config_entries.async_remove(entry.entry_id)

    assert not issue_registry.issues
    stored = hass_storage["esp_ota.journal"]["data"]
    assert stored.keys() >= {"open", "known", "learnt"}
    assert stored.pop("writes")
    assert not any(stored.values())


async def test_an_address_that_changes_during_an_install_does_not_end_it(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    entry = await garden.add_valve(module)
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    garden.hass.config_entries.async_update_entry(
        entry, data={**entry.data, "service_name": "other._arduino._tcp.local."}
    )
    await garden.hass.async_block_till_done()

    await install
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def has_all_but_nobody_looked(garden: Garden, start_module: StartModule) -> VirtualModule:
    """Begin an update of a module that has the last byte, which it is still writing."""
    module = await start_module(advertise=True, sector_time=0.1)
    await garden.add_talking(module, patience=patience(poll=5.0))
    return module


async def test_a_cancel_that_comes_when_the_module_has_it_all_is_late(
    garden: Garden, start_module: StartModule
) -> None:
    module = await has_all_but_nobody_looked(garden, start_module)
    installing = asyncio.create_task(garden.refused("cancelled_late"))
    await module.wait_for(Seen.COMPLETE)

    await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)

    await installing
    await module.wait_for(Seen.BACK)
    assert module.running_version == "1.1.0"


async def test_a_break_that_comes_when_the_module_has_it_all_is_heard_out(
    garden: Garden, start_module: StartModule
) -> None:
    """And what broke is told: there was nothing left that could be stopped."""
    module = await has_all_but_nobody_looked(garden, start_module)
    installing = asyncio.create_task(garden.refused("not_safe_all_the_time"))
    await module.wait_for(Seen.COMPLETE)

    garden.hass.states.async_set(VALVE, "on")

    facts = await installing
    assert facts["unmet"] == VALVE
    assert garden.card.attributes["last_verdict"] == "verified"
    assert module.restarts == 1


async def test_nothing_begins_when_home_assistant_stops(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    garden.hass.set_state(CoreState.stopping)
    with pytest.raises(HomeAssistantError) as caught:
        await entry.runtime_data.installer.async_install("1.1.0", None)
    assert caught.value.translation_key == "cancelled"
    assert_nothing_sent(module)
    garden.hass.set_state(CoreState.running)
