"""A restore that nothing reads back: the form says so before it is stored."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.flows.test_safe_state import FORM, VALVE_OPEN, answer, entry, go, house
from tests.kit.garden import OPEN_VALVE

__all__ = ["entry", "house"]  # fixtures

UNREAD = {"actions": [], "restore": [{"event": "open_main"}]}


async def test_a_restore_that_nothing_reads_back_is_said_and_may_be_kept(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    said = FORM | UNREAD | {"equipment": "switches"}
    shown = await answer(hass, await go(hass, entry, "safe_state"), said)

    assert shown["step_id"] == "restore_unread"
    assert "safe_state" not in entry.options
    result = await answer(hass, shown, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["safe_state"]["restore"] == UNREAD["restore"]


async def test_the_houses_restore_is_asked_about_as_well(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    form = await go(hass, house, "house_safe_state", "safe_state")
    shown = await answer(hass, form, FORM | UNREAD)

    assert shown["step_id"] == "restore_unread"
    await answer(hass, shown, {})
    assert house.options["safe_state"]["restore"] == UNREAD["restore"]


@pytest.mark.parametrize(
    "changes",
    [
        {"restore": [OPEN_VALVE]},
        {"restore": UNREAD["restore"], "actions": []} | {"restore_conditions": [VALVE_OPEN]},
        {"restore": UNREAD["restore"], "equipment": "nothing"},
    ],
    ids=["its entity tells", "conditions tell", "nothing is switched"],
)
async def test_a_restore_that_is_read_back_is_not_asked_about(
    hass: HomeAssistant, entry: MockConfigEntry, changes: dict[str, Any]
) -> None:
    said = FORM | {"equipment": "switches"} | changes
    result = await answer(hass, await go(hass, entry, "safe_state"), said)

    assert result["type"] is FlowResultType.CREATE_ENTRY
