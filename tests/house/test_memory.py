"""What is remembered of modules over restarts, and what a damaged file leaves of it."""

from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.memory import Memory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from tests.kit.entries import entry_for
from tests.kit.garden import Garden
from tests.virtual_module import ModuleConfig, VirtualModule

KEY = f"{DOMAIN}.memory"
SOUND = {"heard": "2026-11-20T10:00:00+00:00", "reachable": True, "waits": [3600.0]}
ENDED = {
    "verdict": "verified",
    "cause": None,
    "sentence": "It runs.",
    "version": "1.1.0",
    "previous_version": None,
}


async def test_it_is_written_at_the_stop(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    memory = Memory(hass)
    memory.async_note("a", {"reachable": True})
    memory.async_note("a", {"heard": SOUND["heard"]})
    assert KEY not in hass_storage

    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()

    again = Memory(hass)
    await again.async_load()
    assert again.of("a") == {"reachable": True, "heard": SOUND["heard"]}
    assert again.of("b") == {}


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ({"a": SOUND | {"ended": ENDED}}, SOUND | {"ended": ENDED}),
        ({"a": SOUND | {"ended": {"verdict": 3}}}, SOUND),
        ({"a": {"heard": 7, "reachable": "yes", "waits": ["long"], "new": 1}}, {"new": 1}),
        ({"a": None}, {}),
        ([], {}),
    ],
    ids=["sound", "no end", "wrong types", "nothing", "no modules"],
)
async def test_what_can_be_read_is_used(
    hass: HomeAssistant, hass_storage: dict[str, Any], stored: Any, kept: dict[str, Any]
) -> None:
    hass_storage[KEY] = {"version": 1, "minor_version": 1, "key": KEY, "data": {"modules": stored}}
    memory = Memory(hass)

    await memory.async_load()

    assert memory.of("a") == kept


async def test_a_module_that_is_removed_is_forgotten(garden: Garden) -> None:
    entry = await garden.add(entry_for(VirtualModule(ModuleConfig())))
    garden.house.memory.async_note(entry.entry_id, {"reachable": True})

    await garden.hass.config_entries.async_remove(entry.entry_id)

    assert garden.house.memory.of(entry.entry_id) == {}


async def test_times_that_are_none_are_not_used(garden: Garden) -> None:
    entry = entry_for(VirtualModule(ModuleConfig()))
    news: Any = {"heard": "yesterday", "asked": "25:00", "waits": [-1.0]}
    garden.house.memory.async_note(entry.entry_id, news)

    await garden.add(entry)

    presence = entry.runtime_data.coordinator.presence
    assert presence.last_seen is None
    assert presence._desk.rhythm.waits == []
