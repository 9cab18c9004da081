"""An install by one of the ways that a module has, and no other."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from homeassistant.exceptions import HomeAssistantError
from tests.kit.garden import CARD, Garden, patience, until
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import Fault, HttpModule, ModuleConfig, Seen

pytestmark = pytest.mark.slow


@pytest.fixture
async def module() -> AsyncIterator[HttpModule]:
    """Return a module that takes images both ways."""
    config = ModuleConfig(time_scale=0.02, offline_time=15.0, hostname="garden-valve")
    async with HttpModule(config) as module:
        yield module


async def add(garden: Garden, module: HttpModule, *ways: str) -> MockConfigEntry:
    options = {"equipment": "nothing", "firmware": "garden-valve"}
    data = {"transports": list(ways), "upload_port": module.http_port}
    return await garden.add_valve(module, options=options, **data)


async def install(garden: Garden, **data: object) -> None:
    await garden.hass.services.async_call(
        "esp_ota", "install", {"entity_id": CARD, **data}, blocking=True
    )


@pytest.mark.parametrize("way", ["arduino_ota", "http_upload"])
async def test_the_named_way_is_taken_whatever_the_order(
    garden: Garden, module: HttpModule, way: str
) -> None:
    others = [one for one in ("arduino_ota", "http_upload") if one != way]
    await add(garden, module, *others, way)
    await install(garden, transport=way)
    assert module.running_version == "1.1.0"
    assert bool(module.events.count_of(Seen.INVITED)) is (way == "arduino_ota")


async def test_no_other_way_is_tried_when_it_fails(garden: Garden, module: HttpModule) -> None:
    garden.house.patience = patience(evidence=0.1, breath=0.1, callback=0.3)
    await module.power_off()
    deaf = replace(module.config, faults={Fault.NO_CONNECT}, limit_scale=0.01)
    async with HttpModule(deaf) as other:
        await add(garden, other, "arduino_ota", "http_upload")
        with pytest.raises(HomeAssistantError) as caught:
            await install(garden, transport="arduino_ota")
        assert caught.value.translation_key == "no_callback"
        assert other.running_version == "1.0.0"
        assert not other.events.count_of(Seen.FIRST_BYTE)


async def test_a_way_that_it_does_not_have_is_refused_before_anything_begins(
    garden: Garden, module: HttpModule
) -> None:
    await add(garden, module, "arduino_ota")
    for way in ("http_upload", "http_pull"):
        with pytest.raises(HomeAssistantError) as caught:
            await install(garden, transport=way)
        assert caught.value.translation_key == "no_way"
        assert_error_is_whole(caught.value)
        assert f"no way {way}; it has arduino_ota" in str(caught.value)
    with pytest.raises(vol.Invalid):
        await install(garden, transport="pigeon")
    assert not module.events.count_of(Seen.INVITED)
    assert garden.card.attributes["last_verdict"] is None


async def test_a_way_that_is_taken_away_while_it_waits_is_told(
    garden: Garden, module: HttpModule
) -> None:
    entry = await add(garden, module, "arduino_ota", "http_upload")
    garden.house.queue.async_set(limit=0, stagger="module")
    running = await garden.begin(install(garden, transport="http_upload"), "queued")
    assert garden.house.journal.open_install(entry.entry_id) is not None
    data = {**entry.data, "transports": ["arduino_ota"]}
    garden.hass.config_entries.async_update_entry(entry, data=data)
    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await running
    assert caught.value.translation_key == "suspended"
    await until(lambda: garden.card.attributes["last_cause"] == "no_way")
    assert garden.house.journal.open_install(entry.entry_id) is None
    assert module.running_version == "1.0.0"
