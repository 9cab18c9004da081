"""The actions of the library, as automations and scripts call them."""

from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import Library
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from tests.corpus.filesystems import littlefs
from tests.kit.entries import firmware
from tests.kit.sentences import assert_error_is_whole
from tests.kit.web_site import Site


@pytest.fixture
def library(hass: HomeAssistant, esp_ota: None) -> Library:
    return hass.data[HOUSE].library


@pytest.fixture
def builds(config_dir: Path, esp_ota: None) -> Path:
    """Return a folder that the action may read."""
    folder = config_dir / "esp_ota" / "builds"
    folder.mkdir()
    return folder


async def act(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    answer = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert answer is not None
    return answer


async def refused(hass: HomeAssistant, action: str, **data: Any) -> HomeAssistantError:
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, action, **data)
    assert_error_is_whole(caught.value)
    return caught.value


async def test_a_file_becomes_a_release_and_its_facts_are_answered(
    hass: HomeAssistant, library: Library, builds: Path
) -> None:
    path = builds / "garden.bin"
    path.write_bytes(firmware("1.1.0"))
    answer = await act(hass, "add_firmware", path=str(path), notes="Quieter.", signature="sig")

    (release,) = library.releases
    assert answer == release.facts()
    assert (answer["firmware"], answer["version"]) == ("garden-valve", "1.1.0")
    assert (answer["chip"], answer["kind"], answer["source"]) == ("esp8266", "sketch", "action")
    assert (release.notes, release.signature) == ("Quieter.", "sig")


async def test_what_lies_beside_the_file_is_taken_under_what_is_said(
    hass: HomeAssistant, library: Library, builds: Path
) -> None:
    (builds / "a.littlefs.bin").write_bytes(littlefs())
    (builds / "a.littlefs.bin.json").write_text('{"firmware": "pump", "version": "1.0.0"}')
    (builds / "a.littlefs.bin.minisig").write_text("beside")
    answer = await act(
        hass,
        "add_firmware",
        path=str(builds / "a.littlefs.bin"),
        version="2.0.0",
        chip="esp32",
        kind="filesystem",
    )
    assert (answer["firmware"], answer["version"], answer["chip"]) == ("pump", "2.0.0", "esp32")
    assert library.releases[0].signature == "beside"


async def test_a_folder_that_is_allowed_may_be_read_and_no_other(
    hass: HomeAssistant, library: Library, tmp_path_factory: pytest.TempPathFactory, builds: Path
) -> None:
    path = tmp_path_factory.mktemp("elsewhere") / "garden.bin"
    path.write_bytes(firmware("1.1.0"))
    (builds / "link.bin").symlink_to(path)
    for way in (path, builds / "link.bin", builds / ".." / ".." / "secrets.yaml"):
        err = await refused(hass, "add_firmware", path=str(way))
        assert isinstance(err, ServiceValidationError)
        assert "may not read this file" in str(err)
    assert library.releases == []

    hass.config.allowlist_external_dirs = {str(path.parent)}
    await act(hass, "add_firmware", path=str(path))
    assert len(library.releases) == 1


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("gone.bin", None, "cannot be read"),
        ("page.bin", b"<html>", "This is a web page"),
        ("sketch.bin", b"\x7fELF" + bytes(60), "ELF file"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_with_its_reason(
    hass: HomeAssistant,
    library: Library,
    builds: Path,
    name: str,
    data: bytes | None,
    reason: str,
) -> None:
    if data is not None:
        (builds / name).write_bytes(data)
    err = await refused(hass, "add_firmware", path=str(builds / name))
    assert isinstance(err, ServiceValidationError)
    assert err.translation_placeholders is not None
    assert err.translation_placeholders["file"].endswith(name)
    assert reason in err.translation_placeholders["reason"]
    assert library.releases == []


async def test_a_file_with_another_checksum_is_thrown_away(
    hass: HomeAssistant, library: Library, builds: Path
) -> None:
    (builds / "a.bin").write_bytes(firmware("1.1.0"))
    err = await refused(hass, "add_firmware", path=str(builds / "a.bin"), sha256="AB" * 32)
    assert "SHA-256" in str(err)
    assert library.releases == []


async def test_a_file_is_downloaded_from_an_address(hass: HomeAssistant, library: Library) -> None:
    async with Site() as site:
        site.serve("/x/garden-valve-1.1.0.bin", firmware("", name=""))
        answer = await act(hass, "add_firmware", url=site.url("/x/garden-valve-1.1.0.bin?key=7"))
    assert (answer["firmware"], answer["version"]) == ("garden-valve", "1.1.0")
    assert library.releases[0].facts() == answer


async def test_an_address_that_does_not_answer_is_no_mistake_of_the_caller(
    hass: HomeAssistant, library: Library
) -> None:
    err = await refused(hass, "add_firmware", url="http://127.0.0.1:1/a.bin")
    assert not isinstance(err, ServiceValidationError)
    assert "does not answer" in str(err)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"path": "/a", "url": "http://127.0.0.1/a"},
        {"url": "file:///etc/passwd"},
        {"path": "/a", "sha256": "12"},
        {"path": "/a", "chip": "z80"},
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(
    hass: HomeAssistant, library: Library, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await act(hass, "add_firmware", **data)


async def test_only_administrators_may_add_and_remove(
    hass: HomeAssistant, library: Library, builds: Path, hass_read_only_user: MockUser
) -> None:
    (builds / "a.bin").write_bytes(firmware("1.1.0"))
    context = Context(user_id=hass_read_only_user.id)
    for action, data in (
        ("add_firmware", {"path": str(builds / "a.bin")}),
        ("remove_firmware", {"firmware": "a", "version": "1"}),
    ):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(DOMAIN, action, data, blocking=True, context=context)
    assert library.releases == []


async def test_releases_are_removed_by_version_chip_or_checksum(
    hass: HomeAssistant, library: Library, builds: Path
) -> None:
    hashes = {}
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        for chip in ("esp8266", "esp32"):
            (builds / "a.bin").write_bytes(firmware(version, chip))
            answer = await act(hass, "add_firmware", path=str(builds / "a.bin"))
            hashes[version, chip] = answer["sha256"]

    answer = await act(hass, "remove_firmware", firmware="garden-valve", version="1.0.0")
    assert {item["chip"] for item in answer["removed"]} == {"esp8266", "esp32"}
    answer = await act(
        hass, "remove_firmware", firmware="garden-valve", version="1.1.0", chip="esp32"
    )
    assert [item["sha256"] for item in answer["removed"]] == [hashes["1.1.0", "esp32"]]
    await act(hass, "remove_firmware", sha256=hashes["1.2.0", "esp8266"])

    assert {(item.version, str(item.chip)) for item in library.releases} == {
        ("1.1.0", "esp8266"),
        ("1.2.0", "esp32"),
    }


async def test_a_release_that_is_not_there_cannot_be_removed(
    hass: HomeAssistant, library: Library
) -> None:
    err = await refused(hass, "remove_firmware", firmware="pump", version="1.0.0")
    assert (err.translation_key, isinstance(err, ServiceValidationError)) == (
        "release_unknown",
        True,
    )
    assert err.translation_placeholders == {"release": "pump 1.0.0"}


async def test_of_several_releases_none_is_removed_when_one_is_waited_for(
    hass: HomeAssistant, library: Library, builds: Path
) -> None:
    for chip in ("esp8266", "esp32"):
        (builds / "a.bin").write_bytes(firmware("1.0.0", chip))
        answer = await act(hass, "add_firmware", path=str(builds / "a.bin"))
    with hass.data[HOUSE].holding(answer["sha256"]):
        err = await refused(hass, "remove_firmware", firmware="garden-valve", version="1.0.0")
    assert err.translation_key == "release_in_use"
    assert len(library.releases) == 2
