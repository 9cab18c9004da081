"""A rollout in which modules of other integrations stand beside ours."""

from datetime import datetime
from typing import Any

import pytest

from custom_components.esp_ota.rollouts import ROLLOUTS, Rollouts
from homeassistant.exceptions import ServiceValidationError
from tests.kit.garden import patience, until
from tests.kit.guests import SHORT, calls, card, installed, key_of, move_in
from tests.kit.rolling import act, ended, in_order, plan, start, states
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


def named(*names: str) -> dict[str, Any]:
    """Return the fields of a call that names guests which switch nothing."""
    return {"guests": [card(name) for name in names], "guest_equipment": "nothing"}


async def test_two_guests_and_a_module_of_ours_are_updated_by_one_rollout(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("valve")
    await move_in(
        yard.hass,
        {"name": "hall", "blocks": True, "progress": "none"},
        {"name": "porch", "late": 0.1, "spelt": "{version}_c51f7548"},
    )
    terms = {
        "guests": {"entity_id": [card("hall"), card("porch")]},
        "guest_equipment": "nothing",
        "canaries": [card("porch")],
    }
    planned = await plan(yard, **terms)
    assert in_order(planned) == [["porch"], ["hall", "valve"]]
    assert [m["entity_id"] for m in planned["waves"][1]["modules"]] == [
        "update.hall_firmware",
        "update.valve_firmware",
    ]
    await start(yard, **terms)
    report = await ended(yard)
    assert report["state"] == "done"
    assert states(report) == {"porch": "updated", "hall": "updated", "valve": "updated"}
    assert yard.running("valve") == "1.1.0"
    assert installed(yard.hass, "hall") == "1.1.0"
    assert installed(yard.hass, "porch") == "1.1.0_c51f7548"
    assert calls() == [("porch", None), ("hall", None)]
    assert [line["to"] for line in report["modules"]] == ["1.1.0"] * 3


async def test_a_guest_that_fails_as_canary_stops_it(yard: Yard) -> None:
    await yard.open()
    await yard.add("valve")
    await move_in(yard.hass, {"name": "hall", "raises": "no route to host"}, {"name": "porch"})
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)
    await start(yard, **named("hall", "porch"), canaries=[card("hall")])
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"hall": "failed", "porch": "waits", "valve": "waits"}
    assert report["modules"][0]["cause"] == "guest_failed"
    assert "no route to host" in report["modules"][0]["sentence"]
    assert calls() == [("hall", None)]
    assert yard.running("valve") == "1.0.0"


async def test_the_plan_names_who_is_left_out_and_what_blocks(yard: Yard) -> None:
    await yard.open()
    await move_in(
        yard.hass,
        {"name": "hall", "flashing": 5.0},
        {"name": "new", "installed": "1.1.0"},
        {"name": "watch", "only_tells": True},
        {"name": "deaf", "latest": None},
    )
    await yard.hass.services.async_call(
        "update", "install", {"entity_id": card("hall")}, blocking=True
    )
    await until(lambda: yard.hass.states.get(card("hall")).attributes["in_progress"])  # type: ignore[union-attr]
    planned = await act(yard, "plan_rollout", **named("hall", "new", "watch", "deaf"))
    assert planned["firmware"] == "Neighbourware"
    [[hall]] = [wave["modules"] for wave in planned["waves"]]
    assert (hall["from"], hall["to"]) == ("1.0.0", "1.1.0")
    assert "somebody else" in hall["blocked_by"]
    assert {item["module"]: item["reason"] for item in planned["left_out"]} == {
        "deaf": "guest_no_version",
        "new": "has_it",
        "watch": "guest_no_install",
    }
    assert all(item["sentence"].endswith(".") for item in planned["left_out"])


async def test_the_plan_expects_what_earlier_updates_took(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    journal = yard.garden.house.journal
    for seconds in (100.0, 200.0):
        journal.note_took(key_of(yard.hass, "hall"), seconds)
    planned = await act(yard, "plan_rollout", **named("hall"))
    [[hall]] = [wave["modules"] for wave in planned["waves"]]
    begins, ends = (datetime.fromisoformat(hall[key]) for key in ("begins", "ends"))
    assert (ends - begins).total_seconds() == 150


async def test_a_rollout_of_guests_alone_needs_no_firmware(yard: Yard) -> None:
    await yard.open()
    await yard.add("valve")
    await move_in(yard.hass, {"name": "hall"}, {"name": "porch"})
    await act(yard, "start_rollout", **named("hall", "porch"), waves=[1])
    report = await ended(yard)
    assert states(report) == {"hall": "updated", "porch": "updated"}
    assert report["firmware"] == "Neighbourware"
    assert yard.running("valve") == "1.0.0"


@pytest.mark.parametrize("more", [{"version": "1.1.0"}, {"entity_id": ["update.valve_firmware"]}])
async def test_modules_of_ours_need_one(yard: Yard, more: dict[str, Any]) -> None:
    await yard.open()
    await yard.add("valve")
    await move_in(yard.hass, {"name": "hall"})
    with pytest.raises(ServiceValidationError) as caught:
        await act(yard, "start_rollout", **named("hall"), **more)
    assert caught.value.translation_key == "rollout_firmware_missing"
    assert_error_is_whole(caught.value)


async def test_a_guest_belongs_to_one_rollout_and_leaves_the_queue_with_it(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"}, {"name": "porch"})
    await act(yard, "start_rollout", **named("hall"))
    await until(lambda: yard.queue["length"] == "1")
    planned = await act(yard, "plan_rollout", **named("hall", "porch"))
    assert [item["reason"] for item in planned["left_out"]] == ["other_rollout"]
    await act(yard, "pause_rollout")
    await until(lambda: yard.queue["length"] == "0")
    await yard.set(parallel_installs=1)
    await act(yard, "resume_rollout")
    assert states(await ended(yard)) == {"hall": "updated"}
    assert calls() == [("hall", None)]


async def died(yard: Yard) -> str:
    """Leave a rollout of a guest as a Home Assistant does that dies after it began the guest."""
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"})
    await act(yard, "start_rollout", **named("hall"))
    await until(lambda: yard.queue["length"] == "1")
    rollout = yard.hass.data[ROLLOUTS].last
    assert rollout is not None
    await rollout.async_pause()
    await until(lambda: yard.queue["length"] == "0")
    rollout.note["state"] = "running"
    rollout.note["members"][0]["state"] = "begun"
    await rollout._write()
    await yard.set(parallel_installs=1)
    return key_of(yard.hass, "hall")


async def start_again(yard: Yard) -> dict[str, Any]:
    again = yard.hass.data[ROLLOUTS] = Rollouts(yard.hass)
    await again.async_setup()
    await yard.hass.config_entries.async_reload(yard.house.entry_id)
    return await ended(yard)


async def test_a_guest_whose_update_had_ended_is_not_called_again(yard: Yard) -> None:
    key = await died(yard)
    known: Any = {"version": "1.1.0", "firmware": "Neighbourware", "assumed": False}
    await yard.garden.house.journal.async_remember(key, known)
    report = await start_again(yard)
    assert states(report) == {"hall": "updated"}
    assert calls() == []


async def test_a_guest_whose_update_had_failed_stops_it(yard: Yard) -> None:
    key = await died(yard)
    await yard.garden.house.journal.async_keep_failure(key, {"sha256": "1.1.0", "tries": 1})
    report = await start_again(yard)
    assert (report["state"], states(report)) == ("stopped", {"hall": "failed"})
    assert calls() == []


@pytest.mark.parametrize("has_failed", [False, True], ids=["never", "another night"])
async def test_a_guest_to_which_nothing_had_happened_begins_again(
    yard: Yard, has_failed: bool
) -> None:
    key = await died(yard)
    if has_failed:
        began = "2026-01-01T02:00:00+00:00"
        await yard.garden.house.journal.async_keep_failure(
            key, {"sha256": "1.1.0", "tries": 1, "cause": "guest_unchanged", "started": began}
        )
    report = await start_again(yard)
    assert states(report) == {"hall": "updated"}
    assert calls() == [("hall", None)]
