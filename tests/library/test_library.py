"""The library: releases named by content, facts that survive."""

import asyncio
import hashlib
from pathlib import Path
import random
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import Library, ReleaseName
from custom_components.esp_ota.ota import Cause, LibraryError
from custom_components.esp_ota.ota.exceptions import ImageError
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import firmware
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.shelf import ANY, restarted, versions


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


def images(config_dir: Path) -> list[str]:
    return sorted(path.name for path in (config_dir / "esp_ota" / "images").iterdir())


async def test_only_the_last_releases_of_a_firmware_are_kept(
    hass: HomeAssistant, library: Library, config_dir: Path
) -> None:
    library = restarted(hass, keep=lambda: 2)
    await library.async_load()
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        await library.async_add(firmware(version), ANY, source="upload")
    await library.async_add(firmware("1.0.0", name="pump"), ANY, source="upload")
    await library.async_add(firmware("1.0.0", "esp32"), ANY, source="upload")

    assert [(item.firmware, item.version, item.chip) for item in library.releases] == [
        ("pump", "1.0.0", "esp8266"),
        ("garden-valve", "1.0.0", "esp32"),
        ("garden-valve", "1.1.0", "esp8266"),
        ("garden-valve", "1.2.0", "esp8266"),
    ]
    assert len(images(config_dir)) == 4


async def test_the_newest_version_stays_when_older_ones_are_added(
    hass: HomeAssistant, config_dir: Path
) -> None:
    library = restarted(hass, keep=lambda: 2)
    await library.async_load()
    for version in ("2.0.0", "1.0.0", "1.1.0", "1.2.0"):
        await library.async_add(firmware(version), ANY, source="upload")
    assert versions(library) == ["1.1.0", "1.2.0", "2.0.0"]


async def test_what_is_in_use_is_never_dropped(hass: HomeAssistant, config_dir: Path) -> None:
    needed: set[str] = set()
    library = restarted(hass, keep=lambda: 1, in_use=lambda: needed)
    await library.async_load()
    first = await library.async_add(firmware("1.0.0"), ANY, source="upload")
    needed.add(first.image.sha256)
    for version in ("1.1.0", "1.2.0"):
        await library.async_add(firmware(version), ANY, source="upload")
    assert versions(library) == ["1.0.0", "1.2.0"]
    needed.clear()
    await library.async_apply_keep_rule()
    assert versions(library) == ["1.2.0"]


async def test_what_an_install_waits_for_cannot_be_removed(
    hass: HomeAssistant, config_dir: Path
) -> None:
    waited_for: set[str] = set()
    library = restarted(hass, waited_for=lambda: waited_for)
    await library.async_load()
    release = await library.async_add(firmware("1.0.0"), ANY, source="upload")
    waited_for.add(release.image.sha256)
    with pytest.raises(LibraryError) as refused:
        await library.async_remove(release.image.sha256)
    assert refused.value.cause is Cause.RELEASE_IN_USE
    assert refused.value.facts == {"firmware": "garden-valve", "version": "1.0.0"}
    assert await library.async_read(release) == firmware("1.0.0")


async def test_a_removal_is_remembered_until_the_release_is_added_again(
    hass: HomeAssistant, library: Library
) -> None:
    release = await library.async_add(firmware("1.0.0"), ANY, source="upload")
    await library.async_remove(release.image.sha256)
    again = restarted(hass)
    await again.async_load()
    assert list(again.removed) == [release.image.sha256]
    await again.async_add(firmware("1.0.0"), ANY, source="upload")
    assert again.removed == {}


async def test_what_a_crash_left_is_kept_and_told_but_for_halves_and_what_was_removed(
    hass: HomeAssistant, library: Library, config_dir: Path
) -> None:
    release = await library.async_add(firmware("1.0.0"), ANY, source="upload")
    folder = config_dir / "esp_ota" / "images"
    (folder / f"{'0' * 64}.part").write_bytes(b"half")
    removed = await library.async_add(firmware("0.9.0"), ANY, source="upload")
    await library.async_remove(removed.image.sha256)
    for version in ("0.9.0", "1.1.0"):
        data = firmware(version)
        (folder / f"{hashlib.sha256(data).hexdigest()}.bin").write_bytes(data)

    again = restarted(hass)
    await again.async_load()

    assert again.releases == [release]
    stray = hashlib.sha256(data).hexdigest()
    assert images(config_dir) == sorted([f"{release.image.sha256}.bin", f"{stray}.bin"])
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "images_unknown")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert stray[:16] in str(issue.translation_placeholders)

    await again.async_add(data, ANY, source="upload")
    await restarted(hass).async_load()
    assert ir.async_get(hass).async_get_issue(DOMAIN, "images_unknown") is None


async def test_images_are_taken_in_again_when_all_facts_were_lost(
    hass: HomeAssistant,
    library: Library,
    config_dir: Path,
    hass_storage: dict[str, Any],
) -> None:
    for version in ("1.0.0", "1.1.0"):
        await library.async_add(firmware(version), ANY, source="upload")
    named = ReleaseName(file_name="x.bin", firmware="pump", version="4.0.0")
    await library.async_add(firmware("", name=""), named, source="upload")
    del hass_storage["esp_ota.library"]

    again = restarted(hass)
    await again.async_load()

    assert [(item.firmware, item.version) for item in again.releases] == [
        ("garden-valve", "1.0.0"),
        ("garden-valve", "1.1.0"),
    ]
    assert await again.async_read(again.releases[1]) == firmware("1.1.0")


async def test_facts_from_a_newer_version_of_us_are_left_alone(
    hass: HomeAssistant, library: Library, config_dir: Path, hass_storage: dict[str, Any]
) -> None:
    await library.async_add(firmware("1.0.0"), ANY, source="upload")
    strange = await library.async_add(firmware("2.0.0"), ANY, source="upload")
    stored = hass_storage["esp_ota.library"]["data"]["releases"]
    stored[1]["image"]["chip"] = "esp64"

    again = restarted(hass)
    await again.async_load()
    assert versions(again) == ["1.0.0"]
    await again.async_add(firmware("1.1.0"), ANY, source="upload")

    assert f"{strange.image.sha256}.bin" in images(config_dir)
    assert stored[1] in hass_storage["esp_ota.library"]["data"]["releases"]


async def test_an_image_that_was_lost_on_disk_is_mended_by_adding_it_again(
    library: Library, config_dir: Path
) -> None:
    release = await library.async_add(firmware("1.1.0"), ANY, source="upload")
    (config_dir / "esp_ota" / "images" / f"{release.image.sha256}.bin").write_bytes(b"half")
    assert await library.async_add(firmware("1.1.0"), ANY, source="folder") == release
    assert await library.async_read(release) == firmware("1.1.0")


async def test_many_writers_at_once_leave_a_library_that_is_whole(
    hass: HomeAssistant, library: Library
) -> None:
    """Add and remove the same and other images from many tasks; what is known can be read."""
    numbers = random.Random(7)

    async def write(version: str) -> None:
        for _ in range(4):
            await asyncio.sleep(numbers.random() / 200)
            release = await library.async_add(firmware(version), ANY, source="upload")
            if numbers.random() < 0.5:
                await library.async_remove(release.image.sha256)

    await asyncio.gather(*(write(f"1.{number % 3}.0") for number in range(9)))

    again = restarted(hass)
    await again.async_load()
    assert again.releases == library.releases
    for release in again.releases:
        assert await again.async_read(release) == firmware(release.version)


async def test_a_signature_comes_with_its_image_or_later(
    hass: HomeAssistant, library: Library
) -> None:
    signed = ReleaseName(file_name="any.bin", signature="first")
    first = await library.async_add(firmware("1.0.0"), signed, source="build")
    second = await library.async_add(firmware("1.1.0"), ANY, source="build")
    assert library.signature_of(first) == "first"
    assert library.signature_of(second) is None
    later = ReleaseName(file_name="any.bin", signature="later")
    await library.async_add(firmware("1.1.0"), later, source="build")

    again = restarted(hass)
    await again.async_load()
    assert again.signature_of(second) == "later"
    assert again.signature_of(first) == "first"
