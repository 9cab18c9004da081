"""The update card and versions: labels that are spelt differently, and skips that last."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache,
    mock_restore_cache_with_extra_data,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp_ota.library import Release, ReleaseName
from custom_components.esp_ota.modules import Skipped
from homeassistant.core import State
from homeassistant.exceptions import HomeAssistantError
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    TALKING,
    Garden,
    assert_nothing_sent,
    options_for,
    patience,
)
from tests.virtual_module import VirtualModule, build_image

pytestmark = pytest.mark.slow


async def labelled(garden: Garden, label: str, version: str) -> Release:
    """Put a sketch into the library whose label is not what it says itself."""
    name = ReleaseName.stated("any.bin", {"version": label})
    data = build_image("esp8266", version=version, size=48 * 1024)
    return await garden.house.library.async_add(data, name, source="upload")


async def add(garden: Garden, module: VirtualModule, **options: Any) -> MockConfigEntry:
    """Set up a module that announces 1.0.0."""
    garden.house.patience = TALKING
    entry = await garden.add(entry_for(module, options=options_for(**options)))
    await garden.runs("1.0.0")
    return entry


# Labels


@pytest.mark.parametrize("label", ["v1.2.0", "1.2.0_ESP8266", "1.2.0.ota", "1.2"])
async def test_a_label_that_is_spelt_differently_is_proven_once_and_not_sent_again(
    garden: Garden, start_module: StartModule, label: str
) -> None:
    module = await start_module(advertise=True)
    entry = await add(garden, module, rollback="auto")
    await labelled(garden, label, "1.2.0")
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["latest_version"] == label

    await garden.install()

    assert garden.card.attributes["last_verdict"] == "verified"
    assert module.running_version == "1.2.0"
    await garden.hass.async_block_till_done()
    assert (garden.card.state, garden.card.attributes["latest_version"]) == ("off", "1.2.0")
    with pytest.raises(HomeAssistantError):  # there is no update, says Home Assistant
        await garden.install()
    assert module.restarts == 1
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("label", ["1.2.0-20240115", "build57"])
async def test_a_label_that_says_more_than_the_sketch_is_no_reason_to_go_back(
    garden: Garden, start_module: StartModule, label: str
) -> None:
    module = await start_module(advertise=True)
    await garden.release("1.0.0")
    entry = await add(garden, module, rollback="auto")
    await labelled(garden, label, "1.2.0")
    garden.house.patience = patience(evidence=1.0)  # a better word is waited for in vain

    await garden.install(label)

    assert garden.card.attributes["last_verdict"] == "unverified"
    assert garden.card.attributes["installed_version"] == "1.2.0"
    assert module.running_version == "1.2.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_the_notes_say_that_nobody_can_tell_which_is_newer(
    garden: Garden, start_module: StartModule, hass_ws_client: WebSocketGenerator
) -> None:
    module = await start_module(advertise=True)
    await garden.release("1.1.0_audioreactive")
    await add(garden, module)
    assert garden.card.state == "off"

    client = await hass_ws_client(garden.hass)
    await client.send_json_auto_id({"type": "update/release_notes", "entity_id": CARD})
    notes = (await client.receive_json())["result"]
    assert "cannot tell whether 1.1.0_audioreactive is newer than 1.0.0" in notes

    with pytest.raises(HomeAssistantError):
        await garden.install()
    assert_nothing_sent(module)
    await garden.install("1.1.0_audioreactive")  # as for going back
    assert module.running_version == "1.1.0_audioreactive"


# Skips


async def skip(garden: Garden, action: str = "skip") -> None:
    await garden.hass.services.async_call("update", action, {"entity_id": CARD}, blocking=True)
    await garden.hass.async_block_till_done()


def shown(garden: Garden) -> tuple[str, str | None, str | None]:
    attributes = garden.card.attributes
    return garden.card.state, attributes["latest_version"], attributes["skipped_version"]


async def withdraw(garden: Garden, release: Release) -> None:
    await garden.house.library.async_remove(release.image.sha256)
    await garden.hass.async_block_till_done()


async def publish(garden: Garden, version: str) -> Release:
    release = await garden.release(version)
    await garden.hass.async_block_till_done()
    return release


async def test_a_skipped_release_that_comes_back_is_still_skipped(
    garden: Garden, start_module: StartModule
) -> None:
    await add(garden, await start_module(advertise=True))
    release = await publish(garden, "1.1.0")
    await skip(garden)
    assert shown(garden) == ("off", "1.1.0", "1.1.0")
    states = [garden.card.state]
    garden.hass.bus.async_listen(
        "state_changed", lambda event: states.append(event.data["new_state"].state)
    )

    await withdraw(garden, release)
    assert shown(garden) == ("off", "1.0.0", None)
    await publish(garden, "1.1.0")

    assert shown(garden) == ("off", "1.1.0", "1.1.0")
    assert "on" not in [state for state in states if state in {"on", "off"}]

    await publish(garden, "1.2.0")
    assert shown(garden) == ("on", "1.2.0", None)


async def test_a_skip_that_was_cleared_does_not_come_back(
    garden: Garden, start_module: StartModule
) -> None:
    await add(garden, await start_module(advertise=True))
    release = await publish(garden, "1.1.0")
    await skip(garden)
    await skip(garden, "clear_skipped")
    assert shown(garden) == ("on", "1.1.0", None)

    await withdraw(garden, release)
    await publish(garden, "1.1.0")

    assert shown(garden) == ("on", "1.1.0", None)


async def test_an_older_skip_holds_when_a_newer_release_is_withdrawn(
    garden: Garden, start_module: StartModule
) -> None:
    await add(garden, await start_module(advertise=True))
    await publish(garden, "1.1.0")
    await skip(garden)
    newer = await publish(garden, "1.2.0")
    assert garden.card.state == "on"

    await withdraw(garden, newer)

    assert shown(garden) == ("off", "1.1.0", "1.1.0")


async def test_a_skip_outlives_a_restart_while_its_release_is_away(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await add(garden, await start_module(advertise=True))
    release = await publish(garden, "1.1.0")
    await skip(garden)
    await withdraw(garden, release)

    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.hass.async_block_till_done()
    await publish(garden, "1.1.0")

    assert shown(garden) == ("off", "1.1.0", "1.1.0")


async def test_a_skip_of_before_the_first_restart_counts_as_well(
    garden: Garden, start_module: StartModule
) -> None:
    """0.1.0 left it to Home Assistant alone."""
    mock_restore_cache(garden.hass, [State(CARD, "off", {"skipped_version": "1.1.0"})])
    await add(garden, await start_module(advertise=True))
    assert shown(garden) == ("off", "1.0.0", None)

    await publish(garden, "1.1.0")

    assert shown(garden) == ("off", "1.1.0", "1.1.0")


@pytest.mark.parametrize("extra", [{}, {"skipped": [7, None]}, {"skipped": ["1.1.0"]}])
async def test_what_was_kept_of_skips_is_read_with_care(
    garden: Garden, start_module: StartModule, extra: dict[str, Any]
) -> None:
    mock_restore_cache_with_extra_data(garden.hass, [(State(CARD, "off"), extra)])
    await publish(garden, "1.1.0")
    await add(garden, await start_module(advertise=True))
    await garden.hass.async_block_till_done()
    assert garden.card.state == ("off" if "1.1.0" in extra.get("skipped", []) else "on")


async def test_what_was_skipped_and_then_installed_by_name_is_not_skipped_any_more(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    await add(garden, module)
    await garden.release("1.0.0")
    await publish(garden, "1.1.0")
    await skip(garden)
    await garden.install("1.1.0")
    assert module.running_version == "1.1.0"
    await garden.install("1.0.0")
    await garden.runs("1.0.0")
    assert shown(garden) == ("on", "1.1.0", None)


def test_skips_are_remembered_by_version_and_not_without_end() -> None:
    skipped = Skipped()
    skipped.restore(f"1.{number}.0" for number in range(20))
    assert len(skipped.versions) == 10
    assert skipped.holds("v1.19.0")
    assert not skipped.holds("1.2.0")
    assert not skipped.holds(None)
