"""Guests in the queue of the house: turns, groups, windows, places, and their estimates."""

import asyncio
from typing import Any

import pytest

from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from tests.kit.garden import until
from tests.kit.guests import calls, card, guests_of, installed, key_of, move_in, update_guests
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


def put(yard: Yard, name: str, area: str) -> None:
    """Put the device of a guest into an area."""
    entity = er.async_get(yard.hass).async_get(card(name))
    assert entity is not None
    assert entity.device_id is not None
    place = ar.async_get(yard.hass).async_get_or_create(area)
    dr.async_get(yard.hass).async_update_device(entity.device_id, area_id=place.id)


def at_once(yard: Yard) -> list[int]:
    """Count, from now on, how many guests are busy whenever one says something."""
    seen: list[int] = []

    @callback
    def look(_event: Event[EventStateChangedData]) -> None:
        states = [yard.hass.states.get(card(name)) for name, _ in set(calls())]
        busy = [s for s in states if s and (s.attributes.get("in_progress") or s.state[:2] == "un")]
        seen.append(len(busy))

    yard.hass.bus.async_listen("state_changed", look)
    return seen


async def act(yard: Yard, action: str, name: str, **data: Any) -> None:
    await yard.hass.services.async_call(
        "esp_ota", action, {"entity_id": card(name), **data}, blocking=True
    )


async def test_no_more_run_than_may_and_all_are_updated(yard: Yard) -> None:
    await yard.open(parallel_installs=2)
    names = ["a", "b", "c", "d", "e"]
    await move_in(yard.hass, *({"name": name, "flashing": 0.2} for name in names))
    seen = at_once(yard)
    lines = await update_guests(yard.garden, *names)
    assert {line["verdict"] for line in lines.values()} == {"verified"}
    assert max(seen) == 2


async def test_two_of_one_area_are_never_updated_together(yard: Yard) -> None:
    await yard.open(parallel_installs=5)
    await yard.add("valve", area="garden")
    await move_in(yard.hass, {"name": "lamp", "flashing": 0.4}, {"name": "gate", "flashing": 0.4})
    put(yard, "lamp", "garden")
    put(yard, "gate", "garden")
    seen = at_once(yard)
    task = asyncio.ensure_future(update_guests(yard.garden, "lamp", "gate"))
    await until(calls)
    pressed = yard.press("valve")
    await until(lambda: yard.shown("valve")["waits_because"] == "group")
    assert yard.standing("valve")[2] == "garden"
    lines = await task
    assert {line["verdict"] for line in lines.values()} == {"verified"}
    assert await pressed == ["done"]
    assert max(seen) == 1


async def test_one_that_waits_can_be_moved_and_cancelled(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, *({"name": name} for name in "abc"))
    task = asyncio.ensure_future(update_guests(yard.garden, *"abc"))
    await until(lambda: yard.queue["length"] == "3")
    await act(yard, "move_in_queue", "c", place=1)
    await until(lambda: [item["module"] for item in yard.queue["waiting"]] == ["c", "a", "b"])
    await act(yard, "cancel", "a")
    await yard.set(parallel_installs=1)
    lines = await task
    assert {name: line["verdict"] for name, line in lines.items()} == {
        "a": "cancelled",
        "b": "verified",
        "c": "verified",
    }
    assert lines["a"]["cause"] == "cancelled"
    assert [name for name, _ in calls()] == ["c", "b"]


@pytest.mark.parametrize("action", ["cancel", "move_in_queue"])
async def test_one_that_does_not_run_says_so(yard: Yard, action: str) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall"})
    with pytest.raises(HomeAssistantError) as caught:
        await act(yard, action, "hall", **({"place": 1} if action == "move_in_queue" else {}))
    assert caught.value.translation_key == "nothing_running"
    assert_error_is_whole(caught.value)


@pytest.mark.parametrize("target", ["area_id", "device_id", "label_id"])
async def test_an_area_a_device_and_a_label_reach_its_settings(yard: Yard, target: str) -> None:
    await yard.open()
    await yard.add("valve", area="garden")
    await move_in(yard.hass, {"name": "lamp"})
    put(yard, "lamp", "garden")
    entity = er.async_get(yard.hass).async_get(card("lamp"))
    assert entity is not None
    assert entity.entity_category == "config"
    assert entity.device_id is not None
    label = lr.async_get(yard.hass).async_create("mine").label_id
    dr.async_get(yard.hass).async_update_device(entity.device_id, labels={label})
    area = ar.async_get(yard.hass).async_get_area_by_name("garden")
    assert area is not None
    ids = {"area_id": area.id, "device_id": entity.device_id, "label_id": label}
    lines = await update_guests(yard.garden, **{target: ids[target]})
    assert list(lines) == ["lamp"]
    assert lines["lamp"]["verdict"] == "verified"
    assert yard.running("valve") == "1.0.0"


async def test_a_window_that_is_closed_is_waited_for_unless_it_is_to_be_now(yard: Yard) -> None:
    closed = {"start": "00:00", "end": "00:01", "days": ["mon"]}
    await yard.open(window=closed)
    await move_in(yard.hass, {"name": "a"}, {"name": "b"})
    task = asyncio.ensure_future(update_guests(yard.garden, "a"))
    await until(lambda: yard.queue["waiting"])
    assert yard.queue["waiting"][0]["waits_because"] == "window"
    assert (await update_guests(yard.garden, "b", now=True))["b"]["verdict"] == "verified"
    assert calls() == [("b", None)]
    await act(yard, "cancel", "a")
    assert (await task)["a"]["verdict"] == "cancelled"


async def test_one_that_is_queued_already_is_not_queued_twice(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall"))
    await until(lambda: yard.queue["length"] == "1")
    assert (await update_guests(yard.garden, "hall"))["hall"]["cause"] == "install_running"
    await yard.set(parallel_installs=1)
    assert (await task)["hall"]["verdict"] == "verified"
    assert calls() == [("hall", None)]


async def test_how_long_it_took_is_what_the_next_one_is_taken_to_last(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall", "flashing": 0.4, "blocks": True})
    await update_guests(yard.garden, "hall")
    [took] = yard.garden.house.journal.took(key_of(yard.hass, "hall"))
    assert 0.3 < took < 5


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ({"entity_id": "update.nobody"}, "rollout_target_unknown"),
        ({"area_id": "nowhere"}, "rollout_target_unknown"),
        ({"entity_id": "sensor.esp_ota_queue"}, "guest_is_none"),
        ({"entity_id": "update.valve_firmware"}, "guest_is_none"),
        ({"entity_id": []}, "rollout_empty"),
    ],
)
async def test_a_target_that_makes_no_sense_is_an_error(
    yard: Yard, target: dict[str, Any], key: str
) -> None:
    await yard.open()
    await yard.add("valve")
    with pytest.raises(ServiceValidationError) as caught:
        await yard.hass.services.async_call("esp_ota", "update_guests", target, blocking=True)
    assert caught.value.translation_key == key
    assert_error_is_whole(caught.value)
    assert yard.running("valve") == "1.0.0"


async def test_who_calls_may_be_stopped_and_the_updates_go_on(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await move_in(yard.hass, {"name": "a", "flashing": 0.3}, {"name": "b"})
    task = asyncio.ensure_future(update_guests(yard.garden, "a", "b"))
    await until(calls)
    task.cancel()
    await until(lambda: installed(yard.hass, "b") == "1.1.0")
    await until(lambda: not guests_of(yard.hass).is_running(key_of(yard.hass, "b")))
    assert installed(yard.hass, "a") == "1.1.0"
