"""Guests that update themselves in all the ways that integrations have, and what is told."""

from typing import Any

import pytest

from custom_components.esp_ota.ota import GuestLimits
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from tests.kit.garden import patience, until
from tests.kit.guests import (
    SHORT,
    calls,
    card,
    guests_of,
    installed,
    key_of,
    move_in,
    update_guests,
)
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


async def ends(yard: Yard, limits: GuestLimits = SHORT, **manner: Any) -> dict[str, Any]:
    """Have one guest updated, and return what became of it."""
    await yard.open()
    await move_in(yard.hass, {"name": "hall", **manner})
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=limits)
    return (await update_guests(yard.garden, "hall"))["hall"]


@pytest.mark.parametrize(
    "manner",
    [
        {"blocks": True, "progress": "none"},
        {"blocks": True, "progress": "percent"},
        {"progress": "none", "late": 0.2},
        {"progress": "percent"},
        {"progress": "yes", "away": 0.3},
        {"spelt": "{version}_c51f7548", "late": 0.1},
        {"spelt": "v{version}"},
        {"auto_update": True},
        {"blocks": True, "raises_late": "timed out"},
        {"progress": "none", "flashing": 0.5, "away": 0.4},
    ],
)
async def test_one_that_comes_to_its_end_is_proven(yard: Yard, manner: dict[str, Any]) -> None:
    line = await ends(yard, GuestLimits(), **manner)
    assert (line["verdict"], line["cause"]) == ("verified", None)
    assert (line["from"], line["to"]) == ("1.0.0", "1.1.0")
    assert str(installed(yard.hass, "hall")).strip("v").startswith("1.1.0")
    assert calls() == [("hall", None)]
    assert yard.garden.house.journal.open_guests() == {}


@pytest.mark.parametrize(
    ("manner", "verdict", "cause", "says"),
    [
        ({"raises": "no route to host"}, "failed", "guest_failed", "no route to host."),
        ({"refuses": "not now!"}, "refused", "guest_refused", "not now! "),
        ({"never_ends": True}, "failed", "guest_too_slow", "1 s"),
        ({"does_nothing": True}, "unchanged", "guest_unchanged", "runs 1.0.0"),
        ({"stays_away": True}, "failed", "did_not_come_back", "hall"),
        ({"becomes": "1.0.5"}, "failed", "guest_other_version", "runs 1.0.5"),
        ({"removes_itself": True}, "failed", "guest_gone", "hall"),
    ],
)
async def test_one_that_does_not_says_why(
    yard: Yard, manner: dict[str, Any], verdict: str, cause: str, says: str
) -> None:
    line = await ends(yard, **manner)
    assert (line["verdict"], line["cause"]) == (verdict, cause)
    assert says in line["sentence"]
    assert "?" not in line["sentence"]
    assert calls() == [("hall", None)]
    assert yard.queue["running"] == []
    assert yard.garden.house.journal.open_guests() == {}


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ({"latest": None}, "guest_no_version"),
        ({"installed": None}, "guest_no_version"),
        ({"only_tells": True}, "guest_no_install"),
        ({"installed": "1.1.0"}, "has_it"),
        ({"installed": "1.1.0_c51f7548"}, "has_it"),
    ],
)
async def test_one_that_has_nothing_to_install_is_left_out(
    yard: Yard, manner: dict[str, Any], reason: str
) -> None:
    line = await ends(yard, **manner)
    assert line["reason"] == reason
    assert calls() == []


async def test_a_version_that_was_skipped_is_left_alone(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    await yard.hass.services.async_call(
        "update", "skip", {"entity_id": card("hall")}, blocking=True
    )
    assert (await update_guests(yard.garden, "hall"))["hall"]["reason"] == "skipped"


async def test_one_that_is_not_available_is_left_out_and_not_the_others(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"}, {"name": "porch"})
    state = yard.hass.states.get(card("hall"))
    assert state is not None
    yard.hass.states.async_set(card("hall"), "unavailable", state.attributes)
    lines = await update_guests(yard.garden, "hall", "porch")
    assert lines["hall"]["reason"] == "guest_unavailable"
    assert lines["porch"]["verdict"] == "verified"


async def test_one_of_which_nobody_said_what_it_switches_is_not_touched(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    with pytest.raises(HomeAssistantError) as caught:
        await yard.hass.services.async_call(
            "esp_ota", "update_guests", {"entity_id": card("hall")}, blocking=True
        )
    assert caught.value.translation_key == "rollout_empty"
    assert "Add guests" in str(caught.value)
    assert calls() == []


async def test_a_failure_is_an_error_for_who_asks_for_no_answer(yard: Yard) -> None:
    await yard.open()
    yard.garden.house.patience = patience(evidence=0.1, guest=SHORT)
    await move_in(yard.hass, {"name": "hall", "raises": "broken"}, {"name": "porch"})
    with pytest.raises(HomeAssistantError) as caught:
        await yard.hass.services.async_call(
            "esp_ota",
            "update_guests",
            {"entity_id": [card("hall"), card("porch")], "guest_equipment": "nothing"},
            blocking=True,
        )
    assert caught.value.translation_key == "guest_failed"
    assert_error_is_whole(caught.value)
    assert installed(yard.hass, "porch") == "1.1.0"


async def test_one_that_says_what_it_runs_when_asked_is_asked(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.guests.guest._ASK", 0.2)
    line = await ends(yard, GuestLimits(), only_if_asked=True)
    assert line["verdict"] == "verified"


async def test_one_that_somebody_else_updates_is_not_called_a_second_time(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall", "flashing": 5.0})
    await yard.hass.services.async_call(
        "update", "install", {"entity_id": card("hall")}, blocking=True
    )
    await until(lambda: yard.hass.states.get(card("hall")).attributes["in_progress"])  # type: ignore[union-attr]
    assert (await update_guests(yard.garden, "hall"))["hall"]["cause"] == "guest_busy"
    assert calls() == [("hall", None)]


async def test_a_version_is_named_where_that_is_possible(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall", "any_version": True}, {"name": "porch"})
    task = yard.hass.async_create_task(update_guests(yard.garden, "hall", "porch"))
    await until(lambda: yard.queue["length"] == "2")
    for name in ("hall", "porch"):
        state = yard.hass.states.get(card(name))
        assert state is not None
        changed = {**state.attributes, "latest_version": "1.2.0"}
        yard.hass.states.async_set(card(name), "on", changed)
    await yard.set(parallel_installs=2)
    lines = await task
    assert lines["hall"]["verdict"] == "verified"
    assert lines["porch"]["cause"] == "guest_other_offer"
    assert calls() == [("hall", "1.1.0")]


async def test_a_guest_that_gets_another_name_in_the_queue_is_not_lost(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"})
    key = key_of(yard.hass, "hall")
    task = yard.hass.async_create_task(update_guests(yard.garden, "hall"))
    await until(lambda: yard.queue["length"] == "1")
    registry = er.async_get(yard.hass)
    registry.async_update_entity(card("hall"), new_entity_id="update.corridor")
    await until(lambda: yard.hass.states.get("update.corridor"))
    await yard.set(parallel_installs=2)
    assert (await task)["hall"]["verdict"] == "verified"
    assert not guests_of(yard.hass).is_running(key)
