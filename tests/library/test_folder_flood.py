"""Thousands of files that are no firmware: few repairs, one of them for all the others."""

import logging
from pathlib import Path

import pytest

from custom_components.esp_ota.library import Library, WatchedFolder
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import firmware
from tests.kit.sentences import assert_issue_is_whole


@pytest.fixture
async def folder(hass: HomeAssistant, config_dir: Path) -> WatchedFolder:
    """Return a watched folder that is scanned by the test only."""
    library = Library(hass)
    await library.async_load()
    watched = WatchedFolder(hass, library)
    watched.path.mkdir(parents=True)
    return watched


async def scan_twice(folder: WatchedFolder) -> None:
    await folder.async_scan()
    await folder.async_scan()


@pytest.mark.slow
async def test_ten_thousand_bad_files_are_told_together(
    hass: HomeAssistant, folder: WatchedFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "custom_components.esp_ota")
    for number in range(10_000):
        (folder.path / f"forged[{number}](x).bin").touch()
    await scan_twice(folder)
    (folder.path / "garden.bin").write_bytes(firmware("1.1.0"))
    await scan_twice(folder)

    issues = list(ir.async_get(hass).issues.values())
    assert len(issues) == 17
    (summary,) = [issue for issue in issues if issue.translation_key == "more_files"]
    assert_issue_is_whole(summary)
    told = summary.translation_placeholders
    assert told is not None
    assert told["count"] == "9984"
    assert told["files"].count("\n") == 15
    assert r"forged\[" in told["files"]
    assert len([one for one in caplog.records if "not usable" in one.message]) == 17
    assert [release.version for release in folder._library.releases] == ["1.1.0"]

    for path in sorted(folder.path.iterdir())[:9_990]:
        path.unlink()
    await scan_twice(folder)
    left = [issue.translation_key for issue in ir.async_get(hass).issues.values()]
    assert left == ["file_empty_file"] * 10
