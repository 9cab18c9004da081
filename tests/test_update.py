"""The main job: pressing Update, from the caller's side."""

import asyncio

from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.release_name import ReleaseName
from homeassistant.core import HomeAssistant

from .conftest import StartModule, entry_for, firmware

ENTITY = "update.garden_valve_firmware"


async def add_release(hass: HomeAssistant, version: str) -> None:
    """Put one release into the library."""
    name = ReleaseName(file_name="any.bin")
    await hass.data[HOUSE].library.async_add(firmware(version), name, source="upload")


async def test_pressing_update_ends_with_the_new_version_proven(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("1.0.0"), advertise=True)
    await add_release(hass, "1.1.0")
    entry = entry_for(module)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    async with asyncio.timeout(10):
        while hass.states.get(ENTITY).attributes["installed_version"] != "1.0.0":
            await asyncio.sleep(0.05)
    assert hass.states.get(ENTITY).state == "on"

    await hass.services.async_call("update", "install", {"entity_id": ENTITY}, blocking=True)

    state = hass.states.get(ENTITY)
    assert state.state == "off"
    assert state.attributes["last_verdict"] == "verified"
    assert state.attributes["installed_version"] == "1.1.0"
    assert module.running_version == "1.1.0"
