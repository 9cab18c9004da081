"""The watched folder: finished files become releases, others get an answer."""

import asyncio
from datetime import timedelta
import os
from pathlib import Path
import shutil
import time
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp_ota.const import DOMAIN, FOLDER_SCAN_SECONDS
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import Library, WatchedFolder
from custom_components.esp_ota.library.folder import _list
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.dt import utcnow
from tests.kit.entries import firmware


@pytest.fixture
async def folder(hass: HomeAssistant, config_dir: Path) -> WatchedFolder:
    """Return a watched folder that is scanned by the test only."""
    library = Library(hass)
    await library.async_load()
    watched = WatchedFolder(hass, library)
    watched.path.mkdir(parents=True)
    return watched


async def scan_twice(folder: WatchedFolder) -> None:
    """Scan as often as a finished file needs."""
    await folder.async_scan()
    await folder.async_scan()


def versions(folder: WatchedFolder) -> list[str]:
    return [release.version for release in folder._library.releases]


def answers(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return which files have an answer, and which."""
    issues = ir.async_get(hass).issues
    return sorted(
        (issue.translation_placeholders["file"], issue.translation_key)
        for (domain, _), issue in issues.items()
        if domain == DOMAIN
    )


async def test_a_finished_file_becomes_a_release_with_the_second_scan(
    folder: WatchedFolder,
) -> None:
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    await folder.async_scan()
    assert versions(folder) == []
    await folder.async_scan()
    assert versions(folder) == ["1.1.0"]
    assert folder._library.releases[0].source == "folder"


async def test_a_file_that_still_grows_is_left_alone(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    data, path = firmware("1.1.0"), folder.path / "garden.bin"
    for end in (1000, 20_000, 60_000):
        path.write_bytes(data[:end])
        await folder.async_scan()
    assert versions(folder) == []
    assert answers(hass) == []
    path.write_bytes(data)
    await scan_twice(folder)
    assert versions(folder) == ["1.1.0"]


async def test_a_file_that_stays_half_written_gets_an_answer_until_it_is_whole(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    data, path = firmware("1.1.0"), folder.path / "garden.bin"
    path.write_bytes(data[: len(data) // 2])
    await scan_twice(folder)
    assert answers(hass) == [("garden.bin", "file_truncated_image")]
    path.write_bytes(data)
    await scan_twice(folder)
    assert answers(hass) == []
    assert versions(folder) == ["1.1.0"]


@pytest.mark.parametrize(
    ("file_name", "content", "answer"),
    [
        ("empty.bin", b"", "file_empty_file"),
        ("page.bin", b"<!DOCTYPE html><html>", "file_html_page"),
        ("sketch.elf", b"\x7fELF" + bytes(100), "file_elf_file"),
        ("sketch.uf2", b"UF2\n" + bytes(508), "file_uf2_file"),
        ("sketch.hex", b":1000000012345678901234567890123456789012\n", "file_hex_file"),
        ("noise.bin", bytes(range(256)) * 10, "file_not_firmware"),
        ("broken.bin.gz", b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 20, "file_corrupt_image"),
    ],
)
async def test_a_file_that_is_no_firmware_gets_its_answer_and_changes_nothing_else(
    hass: HomeAssistant, folder: WatchedFolder, file_name: str, content: bytes, answer: str
) -> None:
    (folder.path / "good.bin").write_bytes(firmware("1.0.0"))
    (folder.path / file_name).write_bytes(content)
    await scan_twice(folder)
    assert answers(hass) == [(file_name, answer)]
    assert versions(folder) == ["1.0.0"]
    (folder.path / file_name).unlink()
    await folder.async_scan()
    assert answers(hass) == []
    assert versions(folder) == ["1.0.0"]


async def test_two_files_of_one_version_with_other_bytes_get_an_answer(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "a-first.bin").write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    (folder.path / "b-second.bin").write_bytes(firmware("1.2.0"))
    (folder.path / "b-second.bin.json").write_text('{"version": "1.1.0"}')
    await scan_twice(folder)
    assert answers(hass) == [("b-second.bin", "file_release_conflict")]
    assert versions(folder) == ["1.1.0"]

    (folder.path / "a-first.bin").unlink()
    await folder._library.async_remove(folder._library.releases[0].image.sha256)
    await folder.async_scan()
    assert answers(hass) == []
    assert versions(folder) == ["1.1.0"]


async def test_a_sidecar_that_comes_later_is_taken_then(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "sketch.bin").write_bytes(firmware("", name=""))
    await scan_twice(folder)
    assert answers(hass) == [("sketch.bin", "file_version_missing")]
    sidecar = '{"firmware": "pump", "version": "4.0.0", "notes": "Quieter."}'
    (folder.path / "sketch.bin.json").write_text(sidecar)
    await scan_twice(folder)
    assert answers(hass) == []
    assert [(item.firmware, item.notes) for item in folder._library.releases] == [
        ("pump", "Quieter.")
    ]


async def test_other_files_and_folders_are_nobodys_business(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "README.txt").write_text("hello")
    (folder.path / ".hidden.bin").write_bytes(b"x")
    (folder.path / "folder.bin").mkdir()
    (folder.path / "dangling.bin").symlink_to(folder.path / "nowhere")
    await scan_twice(folder)
    assert answers(hass) == []
    assert versions(folder) == []


async def test_a_sidecar_that_leads_nowhere_does_not_stop_the_scan(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    (folder.path / "garden.bin.json").symlink_to(folder.path / "nowhere")
    await scan_twice(folder)
    assert answers(hass) == []
    assert versions(folder) == ["1.1.0"]


async def test_names_that_lead_in_circles_do_not_stop_the_scan(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    for name in ("circle.bin", "garden.bin.json"):
        (folder.path / name).symlink_to(folder.path / name)
    await scan_twice(folder)
    assert answers(hass) == []
    assert versions(folder) == ["1.1.0"]


async def test_scans_that_overlap_take_a_file_once(
    hass: HomeAssistant, folder: WatchedFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    await folder.async_scan()
    await asyncio.gather(folder.async_scan(), folder.async_scan())
    assert versions(folder) == ["1.1.0"]
    assert caplog.text.count("garden.bin is") == 1


async def test_a_file_that_cannot_be_read_yet_is_read_once_it_can_be(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    denied = PermissionError("not yours")
    with patch("custom_components.esp_ota.library.folder.read_firmware", side_effect=denied):
        await scan_twice(folder)
    assert answers(hass) == [("garden.bin", "file_unreadable_file")]
    assert versions(folder) == []
    await folder.async_scan()
    assert answers(hass) == []
    assert versions(folder) == ["1.1.0"]


async def test_a_file_too_large_for_any_module_is_not_even_read(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    with (folder.path / "huge.bin").open("wb") as file:
        os.truncate(file.fileno(), 33 * 1024 * 1024)
    await scan_twice(folder)
    assert answers(hass) == [("huge.bin", "file_oversized_file")]


async def test_a_folder_that_is_taken_away_is_waited_for(folder: WatchedFolder) -> None:
    shutil.rmtree(folder.path)
    await scan_twice(folder)
    folder.path.mkdir()
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    assert versions(folder) == ["1.1.0"]


async def test_the_folder_is_made_and_scanned_at_the_start(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    folder.path.rmdir()
    stop = await folder.async_start()
    assert folder.path.is_dir()
    stop()


async def test_a_new_file_is_noticed_without_anybody_asking(
    hass: HomeAssistant, esp_ota: None, config_dir: Path
) -> None:
    library = hass.data[HOUSE].library
    path = config_dir / "esp_ota" / "firmware" / "garden.bin"
    path.write_bytes(firmware("1.1.0"))

    for seconds in (3 * FOLDER_SCAN_SECONDS, FOLDER_SCAN_SECONDS):
        async_fire_time_changed(hass, utcnow() + timedelta(seconds=seconds + 1))
        await hass.async_block_till_done(wait_background_tasks=True)

    assert [release.version for release in library.releases] == ["1.1.0"]


async def test_a_folder_in_which_nothing_changes_is_looked_at_less_often(
    hass: HomeAssistant, esp_ota: None, config_dir: Path
) -> None:
    folder = config_dir / "esp_ota" / "firmware"
    looks: list[Path] = []

    def look(path: Path) -> Any:
        looks.append(path)
        return _list(path)

    async def pass_by(seconds: float) -> int:
        async_fire_time_changed(hass, utcnow() + timedelta(seconds=seconds))
        await hass.async_block_till_done(wait_background_tasks=True)
        return len(looks)

    with patch("custom_components.esp_ota.library.folder._list", look):
        assert await pass_by(FOLDER_SCAN_SECONDS + 1) == 0
        assert await pass_by(3 * FOLDER_SCAN_SECONDS + 1) == 1
        (folder / "garden.bin").write_bytes(firmware("1.1.0"))
        assert await pass_by(3 * FOLDER_SCAN_SECONDS + 1) == 2  # is it finished?
        assert await pass_by(FOLDER_SCAN_SECONDS + 1) == 3
        assert await pass_by(FOLDER_SCAN_SECONDS + 1) == 4  # that was the last change
        assert await pass_by(FOLDER_SCAN_SECONDS + 1) == 4


async def test_a_removed_release_does_not_come_back_from_its_file(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    library = folder._library
    await library.async_remove(library.releases[0].image.sha256)
    await scan_twice(folder)
    assert versions(folder) == []

    restarted = await restart(hass, folder)
    assert versions(restarted) == []
    assert answers(hass) == []


async def test_a_removed_release_comes_back_when_its_file_is_put_there_again(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    path = folder.path / "garden.bin"
    path.write_bytes(firmware("1.1.0"))
    (folder.path / "other.bin").write_bytes(firmware("1.0.0"))
    await scan_twice(folder)
    written = path.stat()
    await folder._library.async_remove(folder._library.releases[1].image.sha256)
    path.unlink()
    await scan_twice(folder)
    path.write_bytes(firmware("1.1.0"))
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))  # as copying with times does
    await scan_twice(folder)
    assert versions(folder) == ["1.0.0", "1.1.0"]


async def test_a_removed_release_comes_back_when_its_file_is_written_over(
    folder: WatchedFolder,
) -> None:
    path = folder.path / "garden.bin"
    path.write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    await folder._library.async_remove(folder._library.releases[0].image.sha256)
    path.write_bytes(firmware("1.1.0"))
    os.utime(path, ns=(time.time_ns(), time.time_ns()))  # file systems round down
    await scan_twice(folder)
    assert versions(folder) == ["1.1.0"]


async def test_an_empty_folder_does_not_bring_removed_releases_back(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    """A share that is not mounted at the start looks like an empty folder."""
    path = folder.path / "garden.bin"
    path.write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    await folder._library.async_remove(folder._library.releases[0].image.sha256)
    away = folder.path.with_name("elsewhere")
    folder.path.rename(away)
    folder.path.mkdir()
    folder = await restart(hass, folder)
    folder.path.rmdir()
    away.rename(folder.path)
    await scan_twice(folder)
    assert versions(folder) == []


async def test_a_signature_beside_the_file_is_kept_with_the_release(folder: WatchedFolder) -> None:
    path = folder.path / "garden.bin"
    path.write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    assert folder._library.signature_of(folder._library.releases[0]) is None
    (folder.path / "garden.bin.minisig").write_text("untrusted comment: x\nRUQ=\n")
    (folder.path / "garden.bin.json").write_text('{"version": "1.1.0"}')
    await scan_twice(folder)
    (release,) = folder._library.releases
    assert folder._library.signature_of(release) == "untrusted comment: x\nRUQ=\n"


async def restart(hass: HomeAssistant, folder: WatchedFolder) -> WatchedFolder:
    """Return the folder as the next start of Home Assistant finds it."""
    library = Library(hass, keep=folder._library._keep_last)
    await library.async_load()
    folder = WatchedFolder(hass, library)
    await scan_twice(folder)
    return folder


async def test_a_file_that_could_not_be_kept_is_taken_once_it_can_be(
    hass: HomeAssistant, folder: WatchedFolder, config_dir: Path
) -> None:
    images = config_dir / "esp_ota" / "images"
    images.write_text("no folder")
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    await scan_twice(folder)
    assert answers(hass) == [("garden.bin", "file_not_stored")]
    images.unlink()
    await folder.async_scan()
    assert versions(folder) == ["1.1.0"]
    assert answers(hass) == []
