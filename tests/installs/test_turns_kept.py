"""A turn outlives a reload and a restart: nobody of the same group begins in between."""

import asyncio
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp_ota.house import InstallNote
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.yard import Yard
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow
LONG = 60.0
"""Seconds for which a module is away, 1.2 of a test's."""


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    return Yard(garden, start_module)


async def restarting(yard: Yard) -> None:
    """Have one that restarts into its image, and another of its group that waits for it."""
    await yard.open(parallel_installs=4)
    await yard.add("a", area="Garden", offline_time=LONG)
    await yard.add("b", area="Garden")
    yard.press("a")
    await until(lambda: yard.shown("a")["stage"] == "restarting")
    yard.press("b")
    await until(lambda: yard.standing("b") == (1, "group", "Garden"))


def begun(yard: Yard, name: str) -> int:
    return yard.modules[name].events.count_of(Seen.INVITED)


async def test_a_reload_gives_the_turn_to_nobody(yard: Yard) -> None:
    await restarting(yard)
    entry = yard.entries["a"]
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    await until(lambda: yard.garden.house.queue.waiting)
    assert yard.standing("b") == (1, "group", "Garden")
    await yard.hass.config_entries.async_setup(entry.entry_id)
    await yard.modules["a"].wait_for(Seen.BACK)
    assert not begun(yard, "b")
    await until(lambda: yard.running("b") == "1.1.0")
    assert yard.running("a") == "1.1.0"
    await until(lambda: not yard.garden.house.queue.running)


async def test_a_turn_is_kept_for_a_minute_for_who_does_not_come_back(yard: Yard) -> None:
    await restarting(yard)
    assert await yard.hass.config_entries.async_unload(yard.entries["a"].entry_id)
    async_fire_time_changed(yard.hass, dt_util.utcnow() + timedelta(seconds=55))
    await asyncio.sleep(0.3)
    assert not begun(yard, "b")
    async_fire_time_changed(yard.hass, dt_util.utcnow() + timedelta(seconds=65))
    await until(lambda: yard.running("b") == "1.1.0")


async def test_a_turn_of_who_is_removed_is_kept_for_nobody(yard: Yard) -> None:
    await restarting(yard)
    entry = yard.entries["a"]
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    assert [ticket.owner for ticket in yard.garden.house.queue.running] == [entry.entry_id]
    await yard.hass.config_entries.async_remove(entry.entry_id)
    await until(lambda: yard.running("b") == "1.1.0")


async def test_after_a_restart_who_has_its_image_goes_on_before_another_of_its_group_begins(
    yard: Yard,
) -> None:
    await yard.open(parallel_installs=4)
    await yard.add("a", "b", area="Garden")
    release = await yard.garden.release("1.1.0")
    house = yard.garden.house
    for name, stage in (("a", "restarting"), ("b", "queued")):
        entry = yard.entries[name]
        note: InstallNote = {
            "stage": stage,  # type: ignore[typeddict-item]
            "sha256": release.image.sha256,
            "version": "1.1.0",
            "before": "1.0.0",
            "started": "2126-11-01T12:00:00+00:00",
        }
        assert await yard.hass.config_entries.async_unload(entry.entry_id)
        await house.journal.async_write(entry.entry_id, note)
    house._keep_turns()  # what a start does, after it read the journal
    await yard.hass.config_entries.async_setup(yard.entries["b"].entry_id)
    await until(lambda: yard.standing("b") == (1, "group", "Garden"))
    await yard.hass.config_entries.async_setup(yard.entries["a"].entry_id)
    await until(lambda: yard.running("b") == "1.1.0")
    kept = house.journal.open_install(yard.entries["a"].entry_id)
    assert kept is None or kept["stage"] in {"restoring", "done"}
    await until(lambda: not house.queue.running)
