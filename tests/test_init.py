"""Setting up and taking away: the integration, its entries, what they share."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.dt import utcnow
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, options_for
from tests.virtual_module import Seen


async def test_a_house_without_modules_has_a_folder_a_library_and_no_entry(
    hass: HomeAssistant, esp_ota: None, config_dir: Path
) -> None:
    house = hass.data[HOUSE]
    assert (config_dir / "esp_ota" / "firmware").is_dir()
    assert house.library.releases == []
    assert house.entry is None
    assert house.callback_port == 0


async def test_a_module_is_set_up_and_taken_away_without_anything_being_sent(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    assert entry.state is ConfigEntryState.LOADED
    assert garden.card.state == "on"

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    assert entry.state is ConfigEntryState.NOT_LOADED
    assert garden.card.state == "unavailable"
    assert module.events.names() == [Seen.UP]
    assert garden.valve == []


async def test_a_module_that_is_off_is_set_up_all_the_same(
    garden: Garden, start_module: StartModule
) -> None:
    """It may sleep; the card waits for it, and says what is known."""
    module = await start_module()
    await garden.release("1.1.0")

    entry = await garden.add(entry_for(module, port=1))

    assert entry.state is ConfigEntryState.LOADED
    assert garden.card.state == "on"


@pytest.mark.slow
async def test_a_reload_keeps_the_card_and_what_it_knows(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module))
    await garden.install()
    before = entity_registry.async_get(CARD)

    assert await garden.hass.config_entries.async_reload(entry.entry_id)

    assert entity_registry.async_get(CARD) == before
    assert garden.card.attributes["installed_version"] == "1.1.0"
    assert garden.card.attributes["installed_is_assumed"] is True


async def test_a_removed_module_takes_its_card_with_it(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    entry = await garden.add(entry_for(await start_module()))

    assert await garden.hass.config_entries.async_remove(entry.entry_id)

    assert entity_registry.async_get(CARD) is None
    assert garden.hass.states.get(CARD) is None


async def test_an_entry_of_an_integration_that_could_not_start_can_be_removed(
    hass: HomeAssistant, start_module: StartModule
) -> None:
    entry = entry_for(await start_module())
    entry.add_to_hass(hass)

    assert await hass.config_entries.async_remove(entry.entry_id)

    assert not hass.config_entries.async_entries(DOMAIN)


async def test_the_house_entry_is_unloaded_and_loaded_without_its_modules(
    garden: Garden, start_module: StartModule
) -> None:
    module = await garden.add(entry_for(await start_module()))
    house = garden.house.entry
    assert house is not None

    assert await garden.hass.config_entries.async_reload(house.entry_id)

    assert house.state is ConfigEntryState.LOADED
    assert module.state is ConfigEntryState.LOADED


async def test_a_folder_that_cannot_be_made_does_not_keep_modules_from_being_updated(
    hass: HomeAssistant, config_dir: Path
) -> None:
    def occupy() -> None:
        (config_dir / "esp_ota").mkdir()
        (config_dir / "esp_ota" / "firmware").write_text("a file where the folder should be")

    await hass.async_add_executor_job(occupy)

    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()

    assert hass.data[HOUSE].library.releases == []
    assert hass.data[HOUSE].announcements.find("127.0.0.1", 1) is None


async def at_work(garden: Garden) -> tuple[bool, bool]:
    """Whether the folder is scanned, and the network listened to."""
    folder, announcements = garden.house.folder, garden.house.announcements
    folder._seen.clear()
    path = folder.path / "any.bin"
    path.write_text("no firmware")
    async_fire_time_changed(garden.hass, utcnow() + timedelta(seconds=6.5))
    await garden.hass.async_block_till_done(wait_background_tasks=True)
    listeners = announcements._zeroconf.record_manager.listeners
    return path.name in folder._seen, announcements in listeners


async def test_after_the_last_entry_nothing_is_scanned_and_listened_to(
    garden: Garden, start_module: StartModule
) -> None:
    entries = garden.hass.config_entries
    module = await garden.add(entry_for(await start_module()))
    house = garden.house.entry
    assert house is not None
    assert await at_work(garden) == (True, True)

    await entries.async_remove(module.entry_id)
    assert await at_work(garden) == (True, True)  # the library is still there
    await entries.async_remove(house.entry_id)
    assert await at_work(garden) == (False, False)

    await garden.add(entry_for(await start_module()))
    assert await at_work(garden) == (True, True)


async def test_a_house_whose_entries_are_all_disabled_rests(
    garden: Garden, start_module: StartModule
) -> None:
    entries = garden.hass.config_entries
    module = await garden.add(entry_for(await start_module()))
    house = garden.house.entry
    assert house is not None
    for entry in (module, house):
        await entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert await at_work(garden) == (False, False)

    await entries.async_set_disabled_by(module.entry_id, None)
    await garden.hass.async_block_till_done()
    assert await at_work(garden) == (True, True)
