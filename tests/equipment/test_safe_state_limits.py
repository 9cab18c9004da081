"""Actions that do not end, and safe states that change under an update that relies on them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.equipment import sequence
from custom_components.esp_ota.house import InstallNote
from homeassistant.core import ServiceCall
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.kit.garden import (
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    VALVE,
    VALVE_CLOSED,
    Garden,
    options_for,
    until,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.three_doors import LARGE, PUSH, SLOW, Doors, doors_of
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow

HANG = {"action": "test.hang"}
STUBBORN = {"action": "test.stubborn"}


@pytest.fixture
async def doors(
    garden: Garden, hass_client_no_auth: ClientSessionGenerator
) -> AsyncIterator[Doors]:
    """Return what switches modules on."""
    async with doors_of(garden, hass_client_no_auth) as doors:
        yield doors


@pytest.fixture(autouse=True)
async def enough(garden: Garden, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """Have an action that never returns, and one that cannot even be stopped before the end."""
    monkeypatch.setattr(sequence, "_GRACE", 0.1)
    enough = asyncio.Event()

    async def hang(call: ServiceCall) -> None:
        await enough.wait()

    async def stubborn(call: ServiceCall) -> None:
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                continue

    garden.hass.services.async_register("test", "hang", hang)
    garden.hass.services.async_register("test", "stubborn", stubborn)
    yield enough
    enough.set()
    await asyncio.sleep(0.05)


IN_WAYS: dict[str, list[Any]] = {
    "it never returns": [HANG],
    "it cannot be stopped": [STUBBORN],
    "it cannot be stopped in parallel": [{"parallel": [STUBBORN, HANG]}],
    "it cannot be stopped in a script": [{"action": "script.stubborn"}],
    "it waits for what never comes": [{"wait_template": "{{ false }}"}],
}


async def refused_in_vain(garden: Garden, cause: str, enough: asyncio.Event) -> dict[str, str]:
    """Press Update and let the action end behind it, which Home Assistant waits for."""
    pressed = asyncio.create_task(garden.refused(cause))
    async with asyncio.timeout(10):
        while garden.card.attributes.get("last_verdict") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    enough.set()
    return await pressed


@pytest.mark.parametrize("actions", IN_WAYS.values(), ids=IN_WAYS)
async def test_actions_that_do_not_end_are_left_behind_at_the_time_limit(
    garden: Garden, doors: Doors, enough: asyncio.Event, actions: list[Any]
) -> None:
    scripts = {"stubborn": {"sequence": [STUBBORN]}}
    assert await async_setup_component(garden.hass, "script", {"script": scripts})
    await garden.release("1.1.0")
    door = await doors.open(PUSH, {"actions": [CLOSE_VALVE, *actions], "time_limit": 0.3})

    await refused_in_vain(garden, "safe_state_not_confirmed", enough)

    door.assert_nothing_sent()
    assert garden.card.attributes["last_verdict"] == "refused"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


async def test_it_is_said_which_sequence_goes_on_behind_our_back(
    garden: Garden, doors: Doors, enough: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    await garden.release("1.1.0")
    await doors.open(PUSH, {"actions": [STUBBORN], "time_limit": 0.3})

    await refused_in_vain(garden, "safe_state_not_confirmed", enough)

    assert "safe state of garden-valve: an action goes on although it was stopped" in caplog.text
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize("restore", IN_WAYS.values(), ids=IN_WAYS)
async def test_a_restore_that_does_not_end_is_told(
    garden: Garden,
    doors: Doors,
    enough: asyncio.Event,
    issue_registry: ir.IssueRegistry,
    restore: list[Any],
) -> None:
    scripts = {"stubborn": {"sequence": [STUBBORN]}}
    assert await async_setup_component(garden.hass, "script", {"script": scripts})
    await garden.release("1.1.0")
    door = await doors.open(PUSH, {"restore": [OPEN_VALVE, *restore], "time_limit": 0.5})

    facts = await refused_in_vain(garden, "restore_failed", enough)

    assert facts["detail"].startswith("They had not ended after")
    assert garden.card.attributes["last_verdict"] == "unverified"
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{door.entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


async def test_the_conditions_are_asked_although_the_last_action_takes_long(
    garden: Garden, doors: Doors
) -> None:
    """What is left of the time limit is theirs."""
    await garden.release("1.1.0")
    slow = [CLOSE_VALVE, {"delay": {"milliseconds": 400}}]
    door = await doors.open(PUSH, {"actions": slow, "stable": 0.3, "time_limit": 0.6})

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["unmet"].startswith("none")
    door.assert_nothing_sent()


# It changes while it is relied upon


OTHER = options_for(
    {
        "actions": [OPEN_VALVE],
        "conditions": [VALVE_CLOSED | {"state": "on"}],
        "restore": [{"event": "wrong_restore"}],
    }
)
CHANGES: dict[str, dict[str, Any]] = {
    "to another one": OTHER,
    "to none": {"firmware": "garden-valve", "equipment": "switches"},
    "to the answer that nothing is needed": options_for(equipment="nothing"),
    "to the house's, which has none": options_for(equipment="house"),
}


@pytest.mark.parametrize("options", CHANGES.values(), ids=CHANGES)
async def test_an_update_keeps_to_the_safe_state_it_began_with(
    garden: Garden, doors: Doors, options: dict[str, Any]
) -> None:
    """The form does not let a person do that; another program that writes options can."""
    await garden.release("1.1.0", size=LARGE)
    door = await doors.open(PUSH, **SLOW)
    install = asyncio.create_task(garden.install())
    await door.module.wait_for(Seen.FIRST_BYTE)

    garden.hass.config_entries.async_update_entry(door.entry, options=options)

    await install
    assert door.module.running_version == "1.1.0"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize("options", CHANGES.values(), ids=CHANGES)
async def test_the_safe_state_it_began_with_is_watched_to_the_end(
    garden: Garden, doors: Doors, options: dict[str, Any]
) -> None:
    await garden.release("1.1.0", size=LARGE)
    door = await doors.open(PUSH, **SLOW)
    refused = asyncio.create_task(garden.refused("safe_state_broken"))
    await door.module.wait_for(Seen.FIRST_BYTE)
    garden.hass.config_entries.async_update_entry(door.entry, options=options)

    garden.hass.states.async_set(VALVE, "on")

    await refused
    assert door.module.running_version == "1.0.0"


# The house's


async def test_the_houses_safe_state_is_kept_to_although_the_house_was_changed(
    garden: Garden, doors: Doors
) -> None:
    await garden.release("1.1.0", size=LARGE)
    house = garden.house.entry
    assert house is not None
    safe_state = options_for()["safe_state"]
    garden.hass.config_entries.async_update_entry(house, options={"safe_state": safe_state})

    def as_house(options: dict[str, Any]) -> None:
        del options["safe_state"]
        options["equipment"] = "house"

    door = await doors.open(PUSH, change=as_house, **SLOW)
    install = asyncio.create_task(garden.install())
    await door.module.wait_for(Seen.FIRST_BYTE)

    garden.hass.config_entries.async_update_entry(house, options={})

    await install
    assert door.module.running_version == "1.1.0"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


async def test_a_house_whose_entry_is_removed_restores_what_it_made_safe(
    garden: Garden, doors: Doors
) -> None:
    await garden.release("1.1.0", size=LARGE)
    house = garden.house.entry
    assert house is not None
    safe_state = options_for()["safe_state"]
    garden.hass.config_entries.async_update_entry(house, options={"safe_state": safe_state})

    def as_house(options: dict[str, Any]) -> None:
        del options["safe_state"]
        options["equipment"] = "house"

    door = await doors.open(PUSH, change=as_house, **SLOW)
    install = asyncio.create_task(garden.install())
    await door.module.wait_for(Seen.FIRST_BYTE)

    await garden.hass.config_entries.async_remove(house.entry_id)

    await install
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


@pytest.mark.parametrize(
    "options",
    [CHANGES["to none"], CHANGES["to the house's, which has none"]],
    ids=["none", "the house's"],
)
@pytest.mark.parametrize("stage", ["making_safe", "sending", "restarting", "restoring"])
async def test_equipment_that_nobody_knows_how_to_restore_after_a_crash_is_told(
    garden: Garden,
    doors: Doors,
    issue_registry: ir.IssueRegistry,
    stage: str,
    options: dict[str, Any],
) -> None:
    release = await garden.release("1.1.0")
    door = await doors.open(PUSH)
    assert await garden.hass.config_entries.async_unload(door.entry.entry_id)
    note: InstallNote = {
        "stage": stage,
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(door.entry.entry_id, note)
    garden.hass.config_entries.async_update_entry(door.entry, options=options)

    assert await garden.hass.config_entries.async_setup(door.entry.entry_id)
    await until(lambda: garden.house.journal.open_install(door.entry.entry_id) is None)

    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{door.entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert garden.valve == []
    door.assert_nothing_sent()
