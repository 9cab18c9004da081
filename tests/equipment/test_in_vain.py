"""Actions that nobody hears any more: what they were for has another name, label or area."""

from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    entity_registry as er,
    issue_registry as ir,
    label_registry as lr,
)
from tests.kit.entries import StartModule
from tests.kit.garden import (
    CLOSE_VALVE,
    CLOSED_AND_OPENED,
    OPEN_VALVE,
    UNTOUCHED,
    VALVE,
    Garden,
    assert_nothing_sent,
    options_for,
)
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Event, Seen

pytestmark = pytest.mark.slow

FLOW = "sensor.flow"
NO_FLOW = {"condition": "numeric_state", "entity_id": FLOW, "below": 0.1}
"""True as well of a valve that is open while nobody draws water."""


def all_of(target: dict[str, Any]) -> dict[str, Any]:
    """Return a safe state whose actions are for a target, confirmed by the flow alone."""
    return {
        "actions": [{"action": "input_boolean.turn_off", "target": target}],
        "conditions": [NO_FLOW],
        "restore": [{"action": "input_boolean.turn_on", "target": target}],
    }


@pytest.fixture(autouse=True)
def still(hass: HomeAssistant) -> None:
    """Have nobody draw water."""
    hass.states.async_set(FLOW, "0.0")


@pytest.fixture
def by_target(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return the ways to name the valve, which has a label and is in an area."""
    label = lr.async_get(hass).async_create("valves")
    area = ar.async_get(hass).async_create("garden")
    return {
        "entity": {"entity_id": VALVE},
        "label": {"label_id": label.label_id},
        "area": {"area_id": area.id},
    }


def put(hass: HomeAssistant, target: dict[str, Any] | None) -> None:
    """Give the valve its label and its area, or with None take both away."""
    said = target or {}
    label, area = said.get("label_id"), said.get("area_id")
    er.async_get(hass).async_update_entity(VALVE, labels={label} if label else set(), area_id=area)


@pytest.mark.parametrize("way", ["entity", "label", "area"])
async def test_nothing_is_sent_where_the_valve_is_not_told_to_close_any_more(
    garden: Garden,
    start_module: StartModule,
    by_target: dict[str, dict[str, Any]],
    way: str,
) -> None:
    hass, target = garden.hass, by_target[way]
    put(hass, target)
    module = await start_module()
    entry = await garden.add_valve(module, options=options_for(all_of(target)))

    put(hass, None)
    if way == "entity":
        er.async_get(hass).async_update_entity(VALVE, new_entity_id="input_boolean.well")
    await hass.async_block_till_done()
    garden.valve.clear()
    facts = await garden.refused("safe_state_invalid")

    assert "missing" in facts["detail"]
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.parametrize("way", ["entity", "label", "area"])
async def test_one_that_is_there_is_told(
    garden: Garden,
    start_module: StartModule,
    by_target: dict[str, dict[str, Any]],
    way: str,
) -> None:
    put(garden.hass, by_target[way])
    module = await start_module()
    entry = await garden.add_valve(module, options=options_for(all_of(by_target[way])))

    await garden.install()

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_what_could_not_be_restored_is_not_made_safe(
    garden: Garden, start_module: StartModule
) -> None:
    gone = {"entity_id": "input_boolean.pump"}
    restore = [{"action": "input_boolean.turn_on", "target": gone}]
    module = await start_module()
    entry = await garden.add_valve(module, options=options_for({"restore": restore}))

    facts = await garden.refused("safe_state_invalid")

    assert facts["detail"] == "input_boolean.pump: missing."
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_restore_that_lost_its_valve_meanwhile_is_told(
    garden: Garden, start_module: StartModule, issue_registry: ir.IssueRegistry
) -> None:
    hass = garden.hass
    hass.states.async_set("input_boolean.pump", "off")
    restore = [OPEN_VALVE | {"target": {"entity_id": "input_boolean.pump"}}]
    module = await start_module()
    entry = await garden.add_valve(
        module, options=options_for({"conditions": [NO_FLOW], "restore": restore})
    )

    @callback
    def lose(event: Event) -> None:
        if event.name == Seen.FIRST_BYTE:
            hass.states.async_remove("input_boolean.pump")

    module.events.listeners.append(lose)
    facts = await garden.refused("restore_failed")

    assert facts["detail"] == "input_boolean.pump: missing."
    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert_issue_is_whole(issue)


async def test_a_sequence_that_finds_one_of_two_is_left_to_the_conditions(
    garden: Garden, start_module: StartModule
) -> None:
    gone = CLOSE_VALVE | {"target": {"entity_id": "input_boolean.gone"}}
    module = await start_module()
    entry = await garden.add_valve(module, options=options_for({"actions": [gone, CLOSE_VALVE]}))

    await garden.install()

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
