"""One board that is a module here and a guest as well is never updated by both at once."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.boards import module_at
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.kit.garden import patience, until
from tests.kit.guests import SHORT, calls, card, installed, move_in, update_guests
from tests.kit.rolling import ended, plan, start, states
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow
MAC, OTHER = "5c:cf:7f:12:34:56", "5c:cf:7f:65:43:21"
HERE, ELSEWHERE = "http://127.0.0.1/", "http://127.0.0.9/"


async def both(yard: Yard, own_mac: str | None = MAC, **manner: Any) -> None:
    """Have a module, and a guest of another integration that may be the same board."""
    await yard.open()
    await yard.add("valve")
    keep_mac(yard, own_mac)
    await move_in(yard.hass, {"name": "hall", "mac": MAC} | manner, {"name": "porch"})
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)


def keep_mac(yard: Yard, mac: str | None) -> None:
    entry = yard.entries["valve"]
    yard.hass.config_entries.async_update_entry(entry, data={**entry.data, "mac": mac})


def bytes_sent(yard: Yard) -> int:
    return yard.modules["valve"].events.count_of(Seen.FIRST_BYTE)


@pytest.mark.parametrize(
    ("mac", "manner", "is_same"),
    [
        (MAC, {}, True),
        (MAC, {"mac": MAC.upper().replace(":", "-")}, True),
        (MAC, {"mac": OTHER}, False),
        (MAC, {"mac": OTHER, "page": HERE}, False),
        (MAC, {"mac": None, "page": HERE}, True),
        (None, {"page": HERE}, True),
        (None, {"page": "http://VALVE.local./"}, True),
        (None, {"page": ELSEWHERE}, False),
        (None, {}, False),
        (None, {"page": "homeassistant://127.0.0.1/"}, False),
    ],
)
async def test_it_is_known_by_its_mac_and_else_by_its_address(
    yard: Yard, mac: str | None, manner: dict[str, Any], is_same: bool
) -> None:
    await both(yard, mac, **manner)
    line = (await update_guests(yard.garden, "hall"))["hall"]
    if is_same:
        assert line["reason"] == "guest_is_module"
        assert "valve" in line["sentence"]
        assert calls() == []
    else:
        assert line["verdict"] == "verified"


async def test_a_rollout_updates_the_module_and_leaves_the_guest_out(yard: Yard) -> None:
    await both(yard)
    terms: Any = {"guests": [card("hall"), card("porch")], "guest_equipment": "nothing"}
    planned = await plan(yard, **terms)
    assert [item["reason"] for item in planned["left_out"]] == ["guest_is_module"]
    await start(yard, **terms)
    assert states(await ended(yard)) == {"valve": "updated", "porch": "updated"}
    assert [name for name, _ in calls()] == ["porch"]


async def test_what_an_entry_says_counts_for_its_only_device(yard: Yard) -> None:
    await both(yard, None, mac=None)
    house = yard.garden.house
    entry = MockConfigEntry(domain="hub", data={"host": "127.0.0.1"}, unique_id="hub")
    entry.add_to_hass(yard.hass)
    registry = er.async_get(yard.hass)

    def update_of(name: str) -> str:
        device = dr.async_get(yard.hass).async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={("hub", name)}
        )
        made = registry.async_get_or_create(
            "update", "hub", name, config_entry=entry, device_id=device.id
        )
        return made.entity_id

    one = update_of("one")
    assert module_at(yard.hass, house, one) is yard.entries["valve"]
    two = update_of("two")
    assert module_at(yard.hass, house, one) is module_at(yard.hass, house, two) is None


async def test_one_that_waits_is_not_told_once_it_is_a_module_too(yard: Yard) -> None:
    await both(yard, OTHER)
    await yard.set(parallel_installs=0)
    task = asyncio.ensure_future(update_guests(yard.garden, "hall"))
    await until(lambda: yard.queue["length"] == "1")
    keep_mac(yard, MAC)
    await yard.set(parallel_installs=1)
    line = (await task)["hall"]
    assert (line["verdict"], line["cause"]) == ("refused", "guest_is_module")
    assert calls() == []


async def test_a_module_is_not_updated_while_its_other_integration_does_that(yard: Yard) -> None:
    await both(yard, flashing=0.5)
    await yard.hass.services.async_call(
        "update", "install", {"entity_id": card("hall")}, blocking=True
    )
    assert await yard.press("valve") == ["updated_elsewhere"]
    assert bytes_sent(yard) == 0
    await until(lambda: installed(yard.hass, "hall") == "1.1.0")
    assert await yard.press("valve") == ["done"]


async def test_a_module_is_not_updated_while_the_proof_of_its_guest_is_awaited(yard: Yard) -> None:
    await both(yard, OTHER, late=0.3)
    task = asyncio.ensure_future(update_guests(yard.garden, "hall"))
    await until(lambda: bool(yard.queue["running"]))
    await until(calls)
    keep_mac(yard, MAC)
    await yard.set(parallel_installs=2)
    assert await yard.press("valve") == ["updated_elsewhere"]
    assert (await task)["hall"]["verdict"] == "verified"
    assert await yard.press("valve") == ["done"]


async def test_the_error_says_what_to_do(yard: Yard) -> None:
    await both(yard, flashing=0.5)
    await yard.hass.services.async_call(
        "update", "install", {"entity_id": card("hall")}, blocking=True
    )
    with pytest.raises(HomeAssistantError) as caught:
        await yard.hass.services.async_call(
            "update", "install", {"entity_id": yard.card("valve")}, blocking=True
        )
    assert_error_is_whole(caught.value)


async def test_one_that_is_a_module_cannot_be_added_as_a_guest(yard: Yard) -> None:
    await both(yard)
    flow = await yard.hass.config_entries.subentries.async_init(
        (yard.house.entry_id, "guest"), context={"source": "user"}
    )
    shown = await yard.hass.config_entries.subentries.async_configure(
        flow["flow_id"], {"entities": [card("hall")], "equipment": "nothing"}
    )
    assert shown["type"] is FlowResultType.FORM
    assert shown["errors"] == {"entities": "own_module"}
