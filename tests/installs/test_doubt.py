"""What a card shows of a module that says nothing, after an update that nobody could follow."""

import asyncio
from dataclasses import replace
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.installs.uses import async_uses
from custom_components.esp_ota.ota import EvidenceSource, Sighting
from homeassistant.exceptions import HomeAssistantError
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import CARD, Garden, options_for, patience, until
from tests.test_files_update import add_files
from tests.virtual_module import Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow

ASSUMED = "1.1.0", True
NOBODY_KNOWS = "unknown", False


def shown(garden: Garden) -> tuple[str, bool]:
    """Return the version that the card shows, and whether it is only assumed."""
    attributes = garden.card.attributes
    return attributes["installed_version"], attributes["installed_is_assumed"]


async def add_assumed(
    garden: Garden,
    module: VirtualModule,
    *released: str,
    runs: str = "1.1.0",
    options: dict[str, Any] | None = None,
    **waits: Any,
) -> MockConfigEntry:
    """Return a module to which 1.1.0 was brought, as far as anybody knows, and have 1.2.0."""
    garden.house.patience = patience(evidence=0.1, **waits)
    entry = entry_for(module, options=options_for(**options or {}))
    known: Any = {"version": runs, "firmware": "garden-valve", "assumed": True}
    await garden.house.journal.async_remember(entry.entry_id, known)
    for version in released or ("1.1.0", "1.2.0"):
        await garden.release(version)
    return entry


async def more_patient(garden: Garden, entry: MockConfigEntry, **waits: Any) -> None:
    """Wait for other times from now on."""
    garden.house.patience = patience(evidence=0.1, **waits)
    assert await garden.hass.config_entries.async_reload(entry.entry_id)


@pytest.mark.parametrize(
    ("faults", "waits", "cause"),
    [
        ([Fault.NO_RESTART], {"go": 0.2}, "did_not_restart"),
        ([Fault.NO_RESTART, Fault.CLOSE_WITHOUT_OK], {"go": 0.2}, "no_result"),
        ([Fault.NEVER_BACK], {"back": 0.2}, "did_not_come_back"),
    ],
)
async def test_what_was_only_assumed_is_unknown_once_a_module_may_run_something_else(
    garden: Garden,
    start_module: StartModule,
    faults: list[Fault],
    waits: dict[str, float],
    cause: str,
) -> None:
    """It took the image: it runs it from its next restart on, which nobody hears."""
    module = await start_module(faults=faults)
    entry = await garden.add(await add_assumed(garden, module, **waits))
    assert shown(garden) == ASSUMED

    await garden.refused(cause)

    assert shown(garden) == NOBODY_KNOWS
    assert (garden.card.state, garden.card.attributes["latest_version"]) == ("on", "1.2.0")
    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    assert shown(garden) == NOBODY_KNOWS
    [use] = async_uses(garden.house)
    assert (use.firmware, use.runs, use.rolls_back_to) == ("garden-valve", None, "1.1.0")


async def test_the_next_update_that_is_followed_tells_it_again(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.NO_RESTART])
    entry = await garden.add(await add_assumed(garden, module, go=0.2))
    await garden.refused("did_not_restart")
    module.faults.clear()
    await more_patient(garden, entry)

    await garden.install()

    assert shown(garden) == ("1.2.0", True)
    [use] = async_uses(garden.house)
    assert (use.runs, use.rolls_back_to) == ("1.2.0", "1.1.0")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(Fault.RESET, "connection_lost"), (Fault.WRONG_MD5, "md5_mismatch")],
)
async def test_what_did_not_take_the_image_runs_what_it_ran(
    garden: Garden, start_module: StartModule, fault: Fault, cause: str
) -> None:
    await garden.add(await add_assumed(garden, await start_module(faults=[fault])))

    await garden.refused(cause)

    assert shown(garden) == ASSUMED


async def test_what_a_module_said_itself_stays_until_it_says_something_else(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(chip="esp32", advertise=True, faults=[Fault.NO_RESTART])
    await garden.add_talking(module, patience=patience(go=0.2))

    await garden.refused("did_not_restart")

    assert shown(garden) == ("1.0.0", False)
    module.faults.clear()
    await module.power_cycle()
    await garden.runs("1.1.0")


async def test_who_cancels_when_the_module_has_it_all_leaves_it_open(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(offline_time=60)
    await garden.add(await add_assumed(garden, module))
    installing = asyncio.create_task(garden.refused("cancelled_late"))
    await module.wait_for(Seen.RESTARTED)
    await garden.at("restarting")

    await garden.hass.services.async_call("esp_ota", "cancel", {"entity_id": CARD}, blocking=True)

    await installing
    assert shown(garden) == NOBODY_KNOWS


@pytest.mark.parametrize(("stage", "told"), [("making_safe", ASSUMED), ("sending", NOBODY_KNOWS)])
async def test_a_crash_leaves_it_open_only_where_the_image_was_on_its_way(
    garden: Garden, start_module: StartModule, stage: str, told: tuple[str, bool]
) -> None:
    module = await start_module()
    entry = await add_assumed(garden, module)
    [release] = garden.house.library.find("garden-valve", "1.2.0")
    journal = garden.house.journal
    left: Any = {
        "stage": stage,
        "sha256": release.image.sha256,
        "version": "1.2.0",
        "before": None,
        "started": "2026-11-01T12:00:00+00:00",
    }
    await journal.async_write(entry.entry_id, left)

    await garden.add(entry)

    await until(lambda: journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["last_cause"] == "interrupted"
    assert shown(garden) == told


async def test_who_goes_back_and_is_not_followed_goes_back_the_next_time(
    garden: Garden, start_module: StartModule
) -> None:
    """What is to be left behind is not what Roll back brings."""
    module = await start_module(image=firmware("1.1.0"))
    entry = await garden.add(await add_assumed(garden, module))
    await garden.install()
    assert shown(garden) == ("1.2.0", True)
    await more_patient(garden, entry, go=0.2)
    module.faults.set(Fault.NO_RESTART)
    with pytest.raises(HomeAssistantError) as caught:
        await roll_back(garden)
    assert caught.value.translation_key == "did_not_restart"
    assert shown(garden) == NOBODY_KNOWS
    [use] = async_uses(garden.house)
    assert use.rolls_back_to == entry.runtime_data.installer.rolls_back_to.version == "1.1.0"
    module.faults.clear()
    await more_patient(garden, entry)

    await roll_back(garden)

    assert module.running_version == "1.1.0"
    assert shown(garden) == ASSUMED


async def roll_back(garden: Garden) -> None:
    """Press Roll back."""
    target = {"entity_id": CARD}
    await garden.hass.services.async_call("esp_ota", "rollback", target, blocking=True)


async def test_a_module_on_betas_is_offered_nothing_older(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("1.2.0-rc1"), faults=[Fault.NO_RESTART])
    released = "1.0.0", "1.1.0", "1.2.0-rc1", "1.2.0-rc2"
    entry = await add_assumed(garden, module, *released, runs="1.2.0-rc1", go=0.2)
    await garden.add(entry)

    await garden.refused("did_not_restart")

    assert shown(garden) == NOBODY_KNOWS
    told = garden.card.attributes
    assert (told["latest_version"], told["channel"]) == ("1.2.0-rc2", "beta")
    module.faults.clear()
    await more_patient(garden, entry)
    assert garden.card.attributes["latest_version"] == "1.2.0-rc2"
    await garden.install()
    assert module.running_version == "1.2.0-rc2"


async def test_the_version_that_runs_sent_once_more_leaves_nothing_open(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("1.1.0"), faults=[Fault.NO_RESTART])
    await garden.add(await add_assumed(garden, module, "1.1.0", go=0.2))

    await garden.refused("did_not_restart", "1.1.0")

    assert (shown(garden), garden.card.state) == (ASSUMED, "off")


async def test_files_after_which_it_does_not_restart_leave_the_sketch_as_it_is(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.NO_RESTART])
    await garden.add(await add_assumed(garden, module, go=0.2))
    await add_files(garden, "1.2.0")

    await garden.refused("did_not_restart")

    assert module.events.count_of(Seen.FIRST_BYTE) == 1
    assert shown(garden) == ASSUMED


async def test_another_module_that_answers_then_leaves_it_open(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("1.1.0"))
    entry = await garden.add(await add_assumed(garden, module))
    data = {**entry.data, "mac": "5c:cf:7f:a1:b2:c3"}
    garden.hass.config_entries.async_update_entry(entry, data=data)
    garden.house.patience = patience(evidence=2.0)
    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    installing = asyncio.create_task(garden.refused("wrong_module"))
    await module.wait_for(Seen.BACK)

    while not installing.done():
        entry.runtime_data.coordinator.watch.heard(
            Sighting(
                source=EvidenceSource.TXT,
                at=time.monotonic(),
                firmware="x",
                version="3",
                sketch_md5=None,
                mac="5c:cf:7f:00:00:01",
            )
        )
        await asyncio.sleep(0.05)

    await installing
    assert shown(garden) == NOBODY_KNOWS


async def test_what_came_before_is_never_what_runs(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("1.1.0"), faults=[Fault.NO_RESTART])
    entry = await garden.add(await add_assumed(garden, module, go=0.2))
    await garden.refused("did_not_restart")
    module.faults.clear()
    await more_patient(garden, entry)

    await garden.install("1.1.0")

    [use] = async_uses(garden.house)
    assert (use.runs, use.rolls_back_to) == ("1.1.0", None)


@pytest.mark.parametrize("older", [(), ("1.0.0",)], ids=["nothing older", "something older"])
async def test_a_silent_module_that_crashes_goes_back_to_what_ran_before(
    garden: Garden, start_module: StartModule, older: tuple[str, ...]
) -> None:
    module = await start_module(image=firmware("1.1.0"))
    options = {"rollback": "auto", "soak_minutes": 1}
    entry = await add_assumed(garden, module, *older, "1.1.0", "1.2.0", options=options)
    for version in older:
        [good] = garden.house.library.find("garden-valve", version)
        await garden.house.journal.async_proved(entry.entry_id, good.image.sha256)
    await garden.add(entry)
    garden.house.patience = replace(garden.house.patience, minute=5.0)
    crashed = await garden.begin(garden.refused("went_back"), "verifying")
    await module.wait_for(Seen.BACK)
    await asyncio.sleep(0.5)

    await module.power_cycle()

    await crashed
    assert module.running_version == "1.1.0"


async def test_a_module_that_did_not_come_back_is_not_shown_as_there(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.NEVER_BACK])
    entry = await garden.add_talking(module, patience=patience(back=0.3))
    await until(lambda: entry.runtime_data.coordinator.data.reachable)

    await garden.refused("did_not_come_back")

    assert entry.runtime_data.coordinator.data.reachable is False
