"""A restore waits for equipment that is out of reach just then: its module restarts, say."""

import asyncio
from typing import Any

import pytest

from homeassistant.exceptions import HomeAssistantError
from tests.equipment.test_safe_state_valve import CLOSE, CLOSED, OPEN, OPENED, valve
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for, until
from tests.kit.valve import VALVE, GardenValve

__all__ = ["valve"]

pytestmark = pytest.mark.slow


async def installed_while_away(
    garden: Garden, start_module: StartModule, valve: GardenValve, seconds: float, **safe_state: Any
) -> asyncio.Task[None]:
    """Update a module that is the valve itself: it is heard of again later than its OTA port."""
    module = await start_module()
    await garden.release("1.1.0")
    usual = {"actions": [CLOSE], "conditions": [CLOSED], "restore": [OPEN], "time_limit": 4}
    await garden.add(entry_for(module, options=options_for(usual | safe_state)))
    pressed = asyncio.ensure_future(garden.install())
    await until(lambda: "restarting" in garden.stages)
    valve.is_reached(False)
    await until(lambda: "restoring" in garden.stages)
    await asyncio.sleep(seconds)
    valve.is_reached(True)
    return pressed


@pytest.mark.parametrize("conditions", [[], [OPENED]], ids=["what was before", "its conditions"])
async def test_a_valve_that_comes_back_late_is_opened(
    garden: Garden, start_module: StartModule, valve: GardenValve, conditions: list[Any]
) -> None:
    pressed = await installed_while_away(
        garden, start_module, valve, 1.0, restore_conditions=conditions
    )
    await pressed
    assert valve.flows
    assert valve.moved == ["closed", "open"]


async def test_one_that_stays_away_is_waited_for_in_vain_and_told(
    garden: Garden, start_module: StartModule, valve: GardenValve
) -> None:
    pressed = await installed_while_away(garden, start_module, valve, 2.5, time_limit=1.0)
    with pytest.raises(HomeAssistantError) as caught:
        await pressed
    assert caught.value.translation_key == "restore_failed"
    assert not valve.flows


async def test_what_was_out_of_reach_before_is_not_waited_for(
    garden: Garden, start_module: StartModule, valve: GardenValve
) -> None:
    """A pump of last year that is in the same actions."""
    garden.hass.states.async_set("valve.pond", "unavailable")
    both = {"action": "valve.open_valve", "target": {"entity_id": ["valve.pond", VALVE]}}
    usual = {"actions": [CLOSE], "conditions": [CLOSED], "restore": [both], "time_limit": 30}
    await garden.release("1.1.0")
    await garden.add(entry_for(await start_module(), options=options_for(usual)))
    async with asyncio.timeout(10):
        await garden.install()
    assert valve.moved == ["closed", "open"]
