"""Guests in the firmware library: who they are, and what they switch."""

from copy import deepcopy
from typing import Any

import pytest

from custom_components.esp_ota.flows.safe_state_form import in_sections
from homeassistant.config_entries import SOURCE_USER
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from tests.kit.entries import StartModule
from tests.kit.garden import SAFE_STATE, VALVE_CLOSED, Garden, patience
from tests.kit.guests import calls, card, move_in, update_guests
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow


@pytest.fixture
async def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    yard = Yard(garden, start_module)
    await yard.open()
    await yard.add("valve")
    await move_in(yard.hass, {"name": "hall"}, {"name": "porch"}, {"name": "gate"})
    return yard


async def fill(yard: Yard, *forms: dict[str, Any], change: bool = False) -> Any:
    """Fill the forms in one after the other, and return what comes of the last one."""
    flows = yard.hass.config_entries.subentries
    if change:
        [subentry] = yard.house.subentries.values()
        result = await yard.house.start_subentry_reconfigure_flow(yard.hass, subentry.subentry_id)
    else:
        result = await flows.async_init(
            (yard.house.entry_id, "guest"), context={"source": SOURCE_USER}
        )
    for form in forms:
        assert result["type"] is FlowResultType.FORM
        result = await flows.async_configure(result["flow_id"], form)
    await yard.hass.async_block_till_done()
    return result


def who(*names: str, equipment: str = "nothing") -> dict[str, Any]:
    return {"entities": [card(name) for name in names], "equipment": equipment}


def typed(**changes: Any) -> dict[str, Any]:
    return in_sections(deepcopy(dict(SAFE_STATE)) | changes)


async def test_what_was_said_holds_from_then_on(yard: Yard) -> None:
    result = await fill(yard, who("hall", "porch"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "hall, porch"
    lines = await update_guests(yard.garden, "hall", "gate", guest_equipment="house")
    assert lines["hall"]["verdict"] == "verified"
    assert lines["gate"]["cause"] == "house_safe_state_missing"


async def test_their_own_safe_state_is_used_also_under_another_name(yard: Yard) -> None:
    result = await fill(yard, who("hall", equipment="switches"), typed())
    assert result["type"] is FlowResultType.CREATE_ENTRY
    registry = er.async_get(yard.hass)
    registry.async_update_entity(card("hall"), new_entity_id="update.corridor_firmware")
    await yard.hass.async_block_till_done()
    lines = await update_guests(yard.garden, "corridor")
    assert lines["hall"]["verdict"] == "verified"
    assert yard.garden.valve == ["off", "on"]


async def test_it_can_be_changed(yard: Yard) -> None:
    await fill(yard, who("hall", equipment="switches"), typed())
    result = await fill(yard, who("hall", "gate"), change=True)
    assert result["reason"] == "reconfigure_successful"
    [subentry] = yard.house.subentries.values()
    assert subentry.title == "hall, gate"
    assert "safe_state" not in subentry.data
    await update_guests(yard.garden, "hall")
    assert yard.garden.valve == []


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        (who(), {"entities": "nobody"}),
        (who("valve"), {"entities": "own_module"}),
        (who("hall", equipment="house"), {"equipment": "no_house_safe_state"}),
    ],
)
async def test_a_mistake_shows_on_the_form(
    yard: Yard, said: dict[str, Any], errors: dict[str, str]
) -> None:
    result = await fill(yard, said)
    assert result["errors"] == errors


async def test_nobody_is_added_twice(yard: Yard) -> None:
    await fill(yard, who("hall"))
    assert (await fill(yard, who("porch", "hall")))["errors"] == {"entities": "already_added"}
    assert (await fill(yard, who("hall"), change=True))["type"] is FlowResultType.ABORT


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        (typed(conditions=[]), {"before": "no_condition"}),
        (typed(stable=10), {"bounds": "stable_too_long"}),
    ],
)
async def test_a_mistake_in_a_safe_state_shows_on_its_form(
    yard: Yard, said: dict[str, Any], errors: dict[str, str]
) -> None:
    result = await fill(yard, who("hall", equipment="switches"), said)
    assert (result["step_id"], result["errors"]) == ("safe_state", errors)


async def test_a_restore_that_nothing_reads_back_is_asked_about(yard: Yard) -> None:
    blind = typed(actions=[], conditions=[VALVE_CLOSED], restore=[{"event": "open_main"}])
    result = await fill(yard, who("hall", equipment="switches"), blind)
    assert result["step_id"] == "restore_unread"
    result = await fill(yard, who("hall", equipment="switches"), blind, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert calls() == []
