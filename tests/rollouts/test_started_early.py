"""A rollout that somebody starts before Home Assistant has started, while updates are left open."""

import asyncio

import pytest

from custom_components.esp_ota.guests import GUESTS, Guests
from custom_components.esp_ota.house import InstallNote
from custom_components.esp_ota.rollouts import ROLLOUTS
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState
from homeassistant.util import dt as dt_util
from tests.kit.garden import until
from tests.kit.guests import calls, card, key_of, move_in
from tests.kit.rolling import ended, shown, start, states
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


def restoring() -> InstallNote:
    """Return what a life leaves that dies while it restores."""
    return {
        "stage": "restoring",
        "sha256": "0" * 64,
        "version": "1.0.5",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
    }


async def test_it_waits_until_what_was_left_open_is_picked_up(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"ab")
    entry = yard.entries["a"]
    await yard.hass.config_entries.async_unload(entry.entry_id)
    await yard.garden.house.journal.async_write(entry.entry_id, restoring())
    yard.hass.set_state(CoreState.starting)
    await yard.hass.config_entries.async_setup(entry.entry_id)
    await start(yard)
    await until(lambda: shown(yard).get("begun") == 1)
    yard.hass.set_state(CoreState.running)
    yard.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    report = await ended(yard, 20)
    assert states(report) == {"a": "updated", "b": "updated"}


async def test_it_waits_for_a_guest_that_is_yet_to_be_picked_up(yard: Yard) -> None:
    await yard.open()
    await yard.add("a")
    await move_in(yard.hass, {"name": "hall"})
    journal, key = yard.garden.house.journal, key_of(yard.hass, "hall")
    yard.hass.set_state(CoreState.starting)
    await journal.async_load()
    await journal.async_write(key, restoring() | {"guest": {"name": "hall"}})
    again = yard.hass.data[GUESTS] = Guests(yard.hass)
    again.async_start()
    terms = {"guests": [card("hall")], "guest_equipment": "nothing"}
    begun = asyncio.ensure_future(start(yard, **terms, canaries=[card("hall")]))
    await until(lambda: shown(yard).get("begun") == 1)
    writes = yard.hass.data[ROLLOUTS]._store._writes
    await asyncio.sleep(0.5)
    assert yard.hass.data[ROLLOUTS]._store._writes - writes <= 2
    yard.hass.set_state(CoreState.running)
    yard.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await begun
    report = await ended(yard, 20)
    assert states(report) == {"hall": "updated", "a": "updated"}
    assert calls() == [("hall", None)]


async def test_an_error_of_ours_is_a_failure_and_holds_nobody_up(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await yard.open()
    await yard.add(*"ab")

    def begin(*_args: object) -> None:
        raise ValueError("of ours")

    monkeypatch.setattr("custom_components.esp_ota.rollouts.updaters.ModuleUpdater.begin", begin)
    await start(yard)
    report = await ended(yard, 20)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "waits"}
    assert report["modules"][0]["cause"] == "internal"
    assert "of ours" in caplog.text
    caplog.clear()
