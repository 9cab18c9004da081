"""Images that are not on the disk any more: deleted, on a share that is away, not in a backup."""

from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import Release, WatchedFolder
from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import TALKING, Garden, assert_nothing_sent, options_for
from tests.kit.sources import GitHub, add, later

pytestmark = pytest.mark.slow


def image_of(hass: HomeAssistant, release: Release) -> Path:
    return Path(hass.config.path("esp_ota", "images", f"{release.image.sha256}.bin"))


def delete(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


async def test_an_image_that_is_gone_is_not_on_offer_and_the_card_says_why(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    await garden.add_talking(module)
    newer = await garden.release("1.2.0")
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["latest_version"] == "1.2.0"

    kept = image_of(garden.hass, newer).rename(image_of(garden.hass, newer).with_suffix(".away"))
    await later(garden.hass, 61)

    assert garden.card.attributes["latest_version"] == "1.1.0"
    assert "1.2.0 is missing or was changed on disk" in garden.card.attributes["not_offered"]
    await garden.refused("image_missing", "1.2.0")
    assert_nothing_sent(module)
    assert garden.valve == []

    kept.rename(image_of(garden.hass, newer))
    await later(garden.hass, 122)
    assert garden.card.attributes["latest_version"] == "1.2.0"
    await garden.install()
    assert module.running_version == "1.2.0"


async def test_one_that_was_changed_is_not_offered_again_each_hour(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    await garden.add_talking(module)
    [release] = garden.house.library.releases
    damage(image_of(garden.hass, release))
    await garden.refused("image_missing")

    await later(garden.hass, 61)

    assert garden.card.state == "off"
    assert_nothing_sent(module)


@pytest.mark.parametrize("harm", [delete, damage])
async def test_a_source_brings_it_once_more(
    garden: Garden, github: GitHub, harm: Callable[[Path], None]
) -> None:
    hass, library = garden.hass, garden.house.library
    github.publish("1.1.0", "valve.bin")
    await add(hass)
    [release] = library.releases
    harm(image_of(hass, release))
    await library.async_look_for_images()
    if harm is damage:
        await library.images.async_read(release.image.sha256)
    assert library.whole(release.image.sha256) is None

    await later(hass, 61)

    assert library.whole(release.image.sha256) == release
    assert await library.async_read(release) == firmware("1.1.0")
    assert github.downloads == ["valve.bin"] * 2
    await later(hass, 122)
    assert github.downloads == ["valve.bin"] * 2


async def test_a_file_in_the_folder_brings_it_once_more(hass: HomeAssistant, house: House) -> None:
    folder: WatchedFolder = house.folder
    (folder.path / "valve.bin").write_bytes(firmware("1.1.0"))
    await folder.async_scan()
    await folder.async_scan()
    [release] = house.library.releases
    image_of(hass, release).unlink()
    await house.library.async_look_for_images()

    await folder.async_scan()

    assert house.library.whole(release.image.sha256) == release
    assert image_of(hass, release).exists()


async def test_what_ran_well_before_and_is_gone_is_not_what_can_be_put_back(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    garden.house.patience = TALKING
    before = await garden.release("1.0.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    await garden.runs("1.0.0")
    await garden.release("1.1.0")
    await garden.install()
    await garden.runs("1.1.0")
    installer = entry.runtime_data.installer
    assert installer.can_roll_back

    image_of(garden.hass, before).unlink()
    await garden.hass.data[HOUSE].library.async_look_for_images()

    assert not installer.can_roll_back


async def test_an_image_that_is_back_is_compared_with_its_key(
    garden: Garden, start_module: StartModule
) -> None:
    """While it was away nothing proved that it was signed."""
    module = await start_module(advertise=True)
    await garden.add_talking(module)
    library, signatures = garden.house.library, garden.house.signatures
    [release] = library.releases
    away = image_of(garden.hass, release).rename(image_of(garden.hass, release).with_suffix(".x"))
    await library.async_look_for_images()
    signatures._key_of = lambda _firmware: "a key"
    signatures.async_changed()
    await garden.hass.async_block_till_done()
    assert signatures._states == {}

    away.rename(image_of(garden.hass, release))
    await library.async_look_for_images()
    await garden.hass.async_block_till_done()

    assert len(signatures._states) == 1
