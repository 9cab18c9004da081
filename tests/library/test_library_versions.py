"""The library and names: one version however it is spelt, and what 0.1.0 has stored."""

from pathlib import Path
from typing import Any

import pytest

from custom_components.esp_ota.library import Library, ReleaseName
from custom_components.esp_ota.ota import Cause, Chip, LibraryError
from homeassistant.core import HomeAssistant
from tests.corpus.filesystems import littlefs, spiffs
from tests.kit.entries import firmware
from tests.virtual_module import build_image


@pytest.fixture
async def library(hass: HomeAssistant, config_dir: Path) -> Library:
    """Return an empty library in a directory of its own."""
    library = Library(hass)
    await library.async_load()
    return library


def called(file_name: str, **said: Any) -> ReleaseName:
    return ReleaseName.stated(file_name, said)


def nameless(chip: str = "esp8266", seed: int = 0, **about: Any) -> bytes:
    """Return a sketch without a marker."""
    return build_image(chip, marker=False, size=40_000 + 4096 * seed, **about)


@pytest.mark.parametrize(
    ("versions", "newest_first"),
    [
        (["r9", "r11", "r10"], ["r11", "r10", "r9"]),
        (["0.9.1_ESP32", "0.10.0_ESP32"], ["0.10.0_ESP32", "0.9.1_ESP32"]),
        (["1.2.0", "1.2.0-4-gabc1234", "1.2.0-rc1"], ["1.2.0-4-gabc1234", "1.2.0", "1.2.0-rc1"]),
    ],
)
async def test_candidates_are_in_the_order_that_a_person_reads(
    library: Library, versions: list[str], newest_first: list[str]
) -> None:
    for version in versions:
        await library.async_add(firmware(version), called("any.bin"), source="upload")
    assert [item.version for item in library.candidates("garden-valve")] == newest_first


async def test_what_has_no_order_is_in_the_order_it_came(library: Library) -> None:
    hashes = ["f4f53a19", "14f53a19", "94f53a19"]
    for version in hashes:
        await library.async_add(firmware(version), called("any.bin"), source="upload")
    assert [item.version for item in library.candidates("garden-valve")] == hashes[::-1]


async def test_other_bytes_under_another_spelling_of_a_version_are_refused(
    library: Library,
) -> None:
    await library.async_add(firmware("1.2.0"), called("any.bin"), source="upload")
    for spelling in ("v1.2.0", "1.2", "1.2.0_ESP8266"):
        name = called("any.bin", firmware="garden-valve", version=spelling)
        with pytest.raises(LibraryError) as refused:
            await library.async_add(nameless(seed=len(spelling)), name, source="upload")
        assert refused.value.cause is Cause.RELEASE_CONFLICT


async def test_a_version_is_found_and_has_its_files_in_any_spelling(library: Library) -> None:
    sketch = await library.async_add(firmware("1.2.0"), called("any.bin"), source="upload")
    files = await library.async_add(
        littlefs(), called("garden-valve-v1.2.0_ESP8266.littlefs.bin"), source="upload"
    )
    assert files.chip is Chip.ESP8266
    assert library.companion(sketch) == files
    assert set(map(id, library.find("garden-valve", "v1.2"))) == {id(sketch), id(files)}
    assert library.find("garden-valve", "1.2.1") == []


async def test_variants_are_firmware_of_their_own(library: Library) -> None:
    names = ("sonoff-1.2.0-basic.bin", "sonoff-1.3.0-th.bin", "sonoff-1.2.0_ESP8266.bin")
    for seed, name in enumerate(names):
        await library.async_add(nameless(seed=seed), called(name), source="upload")
    assert library.firmwares == ["sonoff", "sonoff-basic", "sonoff-th"]
    assert [item.version for item in library.candidates("sonoff-basic")] == ["1.2.0"]


@pytest.mark.parametrize(
    ("project", "version"),
    [
        ("kitchen-lamp", "2025.11.0"),
        ("kitchen-lamp", "2025.11.0-dev"),
        ("kitchen-lamp", "2024.6.0b3"),
        ("valve", "1"),
        ("valve", "14f53a1"),
        ("valve", "14f53a1-dirty"),
        ("arduino-lib-builder", "esp-idf: v5.5.1"),
        ("esp32-arduino-lib-builder", "9036908-dirty"),
        ("valve", ""),
        ("", "1.2.0"),
        ("my valve", "1.2.0"),
    ],
)
async def test_a_descriptor_of_a_framework_names_no_version(
    library: Library, project: str, version: str
) -> None:
    sketch = nameless("esp32", descriptor=(project, version))
    with pytest.raises(LibraryError) as refused:
        await library.async_add(sketch, called("firmware.bin"), source="upload")
    assert refused.value.cause is Cause.VERSION_MISSING
    release = await library.async_add(sketch, called("valve-3.1.0.bin"), source="upload")
    assert (release.firmware, release.version) == ("valve", "3.1.0")


@pytest.mark.parametrize("version", ["2.1", "v1.2-4-g14f53a1", "1.0.0-dirty", "20240115"])
async def test_a_descriptor_of_a_sketch_is_believed_last(library: Library, version: str) -> None:
    sketch = nameless("esp32", descriptor=("pump", version))
    named = called("valve-3.1.0.bin").resolve(None)
    assert named == ("valve", "3.1.0")
    release = await library.async_add(sketch, called("firmware.bin"), source="upload")
    assert (release.firmware, release.version) == ("pump", version)


async def test_a_sketch_with_a_word_of_file_systems_in_its_name_is_taken(library: Library) -> None:
    for seed, name in enumerate(("low_fat-1.0.0.bin", "fw-littlefs-1.2.3.bin")):
        release = await library.async_add(nameless(seed=seed), called(name), source="folder")
        assert release.image.kind == "sketch"
    assert library.firmwares == ["fw-littlefs", "low_fat"]


async def test_files_are_taken_wherever_their_name_says_so(library: Library) -> None:
    release = await library.async_add(
        spiffs(files=()), called("fw-spiffs-1.2.3.bin"), source="folder"
    )
    assert (release.firmware, release.version, release.image.kind) == ("fw", "1.2.3", "filesystem")


async def test_what_0_1_0_has_stored_keeps_its_name(
    hass: HomeAssistant, library: Library, hass_storage: dict[str, Any]
) -> None:
    old = "1.2.0_ESP32_Ethernet"
    sketch = await library.async_add(
        firmware("1.1.0"), called("any.bin", firmware="WLED", version=old), source="upload"
    )
    twin = await library.async_add(
        nameless(), called("any.bin", firmware="WLED", version="1.3.0"), source="upload"
    )
    stored = hass_storage["esp_ota.library"]["data"]["releases"]
    by_version = {item["version"]: item for item in stored}
    by_version["1.3.0"]["version"] = f"v{old}"  # nothing kept it from having both

    again = Library(hass)
    await again.async_load()

    assert {item.version for item in again.releases} == {old, f"v{old}"}
    assert [item.image for item in again.find("WLED", old)] == [sketch.image, twin.image]
    assert [item.image for item in again.find("WLED", f"v{old}")] == [twin.image, sketch.image]
