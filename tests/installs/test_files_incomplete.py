"""Files that were written in part: the module is told to have them, whatever the cause was."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.exceptions import HomeAssistantError
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import VALVE, Garden, options_for, until
from tests.kit.sentences import assert_error_is_whole
from tests.kit.three_doors import DOORS, PAGE, PULL, PUSH, Doors, doors_of
from tests.test_files_update import add_files, files_card
from tests.virtual_module import Fault, PullMode

ASKS = {"steps": (PullMode.FILESYSTEM,)}


@pytest.fixture
async def doors(
    garden: Garden, hass_client_no_auth: ClientSessionGenerator
) -> AsyncIterator[Doors]:
    async with doors_of(garden, hass_client_no_auth) as doors:
        yield doors


async def failure(garden: Garden) -> HomeAssistantError:
    with pytest.raises(HomeAssistantError) as caught:
        await garden.install_files()
    assert_error_is_whole(caught.value)
    await garden.hass.async_block_till_done()
    card = files_card(garden)
    assert card is not None
    assert card.attributes["installed_version"] != "1.1.0"
    return caught.value


@pytest.mark.slow
@pytest.mark.parametrize("kind", DOORS)
async def test_files_of_which_a_part_was_written_are_told_to_be_incomplete(
    garden: Garden, doors: Doors, kind: str
) -> None:
    await doors.open(kind, pull=ASKS, faults=[Fault.RESET], sector_time=0.02)
    await add_files(garden, "1.1.0")
    error = await failure(garden)
    assert error.translation_key == "files_incomplete"
    reason = (error.translation_placeholders or {})["because"]
    assert "broke after" in reason
    assert not reason.endswith(".")
    attributes = garden.card.attributes
    assert (attributes["last_verdict"], attributes["last_cause"]) == ("failed", "connection_lost")
    told = garden.hass.states.get("sensor.garden_valve_last_update")
    assert told is not None
    assert "are incomplete now" in told.attributes["sentence"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (PUSH, Fault.FLASH_WRITE_ERROR),
        (PUSH, Fault.WRONG_MD5),
        (PAGE, Fault.FLASH_WRITE_ERROR),  # which is told no sum
    ],
)
async def test_files_that_the_module_refuses_at_their_end_are_incomplete(
    garden: Garden, doors: Doors, kind: str, fault: Fault
) -> None:
    await doors.open(kind, faults=[fault])
    await add_files(garden, "1.1.0")
    assert (await failure(garden)).translation_key == "files_incomplete"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PUSH, PAGE])
async def test_files_without_room_are_told_so_and_nothing_of_the_sketch(
    garden: Garden, doors: Doors, kind: str
) -> None:
    door = await doors.open(kind, faults=[Fault.NOT_ENOUGH_SPACE])
    await add_files(garden, "1.1.0")
    error = await failure(garden)
    assert error.translation_key == "no_space_files"
    assert "sketch smaller" not in str(error)
    assert not door.module.fs_image


@pytest.mark.slow
async def test_files_that_break_once_and_arrive_then_are_complete(
    garden: Garden, doors: Doors
) -> None:
    await doors.open(PUSH, faults={Fault.RESET: 1}, sector_time=0.02)
    await add_files(garden, "1.1.0")
    await garden.install_files()
    assert garden.card.attributes["last_verdict"] in {"verified", "unverified"}


@pytest.mark.slow
async def test_files_that_broke_and_cannot_be_sent_again_stay_incomplete(
    garden: Garden, doors: Doors
) -> None:
    door = await doors.open(PUSH, faults={Fault.RESET: 1}, sector_time=0.02)
    door.module.board.faults.set(Fault.NOT_ENOUGH_SPACE, 0)
    await add_files(garden, "1.1.0")
    door.module.events.listeners.append(
        lambda event: (
            door.module.board.faults.set(Fault.NOT_ENOUGH_SPACE)
            if event.name == "first_byte"
            else None
        )
    )
    error = await failure(garden)
    assert error.translation_key == "files_incomplete"
    assert garden.card.attributes["last_cause"] == "no_space_files"


@pytest.mark.slow
async def test_files_in_whose_middle_home_assistant_died_are_incomplete(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = entry_for(module, options=options_for())
    files = await add_files(garden, "1.1.0")
    note: Any = {
        "stage": "sending",
        "sha256": files.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(entry.entry_id, note)
    await garden.hass.services.async_call("input_boolean", "turn_off", {"entity_id": VALVE})
    await garden.add(entry)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()

    assert garden.card.attributes["last_cause"] == "interrupted"
    told = garden.hass.states.get("sensor.garden_valve_last_update")
    assert told is not None
    assert "are incomplete now" in told.attributes["sentence"]


@pytest.mark.slow
async def test_an_offer_of_files_that_nobody_fetched_leaves_the_files_alone(
    garden: Garden, doors: Doors
) -> None:
    await doors.open(PULL, pull=ASKS, faults=[Fault.NOT_ENOUGH_SPACE])
    await add_files(garden, "1.1.0")
    assert (await failure(garden)).translation_key == "download_declined"
