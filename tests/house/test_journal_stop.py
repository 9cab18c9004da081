"""What a Home Assistant that stops or has not started does with open installs."""

import asyncio
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.kit.crashed import KEY
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.virtual_module import Fault, Seen


async def test_an_open_install_waits_for_home_assistant_to_be_started(
    hass: HomeAssistant,
    config_dir: Any,
    start_module: StartModule,
    hass_storage: dict[str, Any],
    issue_registry: ir.IssueRegistry,
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    note = {
        "stage": "sending",
        "sha256": "0" * 64,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    known = {"version": "1.0.0", "firmware": "garden-valve", "assumed": True}
    hass_storage[KEY] = {
        "version": 1,
        "minor_version": 1,
        "key": KEY,
        "data": {"open": {entry.entry_id: note}, "known": {entry.entry_id: known}},
    }
    hass.set_state(CoreState.starting)
    assert await async_setup_component(hass, DOMAIN, {})
    valve = {"input_boolean": {"valve": {"initial": False}}}
    assert await async_setup_component(hass, "input_boolean", valve)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    card, water = hass.states.get(CARD), hass.states.get(VALVE)
    assert card is not None
    assert water is not None
    assert card.attributes["installed_version"] == "1.0.0"
    assert card.attributes["installed_is_assumed"] is True
    assert water.state == "off"  # nobody is there yet who could open it

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: not hass_storage[KEY]["data"]["open"])
    await hass.async_block_till_done()

    water = hass.states.get(VALVE)
    assert water is not None
    assert water.state == "on"
    assert issue_registry.async_get_issue(DOMAIN, f"interrupted_{entry.entry_id}")
    assert_nothing_sent(module)


@pytest.mark.slow
async def test_a_home_assistant_that_is_stopped_restores_before_it_goes(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.1)
    await garden.release("1.1.0")
    await garden.add(entry_for(module, options=options_for()))
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    await garden.hass.async_stop(force=True)

    assert garden.valve == CLOSED_AND_OPENED
    assert hass_storage[KEY]["data"]["open"] == {}
    assert module.running_version == "1.0.0"
    with pytest.raises(HomeAssistantError) as caught:
        await install
    assert caught.value.translation_key == "cancelled"


@pytest.mark.slow
async def test_a_restore_that_fails_while_stopping_is_left_for_the_next_start(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.1)
    await garden.release("1.1.0")
    options = options_for({"restore": [{"action": "test.nothing"}]})
    entry = await garden.add(entry_for(module, options=options))
    install = asyncio.create_task(garden.install())
    await module.wait_for(Seen.FIRST_BYTE)

    # As after the time Home Assistant gives its last jobs: no sequence is run any more.
    garden.hass.set_state(CoreState.stopping)
    await entry.runtime_data.installer.async_stop()
    await garden.hass.async_stop(force=True)

    assert hass_storage[KEY]["data"]["open"][entry.entry_id]["stage"] == "restoring"
    with pytest.raises(HomeAssistantError) as caught:
        await install
    assert caught.value.translation_key == "cancelled"


@pytest.mark.slow
async def test_what_a_module_runs_is_kept_for_the_time_it_is_silent(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module(advertise=True)
    entry = await garden.add(entry_for(module))
    await garden.runs("1.0.0")
    await garden.hass.async_block_till_done()
    known = hass_storage[KEY]["data"]["known"]
    assert known == {
        entry.entry_id: {"version": "1.0.0", "firmware": "garden-valve", "assumed": False}
    }

    del hass_storage[KEY]
    await garden.house.journal.async_remember(entry.entry_id, known[entry.entry_id])
    assert KEY not in hass_storage  # flash is not written for what is known already
