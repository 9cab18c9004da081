"""The library: releases named by content, facts that survive."""

import asyncio
from pathlib import Path

import pytest

from custom_components.esp_ota.library import Library
from custom_components.esp_ota.ota import Cause, LibraryError
from custom_components.esp_ota.ota.exceptions import ImageError
from custom_components.esp_ota.release_name import ReleaseName
from homeassistant.core import HomeAssistant

from .conftest import firmware

ANY = ReleaseName(file_name="any.bin")


@pytest.fixture
async def library(hass: HomeAssistant, config_dir: Path) -> Library:
    """Return an empty library in a directory of its own."""
    library = Library(hass)
    await library.async_load()
    return library


async def test_a_release_is_found_and_read_after_a_restart(
    hass: HomeAssistant, library: Library
) -> None:
    data = firmware("1.1.0")
    added = await library.async_add(data, ANY, source="upload", notes="Closes by itself.")

    again = Library(hass)
    await again.async_load()

    assert again.releases == [added]
    assert again.get(added.image.sha256) == added
    assert again.firmwares == ["garden-valve"]
    assert await again.async_read(added) == data


async def test_the_newest_version_comes_first_among_candidates(library: Library) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        await library.async_add(firmware(version), ANY, source="upload")
    await library.async_add(firmware("9.0.0", name="pump"), ANY, source="upload")
    versions = [release.version for release in library.candidates("garden-valve")]
    assert versions == ["1.10.0", "1.9.0", "1.2.0"]


async def test_the_same_bytes_twice_are_one_release(library: Library) -> None:
    first = await library.async_add(firmware("1.1.0"), ANY, source="upload")
    second = await library.async_add(firmware("1.1.0"), ANY, source="folder")
    assert second is first
    assert library.releases == [first]


async def test_other_bytes_under_the_same_version_are_refused_and_change_nothing(
    library: Library,
) -> None:
    first = await library.async_add(firmware("1.1.0"), ANY, source="upload")
    said = ReleaseName(file_name="any.bin", version="1.1.0")
    with pytest.raises(LibraryError) as refused:
        await library.async_add(firmware("1.2.0"), said, source="upload")
    assert refused.value.cause is Cause.RELEASE_CONFLICT
    assert refused.value.facts == {
        "firmware": "garden-valve",
        "version": "1.1.0",
        "chip": "esp8266",
    }
    assert library.releases == [first]


async def test_of_two_files_that_come_at_once_under_one_version_only_one_is_taken(
    library: Library,
) -> None:
    said = ReleaseName(file_name="any.bin", version="1.1.0")
    first, second = await asyncio.gather(
        library.async_add(firmware("1.1.0"), said, source="upload"),
        library.async_add(firmware("1.2.0"), said, source="folder"),
        return_exceptions=True,
    )
    assert sorted(type(item).__name__ for item in (first, second)) == ["LibraryError", "Release"]
    assert len(library.releases) == 1


async def test_the_same_version_for_another_chip_is_another_release(library: Library) -> None:
    await library.async_add(firmware("1.1.0"), ANY, source="upload")
    await library.async_add(firmware("1.1.0", "esp32"), ANY, source="upload")
    assert {release.image.chip for release in library.releases} == {"esp8266", "esp32"}


async def test_a_file_that_is_no_firmware_changes_nothing(library: Library) -> None:
    with pytest.raises(ImageError) as refused:
        await library.async_add(b"<html>404</html>", ANY, source="upload")
    assert refused.value.cause is Cause.HTML_PAGE
    assert library.releases == []


async def test_a_removed_release_and_its_image_are_gone(config_dir: Path, library: Library) -> None:
    told: list[int] = []
    stop = library.async_add_listener(lambda: told.append(len(library.releases)))
    release = await library.async_add(firmware("1.1.0"), ANY, source="upload")
    await library.async_remove(release.image.sha256)
    await library.async_remove(release.image.sha256)
    assert told == [1, 0]
    assert list((config_dir / "esp_ota" / "images").iterdir()) == []
    stop()
    await library.async_add(firmware("1.1.0"), ANY, source="upload")
    assert told == [1, 0]


@pytest.mark.parametrize("damage", ["gone", "changed"])
async def test_an_image_that_was_touched_on_disk_is_never_sent(
    config_dir: Path, library: Library, damage: str
) -> None:
    release = await library.async_add(firmware("1.1.0"), ANY, source="upload")
    path = config_dir / "esp_ota" / "images" / f"{release.image.sha256}.bin"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(LibraryError) as refused:
        await library.async_read(release)
    assert refused.value.cause is Cause.IMAGE_MISSING
