"""What a release is found by, and files that do not say what they are."""

import gzip
import hashlib
from pathlib import Path

import pytest

from custom_components.esp_ota.library import Library, ReleaseName
from custom_components.esp_ota.ota import Cause, Chip, LibraryError
from custom_components.esp_ota.ota.exceptions import ImageError
from homeassistant.core import HomeAssistant
from tests.corpus.filesystems import littlefs, spiffs
from tests.kit.entries import firmware
from tests.kit.shelf import ANY, restarted, versions
from tests.virtual_module import build_image


async def test_a_release_is_found_by_what_a_module_says_that_it_runs(library: Library) -> None:
    plain = firmware("1.0.0")
    packed = gzip.compress(plain, mtime=0)
    release = await library.async_add(packed, ANY, source="upload")
    assert library.running(hashlib.md5(plain).hexdigest()) == release
    assert library.running(hashlib.md5(packed).hexdigest()) is None
    assert library.running(None) is None
    await library.async_remove(release.image.sha256)
    assert library.running(hashlib.md5(plain).hexdigest()) is None


async def test_a_file_that_is_not_what_it_is_said_to_be_is_refused(library: Library) -> None:
    said = ReleaseName(file_name="garden-valve-1.0.0.littlefs.bin")
    with pytest.raises(LibraryError) as refused:
        await library.async_add(firmware("1.0.0"), said, source="folder")
    assert refused.value.cause is Cause.KIND_MISMATCH
    assert refused.value.facts == {"detail": "sketch_not_files"}


async def test_sketch_and_file_systems_of_one_version_live_side_by_side(
    hass: HomeAssistant, library: Library
) -> None:
    sketch = await library.async_add(firmware("1.2.0"), ANY, source="upload")
    names = {
        Chip.ESP8266: ReleaseName.from_sidecar(
            "a.bin",
            '{"firmware": "garden-valve", "version": "1.2.0", "chip": "esp8266"}',
        ),
        Chip.ESP32: ReleaseName(file_name="garden-valve-1.2.0.littlefs.bin", chip=Chip.ESP32),
    }
    files = {
        chip: await library.async_add(littlefs(seed=number), name, source="upload")
        for number, (chip, name) in enumerate(names.items())
    }
    again = restarted(hass)
    await again.async_load()

    assert again.candidates("garden-valve") == [sketch]
    found = {item.chip: item for item in again.find("garden-valve", "1.2.0") if item != sketch}
    assert found == files
    assert again.companion(sketch) == files[Chip.ESP8266]
    assert again.companion(files[Chip.ESP32]) is None
    with pytest.raises(LibraryError) as refused:
        await again.async_add(littlefs(seed=9), names[Chip.ESP32], source="upload")
    assert refused.value.cause is Cause.RELEASE_CONFLICT
    nobody = ReleaseName(file_name="garden-valve-1.2.0.bin")
    anybodys = await again.async_add(littlefs(seed=10), nobody, source="upload")
    assert anybodys.chip is None


async def test_a_disk_that_cannot_be_written_is_named_and_changes_nothing(
    hass: HomeAssistant, library: Library, config_dir: Path
) -> None:
    kept = await library.async_add(firmware("1.0.0"), ANY, source="upload")
    folder = config_dir / "esp_ota" / "images"
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder")
    with pytest.raises(LibraryError) as refused:
        await library.async_add(firmware("1.1.0"), ANY, source="upload")
    assert refused.value.cause is Cause.NOT_STORED
    assert library.releases == [kept]
    folder.unlink()
    folder.with_name("away").rename(folder)
    await library.async_add(firmware("1.1.0"), ANY, source="upload")
    assert versions(library) == ["1.0.0", "1.1.0"]


async def test_a_sketch_with_a_descriptor_of_its_own_says_who_it_is(library: Library) -> None:
    image = build_image("esp32", marker=False, descriptor=("pump", "2.1"))
    release = await library.async_add(image, ReleaseName(file_name="build.bin"), source="upload")
    assert (release.firmware, release.version) == ("pump", "2.1")


async def test_files_without_a_mark_are_taken_where_somebody_says_what_they_are(
    library: Library,
) -> None:
    empty = spiffs(files=())
    with pytest.raises(ImageError):
        await library.async_add(
            empty, ReleaseName(file_name="garden-valve-1.0.0.bin"), source="upload"
        )
    name = ReleaseName(file_name="garden-valve-1.0.0.spiffs.bin")
    release = await library.async_add(empty, name, source="upload")
    assert release.image.kind == "filesystem"
