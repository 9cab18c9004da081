"""What the card of the files shows after others were written over them in part."""

import asyncio
from typing import Any

import pytest

from homeassistant.exceptions import HomeAssistantError
from tests.installs.test_doubt import roll_back
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import CARD, Garden, options_for, patience, until
from tests.test_files_update import add_files, files_card
from tests.virtual_module import Fault

pytestmark = pytest.mark.slow


def shown(garden: Garden) -> tuple[str, str]:
    """Return the state of the card, and the version of the files that it shows."""
    card = files_card(garden)
    assert card is not None
    return card.state, card.attributes["installed_version"]


@pytest.mark.parametrize(
    "fault", [Fault.RESET, Fault.REBOOT_MIDWAY, Fault.SILENT_DEATH, Fault.WRONG_MD5]
)
async def test_files_that_were_not_taken_whole_are_unknown(
    garden: Garden, start_module: StartModule, fault: Fault
) -> None:
    module = await start_module()
    garden.house.patience = patience(evidence=0.1, stall=0.5, back=1.0, answer=0.2)
    await garden.add(entry_for(module, options=options_for()))
    await add_files(garden, "1.0.0")
    await garden.install_files()
    assert shown(garden) == ("off", "1.0.0")
    await add_files(garden, "1.1.0", seed=1)
    module.faults.set(fault)

    with pytest.raises(HomeAssistantError):
        await garden.install_files()

    assert shown(garden) == ("on", "unknown")


async def test_files_that_somebody_cancelled_are_unknown(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(sector_time=0.05)
    await garden.add(entry_for(module, options=options_for()))
    await add_files(garden, "1.0.0")
    await garden.install_files()
    await add_files(garden, "1.1.0", seed=1)
    installing = asyncio.create_task(garden.install_files())
    await garden.at("sending")
    await asyncio.sleep(0.3)

    await garden.hass.services.async_call("esp_ota", "cancel", {"entity_id": CARD}, blocking=True)

    with pytest.raises(HomeAssistantError):
        await installing
    assert shown(garden) == ("on", "unknown")


@pytest.mark.parametrize(
    ("files", "told"), [("1.1.0", "unknown"), ("1.0.1", "1.0.0")], ids=["of it", "of another"]
)
async def test_a_crash_leaves_files_open_that_belonged_to_the_update(
    garden: Garden, start_module: StartModule, files: str, told: str
) -> None:
    entry = await garden.add(entry_for(await start_module(), options=options_for()))
    await add_files(garden, "1.0.0")
    await garden.install_files()
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    await add_files(garden, files, seed=1)
    release = await garden.release("1.1.0")
    left: Any = {
        "stage": "sending",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(entry.entry_id, left)

    assert await garden.hass.config_entries.async_setup(entry.entry_id)

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    assert shown(garden) == ("on", told)


async def test_going_back_brings_the_files_along_that_were_broken_on_the_way(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("0.9.0"))
    garden.house.patience = patience(evidence=0.1, stall=0.5, back=1.0, answer=0.2)
    await garden.add(entry_for(module, options=options_for()))
    sums = {}
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        await garden.release(version)
        await add_files(garden, version, seed=seed)
        await garden.install(version)
        sums[version] = module.board.fs_md5
    await garden.release("1.2.0")
    await add_files(garden, "1.2.0", seed=7)
    module.faults.set(Fault.RESET)
    await garden.refused("files_incomplete")
    module.faults.clear()

    await roll_back(garden)

    assert (module.running_version, module.board.fs_md5) == ("1.0.0", sums["1.0.0"])


async def test_files_that_were_cancelled_when_all_had_left_are_unknown(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(sector_time=0.15)
    await garden.add(entry_for(module, options=options_for()))
    await add_files(garden, "1.0.0")
    await garden.install_files()
    await add_files(garden, "1.1.0", seed=1)
    installing = asyncio.create_task(garden.install_files())
    card = "update.garden_valve_files"

    def percent() -> int:
        state = garden.hass.states.get(card)
        return int((state and state.attributes["update_percentage"]) or 0)

    await until(lambda: percent() == 100, 60)

    await garden.hass.services.async_call("esp_ota", "cancel", {"entity_id": CARD}, blocking=True)

    with pytest.raises(HomeAssistantError) as caught:
        await installing
    assert caught.value.translation_key == "cancelled_late"
    assert shown(garden) == ("on", "unknown")
