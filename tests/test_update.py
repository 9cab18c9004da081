"""The update card: what it shows, and the main job from the caller's side."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import Chip, ModuleFacts
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, TALKING, Garden, assert_nothing_sent
from tests.virtual_module import VirtualModule, build_image, gzip_image


@pytest.fixture
async def module(start_module: StartModule) -> VirtualModule:
    """Switch on a module that announces nothing."""
    return await start_module()


async def show(garden: Garden, module: VirtualModule, installed: str | None) -> dict[str, Any]:
    """Set up the card of a module that runs this version; return what it shows."""
    entry = await garden.add(entry_for(module))
    if installed is not None:
        facts = ModuleFacts(
            name="garden-valve",
            host="127.0.0.1",
            port=module.port,
            chip=Chip.ESP8266,
            version=installed,
        )
        entry.runtime_data.coordinator._heard(facts)
        await garden.hass.async_block_till_done()
    return shown(garden)


def shown(garden: Garden) -> dict[str, Any]:
    """Return state and attributes as one."""
    return {"state": garden.card.state, **garden.card.attributes}


@pytest.mark.slow
async def test_pressing_update_ends_with_the_new_version_proven(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    garden.house.patience = TALKING
    await garden.release("1.1.0")
    await garden.add(entry_for(module))
    await garden.runs("1.0.0")
    assert garden.card.state == "on"

    await garden.install()

    assert garden.card.state == "off"
    assert garden.card.attributes["last_verdict"] == "verified"
    assert garden.card.attributes["installed_version"] == "1.1.0"
    assert module.running_version == "1.1.0"


@pytest.mark.parametrize(
    ("installed", "releases", "latest", "state"),
    [
        ("1.0.0", ["1.1.0", "1.2.0", "1.10.0", "1.9.0"], "1.10.0", "on"),
        ("1.0.0", [], "1.0.0", "off"),
        ("1.0.0", ["1.0.0"], "1.0.0", "off"),
        ("2.0.0", ["1.1.0"], "2.0.0", "off"),
        ("2026.11.1", ["2026.2.9", "2026.11.10"], "2026.11.10", "on"),
        ("1.1.0-rc.1", ["1.1.0"], "1.1.0", "on"),
        ("1.2.0-4-gabc1234", ["1.1.0", "1.2.0"], "1.2.0-4-gabc1234", "off"),
        ("r10", ["r9", "r11"], "r11", "on"),
        ("1.2.0", ["v1.2.0_ESP8266"], "1.2.0", "off"),
        ("nightly", ["1.1.0"], "nightly", "off"),
        ("1.0.0", ["g14f53a19"], "1.0.0", "off"),
        ("1.0.0", ["1.0.1", "1.1.0_audioreactive"], "1.0.1", "on"),
        (None, ["1.1.0"], "1.1.0", "on"),
        (None, [], "unknown", "off"),
    ],
    ids=[
        "newest of many",
        "no release",
        "up to date",
        "older only",
        "calendar versions",
        "release candidate",
        "commits behind the release",
        "numbered builds",
        "the same, spelt differently",
        "incomparable installed",
        "incomparable release",
        "another variant",
        "nothing known",
        "nothing at all",
    ],
)
async def test_the_card_offers_the_newest_release_that_would_be_taken(
    garden: Garden,
    module: VirtualModule,
    installed: str | None,
    releases: list[str],
    latest: str,
    state: str,
) -> None:
    for version in releases:
        await garden.release(version)

    card = await show(garden, module, installed)

    assert card["installed_version"] == (installed or "unknown")
    assert card["latest_version"] == latest
    assert card["state"] == state
    assert card["installed_is_assumed"] is False


async def test_a_release_for_another_chip_is_not_offered(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("1.1.0")
    await garden.release("2.0.0", "esp32")

    assert (await show(garden, module, "1.0.0"))["latest_version"] == "1.1.0"


async def notes_of(garden: Garden, hass_ws_client: WebSocketGenerator) -> str | None:
    """Return the release notes as the card's dialog gets them."""
    client = await hass_ws_client(garden.hass)
    await client.send_json_auto_id({"type": "update/release_notes", "entity_id": CARD})
    notes: str | None = (await client.receive_json())["result"]
    return notes


@pytest.mark.parametrize("offered", ["1.1.0", None])
async def test_the_notes_say_why_a_newer_release_is_not_offered(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator, offered: str | None
) -> None:
    if offered is not None:
        name = ReleaseName(file_name="any.bin", notes="Closes by itself.")
        image = build_image("esp8266", version=offered)
        await garden.house.library.async_add(image, name, source="upload")
    await garden.release("2.0.0", "esp32")
    card = await show(garden, module, "1.0.0")
    assert card["latest_version"] == (offered or "1.0.0")

    notes = await notes_of(garden, hass_ws_client)

    assert notes is not None
    reason, *own = notes.split("\n\n")
    assert reason == (
        "Version 2.0.0 is in the library, but it is not offered. The update of garden-valve was "
        "refused: the image is for esp32, the module is esp8266. Choose the image built for this "
        "chip; if the module has another one, choose its chip under Configure, Firmware."
    )
    assert own == (["Closes by itself."] if offered else [])


async def test_what_nobody_knows_is_a_reason_until_it_is_accepted(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    await garden.house.library.async_add(
        gzip_image(build_image("esp8266", version="1.2.0")),
        ReleaseName(file_name="any.bin"),
        source="upload",
    )
    entry = await garden.add(entry_for(module))

    notes = await notes_of(garden, hass_ws_client)
    assert notes is not None
    assert "core, flash_mode, flash_size, free, sketch_size" in notes

    options = {**entry.options, "accepted_checks": ["packing"]}
    garden.hass.config_entries.async_update_entry(entry, options=options)
    assert garden.card.attributes["latest_version"] == "unknown"
    await garden.hass.config_entries.async_reload(entry.entry_id)
    assert garden.card.attributes["latest_version"] == "1.2.0"
    assert await notes_of(garden, hass_ws_client) is None


@pytest.mark.parametrize(
    "releases",
    [
        [("0.9.0", "esp8266")],
        [("0.9.0", "esp32")],
        [("1.0.0", "esp8266"), ("1.0.0", "esp32")],
        [("1.1.0", "esp8266"), ("1.1.0", "esp32")],
    ],
    ids=["older", "older for another chip", "what runs", "what is offered"],
)
async def test_the_same_version_for_other_chips_and_older_ones_are_no_news(
    garden: Garden,
    module: VirtualModule,
    hass_ws_client: WebSocketGenerator,
    releases: list[tuple[str, str]],
) -> None:
    for version, chip in releases:
        await garden.release(version, chip)
    await show(garden, module, "1.0.0")
    assert await notes_of(garden, hass_ws_client) is None


@pytest.mark.slow
async def test_an_older_version_is_installed_only_when_it_is_named(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("0.9.0")
    await show(garden, module, "1.0.0")

    with pytest.raises(HomeAssistantError):
        await garden.install()
    assert_nothing_sent(module)

    await garden.install("0.9.0")
    assert module.running_version == "0.9.0"


@pytest.mark.slow
async def test_a_module_that_says_nothing_can_be_updated_and_then_shows_what_is_assumed(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("1.1.0")
    card = await show(garden, module, None)
    assert (card["state"], card["installed_version"]) == ("on", "unknown")

    await garden.install()

    card = shown(garden)
    assert card["state"] == "off"
    assert card["installed_version"] == "1.1.0"
    assert card["installed_is_assumed"] is True
    assert card["last_verdict"] == "unverified"


async def test_the_card_follows_the_library(garden: Garden, module: VirtualModule) -> None:
    assert (await show(garden, module, "1.0.0"))["state"] == "off"

    release = await garden.release("1.1.0")
    await garden.hass.async_block_till_done()
    assert garden.card.state == "on"

    await garden.house.library.async_remove(release.image.sha256)
    await garden.hass.async_block_till_done()
    assert garden.card.state == "off"


async def test_the_card_names_the_firmware_and_shows_the_notes_of_the_offered_release(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    name = ReleaseName(file_name="any.bin", notes="Closes by itself.\n\nAnd more.")
    image = build_image("esp8266", version="1.1.0")
    await garden.house.library.async_add(image, name, source="upload")

    card = await show(garden, module, "1.0.0")

    assert card["title"] == "garden-valve"
    assert card["release_summary"] == "Closes by itself."
    client = await hass_ws_client(garden.hass)
    await client.send_json_auto_id({"type": "update/release_notes", "entity_id": CARD})
    answer = await client.receive_json()
    assert answer["result"] == "Closes by itself.\n\nAnd more."


@pytest.mark.parametrize("notes", [None, "", "\n\n", "   \n  "], ids=repr)
async def test_a_release_without_notes_has_no_summary(
    garden: Garden, module: VirtualModule, notes: str | None
) -> None:
    image = build_image("esp8266", version="1.1.0")
    name = ReleaseName(file_name="any.bin", notes=notes)
    await garden.house.library.async_add(image, name, source="upload")

    assert not (await show(garden, module, "1.0.0"))["release_summary"]


async def test_a_card_without_anything_to_offer_has_no_notes(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    card = await show(garden, module, "1.0.0")

    assert card["release_summary"] is None
    client = await hass_ws_client(garden.hass)
    await client.send_json_auto_id({"type": "update/release_notes", "entity_id": CARD})
    assert (await client.receive_json())["result"] is None


async def test_a_skipped_version_is_not_offered_until_there_is_a_newer_one(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("1.1.0")
    await show(garden, module, "1.0.0")

    await garden.hass.services.async_call("update", "skip", {"entity_id": CARD}, blocking=True)
    assert garden.card.state == "off"

    await garden.release("1.2.0")
    await garden.hass.async_block_till_done()
    assert garden.card.state == "on"


async def test_nothing_is_sent_when_there_is_nothing_newer(
    garden: Garden, module: VirtualModule
) -> None:
    await garden.release("1.1.0")
    await show(garden, module, "1.1.0")

    with pytest.raises(HomeAssistantError):
        await garden.install()

    assert_nothing_sent(module)


@pytest.mark.slow
async def test_the_card_stays_available_while_the_module_is_away(
    hass: HomeAssistant, garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    await garden.release("1.1.0")
    await garden.add(entry_for(module))
    await garden.runs("1.0.0")

    await module.power_cycle()
    garden.house.announcements._tell("garden-valve._arduino._tcp.local.", None)
    await hass.async_block_till_done()

    assert garden.card.state == "on"
    assert garden.card.attributes["installed_version"] == "1.0.0"
