"""What is kept of guests: how their updates ended, and for how long anything of them is known."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.esp_ota.ota import InstallResult, Verdict
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.kit.garden import patience, until
from tests.kit.guests import SHORT, card, key_of, move_in, update_guests
from tests.kit.rolling import act, ended
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


async def failed(yard: Yard, **manner: Any) -> str:
    """Have a guest fail twice, which leaves as much behind as can be; return its key."""
    await yard.open()
    await move_in(yard.hass, {"name": "hall", "does_nothing": True} | manner)
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)
    for _ in range(2):
        await update_guests(yard.garden, "hall")
    journal, key = yard.garden.house.journal, key_of(yard.hass, "hall")
    journal.note_took(key, 12.0)
    await journal.async_remember(key, {"version": "1", "firmware": None, "assumed": False})
    return key


def is_known(yard: Yard, key: str) -> bool:
    """Whether anything is left of a guest, in whatever store or list."""
    house = yard.garden.house
    left = [
        house.journal.known(key),
        house.journal.failure(key),
        house.journal.took(key),
        house.history.of(key),
        *(issue for _, issue in ir.async_get(yard.hass).issues if issue.endswith(key)),
    ]
    found = [bool(item) for item in left]
    assert len(set(found)) == 1, left
    return found[0]


async def a_day_later(yard: Yard, days: int = 1) -> None:
    later = dt_util.utcnow() + timedelta(days=days, minutes=1)
    async_fire_time_changed(yard.hass, later)
    await yard.hass.async_block_till_done(wait_background_tasks=True)


async def test_the_report_says_how_its_last_updates_ended(yard: Yard) -> None:
    await failed(yard)
    for entry in yard.hass.config_entries.async_entries("neighbour"):
        data = {"modules": [{"name": "hall", "latest": "1.2.0"}]}
        yard.hass.config_entries.async_update_entry(entry, data=data)
        await yard.hass.config_entries.async_reload(entry.entry_id)
    await act(yard, "start_rollout", guests=[card("hall")], guest_equipment="nothing")
    [line] = (await ended(yard))["modules"]
    found = [(item["from"], item["to"], item["verdict"], item["cause"]) for item in line["history"]]
    assert found == [
        ("1.0.0", "1.2.0", "verified", None),
        ("1.0.0", "1.1.0", "unchanged", "guest_unchanged"),
        ("1.0.0", "1.1.0", "unchanged", "guest_unchanged"),
    ]
    assert all(item["sentence"].endswith(".") for item in line["history"])
    whens = [dt_util.parse_datetime(item["ended"]) for item in line["history"]]
    assert whens == sorted(whens, key=lambda when: when.timestamp(), reverse=True)  # type: ignore[union-attr]


async def test_the_action_says_so_as_well_and_a_restart_does_not_forget_it(yard: Yard) -> None:
    key = await failed(yard)
    line = (await update_guests(yard.garden, "hall"))["hall"]
    causes = ["guest_tried_twice", "guest_unchanged", "guest_unchanged"]
    assert [item["cause"] for item in line["history"]] == causes
    await yard.garden.house.history._store.async_save()
    await yard.garden.house.history.async_load()
    assert [past["cause"] for past in yard.garden.house.history.of(key)] == causes


async def test_one_that_is_there_is_never_forgotten(yard: Yard) -> None:
    key = await failed(yard)
    for days in range(1, 5):
        await a_day_later(yard, days)
    assert is_known(yard, key)


async def test_one_that_was_removed_is_known_as_long_as_it_may_come_back(yard: Yard) -> None:
    key = await failed(yard)
    registry = er.async_get(yard.hass)
    registry.async_remove(card("hall"))
    for days in range(1, 4):
        await a_day_later(yard, days)
    assert is_known(yard, key)
    for known in [item for item, old in registry.deleted_entities.items() if old.id in key]:
        registry.deleted_entities.pop(known)  # as Home Assistant does 30 days later
    await a_day_later(yard, 5)
    await until(lambda: not is_known(yard, key))


async def test_one_that_is_in_no_registry_must_be_missed_twice(yard: Yard) -> None:
    key = await failed(yard, registered=False)
    assert key == f"guest {card('hall')}"
    yard.hass.states.async_remove(card("hall"))
    await a_day_later(yard)
    assert is_known(yard, key)
    await a_day_later(yard, 2)
    await until(lambda: not is_known(yard, key))


async def test_one_whose_update_is_open_is_not_forgotten(yard: Yard) -> None:
    key = await failed(yard)
    journal = yard.garden.house.journal
    note: Any = {"stage": "verifying", "sha256": "1", "version": "1", "before": None}
    await journal.async_write(key, {**note, "started": dt_util.utcnow().isoformat()})
    registry = er.async_get(yard.hass)
    registry.async_remove(card("hall"))
    registry.deleted_entities.clear()
    await a_day_later(yard)
    assert is_known(yard, key)
    await journal.async_close(key, InstallResult(verdict=Verdict.VERIFIED))
    await a_day_later(yard, 2)
    await until(lambda: not is_known(yard, key))
