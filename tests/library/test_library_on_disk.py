"""A library that cannot be written, texts that are none, and images whose facts were lost."""

from dataclasses import asdict
import json
import os
from pathlib import Path
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import Library, Release, ReleaseName, WatchedFolder
from custom_components.esp_ota.ota import Cause, LibraryError
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.disk import StoredFile
from tests.kit.entries import firmware
from tests.kit.sentences import assert_issue_is_whole

ANY = ReleaseName(file_name="any.bin")


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Take the place of the fixture that keeps what is stored in memory: this is about the disk."""
    return {}


@pytest.fixture
def file(config_dir: Path) -> StoredFile:
    return StoredFile(config_dir, "library")


@pytest.fixture
async def library(hass: HomeAssistant, config_dir: Path) -> Library:
    return await loaded(hass)


async def loaded(hass: HomeAssistant) -> Library:
    library = Library(hass)
    await library.async_load()
    return library


@pytest.fixture
async def folder(hass: HomeAssistant, library: Library) -> WatchedFolder:
    """Return a watched folder that is scanned by the test only."""
    watched = WatchedFolder(hass, library)
    watched.path.mkdir(parents=True)
    return watched


async def scan(folder: WatchedFolder) -> None:
    await folder.async_scan()
    await folder.async_scan()


def versions(library: Library) -> list[str]:
    return [release.version for release in library.releases]


def told(hass: HomeAssistant, key: str) -> ir.IssueEntry | None:
    issue = ir.async_get(hass).async_get_issue(DOMAIN, key)
    if issue is not None:
        assert_issue_is_whole(issue)
    return issue


async def test_a_release_that_cannot_be_written_down_is_none_and_who_adds_it_hears_so(
    hass: HomeAssistant, library: Library, file: StoredFile
) -> None:
    await library.async_add(firmware("1.0.0"), ANY, source="upload")
    file.fail()
    with pytest.raises(LibraryError) as caught:
        await library.async_add(firmware("1.1.0"), ANY, source="upload")
    assert caught.value.cause is Cause.NOT_STORED
    assert versions(library) == ["1.0.0"]
    assert library.running(library.releases[0].image.plain_md5) is library.releases[0]
    assert told(hass, "library_unwritten") is not None

    file.mend()
    await library.async_add(firmware("1.1.0"), ANY, source="upload")
    assert versions(await loaded(hass)) == ["1.0.0", "1.1.0"]
    assert told(hass, "library_unwritten") is None


async def test_nothing_is_deleted_that_cannot_be_written_down_to_be(
    hass: HomeAssistant, library: Library, file: StoredFile
) -> None:
    release = await library.async_add(firmware("1.0.0"), ANY, source="upload")
    file.fail()
    with pytest.raises(LibraryError):
        await library.async_remove(release.image.sha256)
    with pytest.raises(LibraryError):
        await library.async_sign(release, "signed")
    assert library.releases == [release]
    assert library.removed == {}
    assert await library.async_read(release) == firmware("1.0.0")


async def test_releases_that_are_too_many_stay_while_that_cannot_be_written_down(
    hass: HomeAssistant, config_dir: Path, file: StoredFile
) -> None:
    keep = [5]
    library = Library(hass, keep=lambda: keep[0])
    await library.async_load()
    for number in range(4):
        await library.async_add(firmware(f"1.{number}.0"), ANY, source="upload")
    keep[0] = 2
    file.fail()
    await library.async_apply_keep_rule()
    assert len(library.releases) == 4
    file.mend()
    await library.async_apply_keep_rule()
    assert versions(library) == ["1.2.0", "1.3.0"]


async def test_half_a_surrogate_in_notes_keeps_nothing_from_being_written(
    hass: HomeAssistant, library: Library, folder: WatchedFolder, config_dir: Path
) -> None:
    await library.async_add(firmware("1.0.0"), ANY, source="upload")
    (folder.path / "b.bin").write_bytes(firmware("1.1.0"))
    (folder.path / "b.bin.json").write_text(r'{"notes": "quiet \ud83d pump"}')
    await scan(folder)
    await library.async_add(firmware("1.2.0"), ANY, source="upload", notes="\udc80")

    again = await loaded(hass)
    assert versions(again) == ["1.0.0", "1.1.0", "1.2.0"]
    assert [item.notes for item in again.releases] == [None, "quiet ? pump", "?"]
    assert len(list((config_dir / DOMAIN / "images").iterdir())) == 3


async def test_a_file_name_that_is_no_text_stops_no_scan(
    hass: HomeAssistant, library: Library, folder: WatchedFolder
) -> None:
    bad = folder.path / os.fsdecode(b"pump-\xff\xfe.bin")
    bad.write_bytes(b"no firmware")
    (folder.path / os.fsdecode(b"b\xe4r.bin")).write_bytes(firmware("1.1.0"))
    (folder.path / "z.bin").write_bytes(firmware("1.2.0"))
    await scan(folder)

    assert versions(library) == ["1.1.0", "1.2.0"]
    assert versions(await loaded(hass)) == ["1.1.0", "1.2.0"]
    issues = ir.async_get(hass).issues.values()
    (named,) = [str((item.translation_placeholders or {}).get("file")) for item in issues]
    assert named == "pump-��.bin"
    json.dumps(named).encode()
    bad.unlink()
    await folder.async_scan()
    assert not ir.async_get(hass).issues


@pytest.mark.parametrize(
    "change",
    [
        {"version": 5},
        {"firmware": None},
        {"notes": ["a"]},
        {"image": None},
        {"image": {"sha256": "../../secrets"}},
        {"added": 7},
    ],
)
async def test_a_release_of_wrong_types_takes_no_other_along_and_its_image_stays(
    hass: HomeAssistant,
    library: Library,
    file: StoredFile,
    config_dir: Path,
    change: dict[str, Any],
) -> None:
    for version in ("1.0.0", "1.1.0"):
        await library.async_add(firmware(version), ANY, source="upload")
    images = config_dir / DOMAIN / "images"
    before = sorted(images.iterdir())
    data = file.data
    data["releases"][0] |= change
    file.write(file.text(data))

    again = await loaded(hass)
    assert "1.1.0" in versions(again)
    assert len(await again.async_read(again.releases[-1])) > 0
    assert sorted(images.iterdir()) == before
    assert told(hass, "library_set_aside") is not None
    assert file.aside == [file.text(data)]


async def test_of_a_release_is_kept_what_is_its_own(library: Library) -> None:
    """Twenty modules have more than a hundred of them; 900 bytes were kept of each."""
    release = await library.async_add(firmware("1.1.0"), ANY, source="upload")
    item = release.stored()

    assert len(json.dumps(item)) < 520
    assert Release.restored(item) == release
    assert Release.restored(asdict(release)) == release  # as it was kept before


@pytest.mark.parametrize("data", [{"releases": {}}, {"releases": [7, None]}, {"removed": []}, {}])
async def test_facts_that_are_lost_bring_back_what_says_itself_what_it_is(
    hass: HomeAssistant, library: Library, file: StoredFile, config_dir: Path, data: dict[str, Any]
) -> None:
    await library.async_add(firmware("1.0.0"), ANY, source="upload")
    named = ReleaseName(file_name="x.bin", firmware="pump", version="4.0.0")
    nameless = await library.async_add(firmware("", name=""), named, source="upload")
    file.write(file.text(data))

    again = await loaded(hass)

    is_told = data == {}
    assert versions(again) == ([] if is_told else ["1.0.0"])
    assert (config_dir / DOMAIN / "images" / f"{nameless.image.sha256}.bin").exists()
    assert told(hass, "images_unknown") is not None


@pytest.mark.parametrize("end", [0.2, 0.5, 0.9, 0.99])
async def test_a_library_that_was_cut_short_loses_no_image(
    hass: HomeAssistant, library: Library, file: StoredFile, config_dir: Path, end: float
) -> None:
    for number in range(4):
        await library.async_add(firmware(f"1.{number}.0"), ANY, source="upload")
    text = file.path.read_text()
    file.write(text[: int(len(text) * end)])

    again = await loaded(hass)

    assert versions(again) == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
    assert told(hass, "library_set_aside") is not None
    assert versions(await loaded(hass)) == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
