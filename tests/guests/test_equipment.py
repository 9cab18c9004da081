"""The equipment of a guest: safe from before its integration is told until after its proof."""

import asyncio
from copy import deepcopy
from types import MappingProxyType
from typing import Any

import pytest

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from tests.kit.garden import SAFE_STATE, VALVE, VALVE_CLOSED, options_for, patience, until
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
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


def safe_state(**changes: Any) -> dict[str, Any]:
    return {"safe_state": deepcopy(dict(SAFE_STATE)) | changes}


def valve(yard: Yard) -> str:
    state = yard.hass.states.get(VALVE)
    assert state is not None
    return state.state


async def ends(yard: Yard, **manner: Any) -> dict[str, Any]:
    """Have one guest updated with the safe state of the house, and return what became of it."""
    await move_in(yard.hass, {"name": "hall", **manner})
    return (await update_guests(yard.garden, "hall", guest_equipment="house"))["hall"]


async def test_it_is_safe_from_before_the_call_until_after_the_proof(yard: Yard) -> None:
    await yard.open(**safe_state())
    await move_in(yard.hass, {"name": "hall", "flashing": 0.3, "away": 0.2, "late": 0.2})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(calls)
    seen = []
    while not task.done():
        if installed(yard.hass, "hall") != "1.1.0":
            seen.append(valve(yard))
        await asyncio.sleep(0.02)
    assert (await task)["hall"]["verdict"] == "verified"
    assert set(seen) == {"off"}
    assert yard.garden.valve == ["off", "on"]


async def test_what_is_not_confirmed_as_safe_is_not_called(yard: Yard) -> None:
    await yard.open(**safe_state(actions=[], time_limit=0.3))
    line = await ends(yard)
    assert (line["verdict"], line["cause"]) == ("refused", "safe_state_not_confirmed")
    assert calls() == []
    assert valve(yard) == "on"


async def test_what_is_forbidden_is_not_called(yard: Yard) -> None:
    await yard.open(**safe_state(inhibit=[{**VALVE_CLOSED, "state": "on"}]))
    line = await ends(yard)
    assert (line["verdict"], line["cause"]) == ("refused", "inhibited")
    assert calls() == []
    assert yard.garden.valve == []


async def test_a_house_without_a_safe_state_refuses(yard: Yard) -> None:
    await yard.open()
    line = await ends(yard)
    assert (line["verdict"], line["cause"]) == ("refused", "house_safe_state_missing")
    assert calls() == []


async def test_equipment_that_moves_meanwhile_is_told(yard: Yard) -> None:
    await yard.open(**safe_state())
    await move_in(yard.hass, {"name": "hall", "flashing": 0.6})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(calls)
    for action in ("turn_on", "turn_off"):
        await yard.hass.services.async_call(
            "input_boolean", action, {"entity_id": VALVE}, blocking=True
        )
    line = (await task)["hall"]
    assert line["verdict"] == "verified"
    assert VALVE in line["sentence"]
    issues = ir.async_get(yard.hass).issues
    assert ("esp_ota", f"not_safe_{key_of(yard.hass, 'hall')}") in issues


@pytest.mark.parametrize(
    "manner",
    [{"raises": "broken"}, {"refuses": "no"}, {"does_nothing": True}, {"never_ends": True}],
)
async def test_it_is_restored_once_however_it_ends(yard: Yard, manner: dict[str, Any]) -> None:
    yard.garden.house.patience = patience(evidence=0.1, guest=SHORT)
    await yard.open(**safe_state())
    line = await ends(yard, **manner)
    assert line["verdict"] != "verified"
    assert yard.garden.valve == ["off", "on"]


async def test_one_that_stays_away_keeps_it_safe_where_that_was_chosen(yard: Yard) -> None:
    yard.garden.house.patience = patience(evidence=0.1, guest=SHORT)
    await yard.open(**safe_state(when_missing="stay_safe"))
    line = await ends(yard, stays_away=True)
    assert line["cause"] == "did_not_come_back"
    assert yard.garden.valve == ["off"]
    issues = ir.async_get(yard.hass).issues
    assert ("esp_ota", f"stayed_safe_{key_of(yard.hass, 'hall')}") in issues


async def test_a_guest_and_a_module_with_the_same_valve_go_one_after_the_other(yard: Yard) -> None:
    await yard.open(parallel_installs=5, **safe_state())
    await yard.add("valve", options=options_for())
    await move_in(yard.hass, {"name": "hall", "flashing": 0.4})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(calls)
    pressed = yard.press("valve")
    await until(lambda: yard.shown("valve")["waits_because"] == "equipment")
    assert yard.standing("valve")[2] == "hall"
    assert (await task)["hall"]["verdict"] == "verified"
    assert await pressed == ["done"]
    assert yard.garden.valve == ["off", "on", "off", "on"]


async def test_one_that_is_cancelled_after_the_call_is_restored_and_goes_on(yard: Yard) -> None:
    await yard.open(**safe_state())
    await move_in(yard.hass, {"name": "hall", "flashing": 0.5, "blocks": True})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(calls)
    await yard.hass.services.async_call(
        "esp_ota", "cancel", {"entity_id": card("hall")}, blocking=True
    )
    assert yard.garden.valve == ["off", "on"]
    line = (await task)["hall"]
    assert (line["verdict"], line["cause"]) == ("cancelled", "guest_cancelled_late")
    assert not guests_of(yard.hass).is_running(key_of(yard.hass, "hall"))
    await until(lambda: installed(yard.hass, "hall") == "1.1.0")


@pytest.mark.parametrize("blocks", [False, True])
async def test_the_valve_stays_closed_while_what_was_cancelled_goes_on(
    yard: Yard, *, blocks: bool
) -> None:
    """Its integration cannot be stopped, and the guest restarts at the end."""
    await yard.open(**safe_state())
    await move_in(yard.hass, {"name": "hall", "flashing": 1.0, "blocks": blocks})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(calls)
    cancel = {"entity_id": card("hall")}
    presses = [
        yard.hass.services.async_call("esp_ota", "cancel", cancel, blocking=True) for _ in range(2)
    ]
    opened_at: list[str | None] = []
    async_track_state_change_event(
        yard.hass, [VALVE], callback(lambda _: opened_at.append(installed(yard.hass, "hall")))
    )
    await asyncio.gather(*presses, return_exceptions=True)
    assert (await task)["hall"]["cause"] == "guest_cancelled_late"
    assert yard.garden.valve == ["off", "on"]
    assert opened_at == ["1.1.0"]


async def test_what_is_said_of_it_while_it_waits_counts_at_its_turn(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"})
    task = asyncio.ensure_future(update_guests(yard.garden, "hall"))
    await until(lambda: yard.queue["length"] == "1")
    entity = er.async_get(yard.hass).async_get(card("hall"))
    assert entity is not None
    said = {"entities": [entity.id], "equipment": "switches", **safe_state()}
    subentry = ConfigSubentry(
        data=MappingProxyType(said), subentry_type="guest", title="hall", unique_id=None
    )
    yard.hass.config_entries.async_add_subentry(yard.house, subentry)
    await yard.set(parallel_installs=1)
    assert (await task)["hall"]["verdict"] == "verified"
    assert yard.garden.valve == ["off", "on"]


async def test_an_answer_that_is_taken_back_while_it_waits_is_asked_for(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "hall"})
    entity = er.async_get(yard.hass).async_get(card("hall"))
    assert entity is not None
    subentry = ConfigSubentry(
        data=MappingProxyType({"entities": [entity.id], "equipment": "nothing"}),
        subentry_type="guest",
        title="hall",
        unique_id=None,
    )
    yard.hass.config_entries.async_add_subentry(yard.house, subentry)
    task = asyncio.ensure_future(update_guests(yard.garden, "hall", guest_equipment="house"))
    await until(lambda: yard.queue["length"] == "1")
    yard.hass.config_entries.async_remove_subentry(yard.house, subentry.subentry_id)
    await yard.set(parallel_installs=1)
    assert (await task)["hall"]["cause"] == "house_safe_state_missing"
    assert calls() == []
