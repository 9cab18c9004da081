"""A folder in which files lie for years: what was dropped stays dropped, and nothing grows."""

from datetime import UTC, datetime
import os
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.esp_ota.library import (
    Library,
    ReleaseName,
    WatchedFolder,
    folder as folder_module,
)
from custom_components.esp_ota.library.folder import UNKEPT_FILES, FoundFile
from homeassistant.core import HomeAssistant
from tests.kit.entries import firmware
from tests.library.test_folder import restart, scan_twice, versions

NOW = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
DAY = 86_400.0


@pytest.fixture
async def folder(hass: HomeAssistant, config_dir: Path) -> WatchedFolder:
    """Return a watched folder of a house that keeps two releases of each firmware."""
    library = Library(hass, keep=lambda: 2)
    await library.async_load()
    watched = WatchedFolder(hass, library)
    watched.path.mkdir(parents=True)
    return watched


def write(folder: WatchedFolder, number: int, changed: float) -> Path:
    """Write the release of one week, with the time that a clock gives it."""
    path = folder.path / f"garden-1.{number}.0.bin"
    path.write_bytes(firmware(f"1.{number}.0"))
    os.utime(path, (changed, changed))
    return path


@pytest.mark.parametrize(
    ("changed", "clock"),
    [
        (NOW, NOW + DAY),
        (NOW + 2 * DAY, NOW),
        (NOW, 0.0),
        (0.0, NOW),
    ],
    ids=["right", "a NAS that is ahead", "a Pi without a clock", "files without a time"],
)
async def test_what_the_keep_rule_dropped_stays_dropped_whatever_the_clocks_say(
    hass: HomeAssistant,
    folder: WatchedFolder,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    changed: float,
    clock: float,
) -> None:
    freezer.move_to(datetime.fromtimestamp(clock, UTC))
    for number in range(6):
        write(folder, number, changed + number)
    await scan_twice(folder)
    assert versions(folder) == ["1.4.0", "1.5.0"]
    caplog.clear()

    for _ in range(3):
        folder = await restart(hass, folder)

    assert versions(folder) == ["1.4.0", "1.5.0"]
    assert "is dropped" not in caplog.text


async def test_a_share_whose_times_all_change_brings_nothing_back(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    """Copied to another disk, or put back from a backup, while Home Assistant is off."""
    paths = [write(folder, number, NOW + number) for number in range(4)]
    await scan_twice(folder)
    for path in paths:
        os.utime(path, (NOW + 300 * DAY, NOW + 300 * DAY))

    folder = await restart(hass, folder)

    assert versions(folder) == ["1.2.0", "1.3.0"]


@pytest.mark.slow
async def test_a_release_a_week_for_years_fills_neither_folder_nor_list(
    hass: HomeAssistant, folder: WatchedFolder
) -> None:
    most = 0
    for number in range(UNKEPT_FILES + 30):
        path = write(folder, number, NOW + number)
        path.with_name(path.name + ".json").write_text('{"notes": "weekly"}')
        await scan_twice(folder)
        if number % 40 == 39:
            folder = await restart(hass, folder)
        most = max(most, len(folder._library.removed))

    await scan_twice(folder)
    left = sorted(int(path.name.split(".")[1]) for path in folder.path.glob("*.bin"))
    assert left == list(range(28, UNKEPT_FILES + 30))  # the last hundred, and the two that are kept
    assert len(list(folder.path.glob("*.json"))) == len(left)
    assert versions(folder) == [f"1.{UNKEPT_FILES + 28}.0", f"1.{UNKEPT_FILES + 29}.0"]
    assert most <= UNKEPT_FILES + 1
    assert len(folder._contents) == len(folder._done) == len(folder._seen) == len(left)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.esp_ota.library.folder.UNKEPT_FILES", 2)


@pytest.mark.usefixtures("few")
async def test_what_is_kept_or_was_never_a_release_is_not_deleted(folder: WatchedFolder) -> None:
    (folder.path / "notes.txt").write_text("mine")
    (folder.path / "bad.bin").write_text("no firmware")
    for number in range(6):
        write(folder, number, NOW + number)
    await scan_twice(folder)
    await scan_twice(folder)
    names = sorted(path.name for path in folder.path.iterdir())
    kept = [f"garden-1.{number}.0.bin" for number in range(2, 6)]
    assert names == ["bad.bin", *kept, "notes.txt"]


@pytest.mark.usefixtures("few")
async def test_files_of_somebody_else_are_left_and_stay_dropped(
    hass: HomeAssistant, folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that may only be read; root, who runs tests, may delete anywhere."""
    tried: list[str] = []

    def refuse(path: Path, *_: object) -> None:
        tried.append(path.name)
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("custom_components.esp_ota.library.folder._delete", refuse)
    for number in range(8):
        write(folder, number, NOW + number)
    await scan_twice(folder)
    for _ in range(3):
        await scan_twice(folder)
    assert len(tried) == len(set(tried))  # once each, not at every scan
    folder = await restart(hass, folder)
    assert versions(folder) == ["1.6.0", "1.7.0"]
    assert len(folder._library.removed) == 6


@pytest.mark.usefixtures("few")
async def test_for_files_of_somebody_else_no_others_are_deleted(
    folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = [write(folder, number, NOW + number).name for number in range(4)]
    delete = folder_module._delete

    def refuse(path: Path, *args: Any) -> None:
        if path.name in theirs:
            raise PermissionError(1, "Operation not permitted")
        delete(path, *args)

    monkeypatch.setattr(folder_module, "_delete", refuse)
    for number in range(4, 9):
        write(folder, number, NOW + number)
    for _ in range(3):
        await scan_twice(folder)
    left = sorted(path.name for path in folder.path.iterdir())
    assert left == theirs + [f"garden-1.{number}.0.bin" for number in range(5, 9)]


async def test_a_file_that_cannot_be_read_at_first_brings_back_nothing_that_was_removed(
    hass: HomeAssistant, folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(folder, 0, NOW)
    await scan_twice(folder)
    [release] = folder._library.releases
    await folder._library.async_remove(release.image.sha256)
    read = folder_module.read_firmware

    def fail(_path: Path) -> FoundFile:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(folder_module, "read_firmware", fail)
    folder = await restart(hass, folder)
    monkeypatch.setattr(folder_module, "read_firmware", read)
    await scan_twice(folder)
    assert versions(folder) == []

    path.unlink()
    await scan_twice(folder)
    write(folder, 1, NOW)
    await scan_twice(folder)
    write(folder, 0, NOW)  # who took it away and brings it again wants it
    await scan_twice(folder)
    assert versions(folder) == ["1.0.0", "1.1.0"]


@pytest.mark.usefixtures("few")
async def test_a_file_that_is_written_over_meanwhile_is_not_deleted(folder: WatchedFolder) -> None:
    for number in range(5):
        write(folder, number, NOW + number)
    await folder.async_scan()
    run = folder._hass.async_add_executor_job

    def write_first(target: object, *args: object) -> object:
        if getattr(target, "__name__", "") == "_delete":
            write(folder, 9, NOW + 9).rename(folder.path / "garden-1.0.0.bin")
        return run(target, *args)  # type: ignore[arg-type]

    folder._hass.async_add_executor_job = write_first  # type: ignore[assignment,method-assign]
    await folder.async_scan()
    folder._hass.async_add_executor_job = run  # type: ignore[method-assign]
    assert (folder.path / "garden-1.0.0.bin").read_bytes() == firmware("1.9.0")
    await scan_twice(folder)
    assert versions(folder) == ["1.4.0", "1.9.0"]


async def test_the_list_is_bounded_where_nobody_knows_what_lies_there(
    hass: HomeAssistant, folder: WatchedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firmware comes by upload; the folder is empty, which may be a share that is off."""
    monkeypatch.setattr("custom_components.esp_ota.library.library._REMOVED_LIMIT", 3)
    for number in range(8):
        name = ReleaseName(file_name="any.bin")
        await folder._library.async_add(firmware(f"1.{number}.0"), name, source="build")
        await folder.async_scan()
    assert len(folder._library.removed) == 3
    (folder.path / "other.bin").write_bytes(firmware("1.0.0", name="other"))
    await scan_twice(folder)
    assert folder._library.removed == {}
