"""What is shown while an install runs, and while several do."""

import asyncio

import pytest

from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CARD,
    WHOLE_WAY,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.virtual_module import Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow

PUMP = "update.pump_firmware"


async def add_pump(garden: Garden, module: VirtualModule) -> None:
    """Set up a second module, for which there is the same firmware."""
    entry = entry_for(module, unique_id="pump", name="pump", service_name=None)
    entry.add_to_hass(garden.hass)
    garden.hass.config_entries.async_update_entry(entry, title="pump")
    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.hass.async_block_till_done()


async def test_installs_wait_for_their_turn_untouched(
    garden: Garden, start_module: StartModule
) -> None:
    first = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.02)
    second = await start_module(hostname="pump")
    await garden.add_valve(first, options=options_for(equipment="nothing"))
    await add_pump(garden, second)
    house = garden.house.entry
    assert house is not None
    garden.hass.config_entries.async_update_entry(house, options={"parallel_installs": 1})
    await garden.hass.config_entries.async_reload(house.entry_id)

    running = asyncio.create_task(garden.install())
    await first.wait_for(Seen.FIRST_BYTE)
    waiting = asyncio.create_task(
        garden.hass.services.async_call("update", "install", {"entity_id": PUMP}, blocking=True)
    )

    def stage() -> str | None:
        state = garden.hass.states.get(PUMP)
        assert state is not None
        return state.attributes["stage"]

    await until(lambda: stage() == "queued")
    assert_nothing_sent(second)
    await running
    await waiting
    assert second.running_version == "1.1.0"
    assert second.events.last(Seen.INVITED).time > first.events.last(Seen.RESTARTED).time


async def test_progress_is_one_value_and_percent_is_shown_only_while_sending(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add_valve(module)

    await garden.install()

    assert garden.stages == [None, *WHOLE_WAY, None]
    for in_progress, percent, stage in garden.shown:
        assert in_progress is (stage is not None)
        assert percent is None or stage == "sending"
    percents = [percent for _, percent, _ in garden.shown if percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(percents) > 3


async def test_progress_is_gone_after_a_failure_and_begins_anew(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults={Fault.WRONG_MD5: 1})
    await garden.add_valve(module)
    await garden.refused("md5_mismatch")
    assert garden.shown[-1] == (False, None, None)
    garden.shown.clear()

    await garden.install()

    assert garden.shown[0] == (True, None, "checking")
    assert garden.shown[-1] == (False, None, None)


async def test_two_modules_are_updated_at_the_same_time(
    hass: HomeAssistant, garden: Garden, start_module: StartModule
) -> None:
    slow = {"faults": [Fault.SLOW_SECTOR], "slow_sector_time": 0.02}
    valve, pump = await start_module(**slow), await start_module(hostname="pump", **slow)
    await garden.add_valve(valve, options=options_for(equipment="nothing"))
    await add_pump(garden, pump)

    await hass.services.async_call("update", "install", {"entity_id": [CARD, PUMP]}, blocking=True)

    assert valve.running_version == pump.running_version == "1.1.0"
    assert pump.events.last(Seen.FIRST_BYTE).time < valve.events.last(Seen.COMPLETE).time
