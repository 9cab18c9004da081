"""Home Assistant dies in the middle of a guest's update: nothing is ever called twice."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from custom_components.esp_ota.equipment.safe_state import ConfiguredSafeState
from custom_components.esp_ota.guests import GUESTS
from custom_components.esp_ota.house import InstallNote, stored_result
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from homeassistant.core import Event, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.kit.garden import SAFE_STATE, VALVE, options_for, patience, until
from tests.kit.guests import (
    SHORT,
    calls,
    card,
    installed,
    key_of,
    move_in,
    start_again,
    update_guests,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.yard import Yard
from tests.neighbour.update import NeighbourUpdate

pytestmark = pytest.mark.slow


def told(yard: Yard) -> list[tuple[str, str | None]]:
    """Return, from now on, what is told of guests: verdict and cause."""
    ends: list[tuple[str, str | None]] = []

    @callback
    def listen(event: Event[Any]) -> None:
        ends.append((str(event.data["verdict"]), event.data["cause"]))

    yard.hass.bus.async_listen("esp_ota_update_ended", listen)
    return ends


async def died(yard: Yard, stage: str, **more: Any) -> list[tuple[str, str | None]]:
    """Leave the update of a guest as a Home Assistant does that dies in this stage, and start."""
    yard.garden.house.patience = patience(evidence=0.1, guest=SHORT)
    ends = told(yard)
    note: InstallNote = {
        "stage": stage,
        "sha256": "1.1.0",
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
        "guest": {
            "name": "hall",
            "answer": "nothing",
            "options": {"equipment": "switches", "safe_state": deepcopy(dict(SAFE_STATE))},
        },
        **more,  # type: ignore[typeddict-item]
    }
    key = key_of(yard.hass, "hall")
    await yard.garden.house.journal.async_write(key, note)
    if stage != "queued":
        await yard.hass.services.async_call(
            "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
        )
    await start_again(yard.garden)
    return ends


async def over(yard: Yard) -> None:
    await until(lambda: not yard.garden.house.journal.open_guests())
    await until(lambda: not yard.hass.data[GUESTS].is_running(key_of(yard.hass, "hall")))


async def test_one_that_waited_waits_again_and_is_called_once(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"})
    ends = await died(yard, "queued", queued={"priority": 4, "order": 7.0})
    await until(lambda: yard.queue["length"] == "1")
    await yard.set(parallel_installs=1)
    await over(yard)
    assert ends == [("verified", None)]
    assert calls() == [("hall", None)]


async def test_one_that_was_made_safe_is_restored_and_not_called(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    ends = await died(yard, "making_safe")
    await over(yard)
    assert ends == [("failed", "guest_interrupted")]
    assert calls() == []
    assert yard.garden.valve == ["off", "on"]


@pytest.mark.parametrize("stage", ["sending", "verifying"])
async def test_one_that_was_told_is_waited_for(yard: Yard, stage: str) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall", "flashing": 0.3})
    await yard.hass.services.async_call(
        "update", "install", {"entity_id": card("hall")}, blocking=True
    )
    ends = await died(yard, stage)
    await over(yard)
    assert ends == [("verified", None)]
    assert calls() == [("hall", None)]
    assert yard.garden.valve == ["off", "on"]


@pytest.mark.parametrize("stage", ["sending", "verifying"])
async def test_one_that_was_told_and_does_nothing_is_not_told_again(yard: Yard, stage: str) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    ends = await died(yard, stage)
    await over(yard)
    assert ends == [("unchanged", "guest_unchanged")]
    assert calls() == []
    assert yard.garden.valve == ["off", "on"]


async def test_one_that_was_being_restored_is_restored_again_and_told(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    result = InstallResult(verdict=Verdict.FAILED, cause=Cause.GUEST_TOO_SLOW)
    ends = await died(yard, "restoring", result=stored_result(result))
    await over(yard)
    assert ends == [("failed", "guest_too_slow")]
    assert calls() == []
    assert yard.garden.valve == ["off", "on"]


def repair_of(yard: Yard) -> ir.IssueEntry:
    """Return the repair that says why its equipment was not restored."""
    issue_id = f"restore_failed_{key_of(yard.hass, 'hall')}"
    issue = ir.async_get(yard.hass).async_get_issue("esp_ota", issue_id)
    assert issue is not None
    assert_issue_is_whole(issue)
    return issue


async def breaks(_safe_state: ConfiguredSafeState, _result: InstallResult) -> bool:
    raise RuntimeError("an error of ours")


@pytest.mark.parametrize("stage", ["making_safe", "verifying"])
async def test_one_whose_restore_breaks_is_told_and_a_repair_says_why(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    monkeypatch.setattr(ConfiguredSafeState, "leave", breaks)
    ends = await died(yard, stage)
    await over(yard)
    cause = "guest_interrupted" if stage == "making_safe" else "internal"
    assert ends == [("failed", cause)]
    assert (repair_of(yard).translation_placeholders or {})["detail"] == "an error of ours."


async def test_a_repair_says_in_words_that_its_safe_state_was_taken_away(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    guest = {"name": "hall", "answer": "house", "options": {"equipment": "house"}}
    await died(yard, "making_safe", guest=guest)
    await over(yard)
    said = (repair_of(yard).translation_placeholders or {})["detail"]
    assert " " in said
    assert said.endswith(".")


async def test_a_restore_that_was_done_is_noted_before_it_is_told(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    journal, key = yard.garden.house.journal, key_of(yard.hass, "hall")
    noted: list[str] = []

    @callback
    def listen(_event: Event[Any]) -> None:
        note = journal.open_install(key)
        noted.append(note["stage"] if note else "closed")

    yard.hass.bus.async_listen("esp_ota_update_ended", listen)
    await died(yard, "making_safe")
    await over(yard)
    assert noted == ["done"]


async def test_one_that_was_over_is_told_and_not_restored_twice(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    result = InstallResult(verdict=Verdict.VERIFIED, version="1.1.0")
    ends = await died(yard, "done", result=stored_result(result))
    await over(yard)
    assert ends == [("verified", None)]
    assert yard.garden.valve == ["off"]


async def test_a_stop_leaves_it_safe_and_the_next_start_goes_on(yard: Yard) -> None:
    await yard.open(safe_state=deepcopy(dict(SAFE_STATE)))
    await move_in(yard.hass, {"name": "hall", "flashing": 0.3, "blocks": True})
    ends = told(yard)
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(calls)
    await yard.hass.data[GUESTS].async_stop()
    await task
    assert ends == []
    assert yard.garden.valve == ["off"]
    assert list(yard.garden.house.journal.open_guests()) == [key_of(yard.hass, "hall")]
    await start_again(yard.garden)
    await over(yard)
    assert ends == [("verified", None)]
    assert calls() == [("hall", None)]
    assert yard.garden.valve == ["off", "on"]
    assert installed(yard.hass, "hall") == "1.1.0"


async def test_a_module_waits_for_equipment_that_a_guest_was_left_with(yard: Yard) -> None:
    await yard.open()
    await yard.add("valve", options=options_for())
    await move_in(yard.hass, {"name": "hall", "flashing": 3.0})
    await yard.hass.services.async_call(
        "update", "install", {"entity_id": card("hall")}, blocking=True
    )
    await died(yard, "verifying")
    pressed = yard.press("valve")
    await until(lambda: yard.shown("valve")["waits_because"] == "equipment")
    assert yard.standing("valve")[2] == "hall"
    await over(yard)
    assert await pressed == ["done"]
    assert yard.garden.valve == ["off", "on", "off", "on"]


async def test_one_whose_integration_is_not_there_yet_is_waited_for(yard: Yard) -> None:
    await yard.open()
    entry = await move_in(yard.hass, {"name": "hall"})
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    ends = await died(yard, "sending")
    NeighbourUpdate.runs["hall"] = "1.1.0"
    await asyncio.sleep(0.2)
    assert ends == []
    assert await yard.hass.config_entries.async_setup(entry.entry_id)
    await over(yard)
    assert ends == [("verified", None)]
    assert yard.garden.valve == ["off", "on"]


async def test_one_that_was_told_has_its_turn_before_others_begin(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await move_in(yard.hass, {"name": "hall"})
    house, key = yard.garden.house, key_of(yard.hass, "hall")
    note: InstallNote = {
        "stage": "sending",  # type: ignore[typeddict-item]
        "sha256": "1.1.0",
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
        "guest": {"name": "hall", "answer": "nothing", "options": {"equipment": "nothing"}},
    }
    await house.journal.async_write(key, note)
    house._keep_turns()  # what a start does, after it read the journal
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[:2] == (1, "turn"))
    assert [ticket.name for ticket in house.queue.running] == ["hall"]
    house.patience = patience(evidence=0.1, guest=SHORT)
    await start_again(yard.garden)
    await over(yard)
    assert await pressed == ["done"]
    await until(lambda: not house.queue.running)
