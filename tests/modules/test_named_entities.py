"""A person gives an entity another name that a module's options name: it is the same entity."""

import asyncio
from dataclasses import replace

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.kit.entries import StartModule
from tests.kit.garden import CARD, Garden, options_for, until
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow


@pytest.fixture
def named(hass: HomeAssistant) -> str:
    """Have an entity of another integration, and return its name."""
    entry = er.async_get(hass).async_get_or_create("sensor", "mqtt", "well")
    hass.states.async_set(entry.entity_id, "1.0.0")
    return entry.entity_id


async def rename(hass: HomeAssistant, named: str, state: str | None = None) -> str:
    """Give it another name, as its settings do, and return that."""
    now = "sensor.well_behind_the_house"
    er.async_get(hass).async_update_entity(named, new_entity_id=now)
    was = hass.states.get(named)
    assert was is not None
    hass.states.async_remove(named)
    hass.states.async_set(now, state or was.state)
    await hass.async_block_till_done()
    return now


async def test_what_an_entity_says_of_the_version_is_shown_under_its_new_name(
    garden: Garden, start_module: StartModule, named: str
) -> None:
    entry = await garden.add_valve(
        await start_module(), service_name=None, options=options_for(info_entity=named)
    )
    await garden.runs("1.0.0")

    now = await rename(garden.hass, named)
    garden.hass.states.async_set(now, "1.2.0")  # flashed by cable

    await garden.runs("1.2.0")
    assert entry.options["info_entity"] == now
    assert len(garden.valve) == 0


async def test_one_that_is_renamed_again_and_after_a_reload_is_followed(
    garden: Garden, start_module: StartModule, named: str
) -> None:
    entry = await garden.add_valve(
        await start_module(), service_name=None, options=options_for(info_entity=named)
    )
    now = await rename(garden.hass, named)
    await garden.hass.config_entries.async_reload(entry.entry_id)
    er.async_get(garden.hass).async_update_entity(now, new_entity_id=named)
    garden.hass.states.async_set(named, "1.3.0")

    await garden.runs("1.3.0")
    assert entry.options["info_entity"] == named


async def test_a_module_that_sleeps_is_woken_by_an_entity_that_got_another_name(
    garden: Garden, start_module: StartModule, named: str
) -> None:
    module = await start_module()
    await module.power_off()
    options = options_for(sleeps=True, wake_entity=named)
    await garden.add_valve(module, service_name=None, options=options)
    pressed = asyncio.create_task(garden.press())
    await until(lambda: garden.card.attributes["waits_because"] == "sign_of_life")

    now = await rename(garden.hass, named)
    await module.power_cycle()
    await module.wait_for(Seen.BACK)
    garden.hass.states.async_set(now, "awake")

    assert await pressed is None
    assert module.running_version == "1.1.0"


async def test_new_firmware_is_watched_by_what_got_another_name(
    garden: Garden, start_module: StartModule, named: str
) -> None:
    module = await start_module(advertise=True)
    options = options_for(soak_minutes=1, soak_entities=[named, CARD])
    entry = await garden.add_talking(module, options=options)
    now = await rename(garden.hass, named)
    assert entry.options["soak_entities"] == [now, CARD]
    garden.house.patience = replace(garden.house.patience, minute=5.0)
    pressed = await garden.begin(garden.refused("soak_unavailable"), "verifying")
    await garden.runs("1.1.0")
    await asyncio.sleep(0.3)
    garden.hass.states.async_set(now, "unavailable")

    assert (await pressed)["entity"] == now
