"""Files of a module: with its sketch in one install, and alone on a card of their own."""

import hashlib

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.esp_ota.const import EVENT_UPDATE_ENDED
from custom_components.esp_ota.library import Release, ReleaseName
from homeassistant.core import State
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CLOSED_AND_OPENED, Garden, options_for
from tests.virtual_module import Seen, build_filesystem

pytestmark = pytest.mark.slow

FILES_CARD = "update.garden_valve_files"


async def add_files(garden: Garden, version: str, seed: int = 0) -> Release:
    """Put files into the library."""
    name = ReleaseName(file_name=f"garden-valve-{version}.littlefs.bin")
    return await garden.house.library.async_add(build_filesystem(seed=seed), name, source="upload")


def files_card(garden: Garden) -> State | None:
    return garden.hass.states.get(FILES_CARD)


async def test_files_of_the_same_version_go_before_the_sketch(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module, options=options_for()))
    files = await add_files(garden, "1.1.0")
    await garden.release("1.1.0")
    await garden.install()
    assert module.running_version == "1.1.0"
    assert hashlib.sha256(module.fs_image).hexdigest() == files.image.sha256
    assert module.events.count_of(Seen.RESTARTED) == 2
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    card = files_card(garden)
    assert card is not None
    assert card.attributes["installed_version"] == "1.1.0"


async def test_files_that_are_there_already_are_not_sent_again(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add(entry_for(module, options=options_for()))
    await add_files(garden, "1.1.0")
    await garden.install_files()
    restarts = module.events.count_of(Seen.RESTARTED)
    await garden.release("1.1.0")
    await garden.install()
    assert module.running_version == "1.1.0"
    assert module.events.count_of(Seen.RESTARTED) == restarts + 1


async def test_files_alone_have_a_card_of_their_own(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module, options=options_for()))
    assert files_card(garden) is None
    await add_files(garden, "1.1.0")
    await garden.hass.async_block_till_done()
    card = files_card(garden)
    assert card is not None
    assert card.state == "on"
    assert card.attributes["latest_version"] == "1.1.0"
    assert garden.card.state == "off"  # there is no sketch to install

    ends = async_capture_events(garden.hass, EVENT_UPDATE_ENDED)
    files = await add_files(garden, "1.2.0", seed=1)
    await garden.install_files()
    assert hashlib.sha256(module.fs_image).hexdigest() == files.image.sha256
    assert module.running_version == "1.0.0"
    card = files_card(garden)
    assert card is not None
    assert (card.state, card.attributes["installed_version"]) == ("off", "1.2.0")
    assert garden.card.attributes["in_progress"] is False
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    [*_, ended] = ends
    said = ended.data["sentence"]
    assert "No module says which files it has" in said
    assert "fw_version" not in said

    await garden.install_files("1.1.0")  # back, because the person says so
    card = files_card(garden)
    assert card is not None
    assert card.attributes["installed_version"] == "1.1.0"
