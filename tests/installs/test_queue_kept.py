"""The queue outlives Home Assistant: each waits where it waited, for what it waited for."""

import pytest

from custom_components.esp_ota.house import InstallNote
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    return Yard(garden, start_module)


async def died_with(yard: Yard, *names: str, **options: dict[str, object]) -> None:
    """Leave modules queued in this order, as a Home Assistant does that dies then."""
    await yard.add(*names, **options)  # type: ignore[arg-type]
    release = await yard.garden.release("1.1.0")
    for order, name in enumerate(names, 1):
        entry = yard.entries[name]
        note: InstallNote = {
            "stage": "queued",
            "sha256": release.image.sha256,
            "version": "1.1.0",
            "before": "1.0.0",
            "started": "2126-11-01T12:00:00+00:00",
            "queued": {"priority": 3, "order": float(order)},
        }
        assert await yard.hass.config_entries.async_unload(entry.entry_id)
        await yard.garden.house.journal.async_write(entry.entry_id, note)


async def test_after_a_restart_each_stands_where_it_stood(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await died_with(yard, *"abc")
    for name in "cba":
        await yard.hass.config_entries.async_setup(yard.entries[name].entry_id)
    turns = [(place, "turn", None) for place in (1, 2, 3)]
    await until(lambda: [yard.standing(name) for name in "abc"] == turns)
    await yard.set(parallel_installs=1)
    await until(lambda: [yard.running(name) for name in "abc"] == ["1.1.0"] * 3)
    times = [yard.modules[name].events.last(Seen.INVITED).time for name in "abc"]
    assert times == sorted(times)


async def test_who_presses_after_a_restart_stands_behind_those_that_waited(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await died_with(yard, "a", "b")
    await yard.add("new")
    journal = yard.garden.house.journal
    yard.garden.house.queue.async_keep_behind(journal.last_in_queue)
    pressed = yard.press("new", user=yard.hass.data.get("nobody"))
    await until(lambda: yard.standing("new")[0] == 1)
    for name in "ab":
        await yard.hass.config_entries.async_setup(yard.entries[name].entry_id)
    await until(lambda: [yard.standing(name)[0] for name in ("a", "b", "new")] == [1, 2, 3])
    await yard.set(parallel_installs=3)
    await pressed


async def test_a_place_that_a_person_chose_outlives_a_reload(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"abc")
    pressed = yard.press(*"abc")
    await until(lambda: yard.standing("c")[0] == 3)
    await yard.act("move_in_queue", "c", place=1)
    for name in "abc":
        await yard.hass.config_entries.async_reload(yard.entries[name].entry_id)
    assert await pressed == ["suspended"] * 3
    await until(lambda: [yard.standing(name)[0] for name in "abc"] == [2, 3, 1])
    await yard.act("cancel", *"abc")


async def test_a_module_that_wakes_while_home_assistant_starts_is_updated_then(
    yard: Yard,
) -> None:
    await yard.open()
    await died_with(yard, "a", options={**NOTHING, "sleeps": True}, advertise=True)  # type: ignore[arg-type]
    module = yard.modules["a"]
    await module.power_off()
    yard.hass.set_state(CoreState.starting)
    await yard.hass.config_entries.async_setup(yard.entries["a"].entry_id)
    await until(lambda: yard.standing("a")[1] == "sign_of_life")
    await module.power_cycle()
    back = await module.wait_for(Seen.BACK)
    invited = await module.wait_for(Seen.INVITED)
    assert invited.time - back.time < 2.0
    yard.hass.set_state(CoreState.running)
    yard.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: yard.running("a") == "1.1.0")
    await until(lambda: yard.garden.house.journal.open_install(yard.entries["a"].entry_id) is None)


async def test_one_with_equipment_waits_until_home_assistant_has_started(yard: Yard) -> None:
    await yard.open()
    await died_with(yard, "a", options={**NOTHING, "sleeps": True}, advertise=True)  # type: ignore[arg-type]
    entry = yard.entries["a"]
    options = {**entry.options, "equipment": "switches"}
    yard.hass.config_entries.async_update_entry(entry, options=options)
    yard.hass.set_state(CoreState.starting)
    await yard.hass.config_entries.async_setup(entry.entry_id)
    assert yard.shown("a")["stage"] is None
    yard.hass.set_state(CoreState.running)
    yard.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: yard.garden.house.journal.open_install(entry.entry_id) is None)


async def test_a_second_restart_at_once_loses_nothing_that_waits(yard: Yard) -> None:
    """It is looked at again whether it may be installed, and not yet whether it is its turn."""
    await yard.open(parallel_installs=0)
    await died_with(yard, "a")
    entry = yard.entries["a"]
    await yard.hass.config_entries.async_setup(entry.entry_id)
    assert yard.shown("a")["stage"] == "checking"
    await yard.hass.config_entries.async_reload(entry.entry_id)
    note = yard.garden.house.journal.open_install(entry.entry_id)
    assert note is not None
    assert note["stage"] == "queued"
    await yard.set(parallel_installs=1)
    await until(lambda: yard.running("a") == "1.1.0")
