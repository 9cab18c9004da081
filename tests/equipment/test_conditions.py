"""Conditions as a person typed them: three answers, and what may never count as a yes."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.esp_ota.equipment import Conditions
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.setup import async_setup_component
from tests.kit.conditions import (
    A_CLOSED,
    A_IS_CLOSED,
    A_OPEN,
    ALL,
    B_CLOSED,
    BOTH,
    BOTH_ARE_CLOSED,
    FALSE,
    NO_FLOW,
    TRUE,
    standing,
    unmet,
)

pytestmark = pytest.mark.usefixtures("two_valves")


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (A_CLOSED, "valve.a"),
        (A_CLOSED | {"entity_id": ["valve.a", "valve.b"]}, "valve.a, valve.b"),
        (A_CLOSED | {"alias": "Valve is shut"}, "Valve is shut"),
        (FALSE, "condition 2"),
        ({"condition": "template", "value_template": FALSE}, "condition 2"),
    ],
)
async def test_what_is_not_true_is_named_so_that_a_person_knows_where_to_look(
    hass: HomeAssistant, condition: Any, name: str
) -> None:
    hass.states.async_set("valve.a", "open")
    assert await unmet(hass, TRUE, condition) == [name]


@pytest.mark.parametrize("condition", [{"condition": "state"}, {"and": [A_CLOSED, {"or": 1}]}])
async def test_a_condition_that_cannot_be_loaded_leaves_none_behind(
    hass: HomeAssistant, condition: Any
) -> None:
    with pytest.raises(vol.Invalid):
        await Conditions.load(hass, [TRUE, condition])


async def test_members_of_a_group_that_cannot_be_loaded_are_let_go(hass: HomeAssistant) -> None:
    hours = {"behavior": "all", "for": {"hours": 1}}
    waiting = {"condition": "valve.is_closed", "target": BOTH, "options": hours}
    gone = {"condition": "device", "device_id": "gone", "domain": "valve", "type": "is_closed"}
    broken = A_CLOSED | {"enabled": "{{ 1 / 0 }}"}
    with pytest.raises(HomeAssistantError):
        await Conditions.load(hass, [{"and": [waiting, broken]}])
    with pytest.raises((vol.Invalid, HomeAssistantError)):
        await Conditions.load(hass, [waiting, gone])


LIES: dict[str, tuple[Any, str]] = {
    "all of them, none of which says anything": (
        {"condition": "valve.is_closed", "target": {"entity_id": "valve.a"}} | ALL,
        "valve.a",
    ),
    "all of two, one of which says nothing": (BOTH_ARE_CLOSED, "valve.a, valve.b"),
    "not open": ({"condition": "not", "conditions": [A_OPEN]}, "condition 1"),
    "not open, in short": ({"not": [A_OPEN]}, "condition 1"),
    "a template that asks whether it is open": (
        "{{ not is_state('valve.a', 'open') }}",
        "condition 1",
    ),
    "a template that takes nothing for zero": (
        "{{ state_attr('valve.a', 'flow') | float(0) < 0.1 }}",
        "condition 1",
    ),
    "not above": (
        {"not": [{"condition": "numeric_state", "entity_id": "valve.a", "above": 1}]},
        "condition 1",
    ),
    "not above a limit that says nothing": (
        {"not": [{"condition": "numeric_state", "entity_id": "sensor.flow", "above": "sensor.a"}]},
        "condition 1",
    ),
}


@pytest.mark.parametrize("state", ["unavailable", "unknown", None])
@pytest.mark.parametrize(("condition", "name"), LIES.values(), ids=LIES)
async def test_what_is_not_known_is_not_true(
    hass: HomeAssistant, condition: Any, name: str, state: str | None
) -> None:
    for entity in ("valve.a", "sensor.a"):
        if state is None:
            hass.states.async_remove(entity)
        else:
            hass.states.async_set(entity, state)

    [found] = await unmet(hass, condition)

    assert found.startswith(f"{name} (")
    assert f".a: {state or 'missing'}" in found
    # Nor is it false: neither answer may be built upon.
    assert await standing(hass, condition) == [found]


async def test_the_same_conditions_are_true_of_valves_that_say_so(hass: HomeAssistant) -> None:
    hass.states.async_set("sensor.a", "5")
    of_no_number = LIES["not above"][0]  # a valve's state is none
    told = [condition for condition, _ in LIES.values() if condition is not of_no_number]
    assert await unmet(hass, *told) == []


async def test_a_number_that_is_none_is_below_no_limit(hass: HomeAssistant) -> None:
    hass.states.async_set("sensor.flow", "nan")
    assert await unmet(hass, NO_FLOW) == ["sensor.flow (sensor.flow: nan)"]
    hass.states.async_set("sensor.flow", "no flow")
    [found] = await unmet(hass, NO_FLOW)
    assert "cannot be processed as a number" in found


async def test_a_target_of_another_kind_is_not_passed_over(hass: HomeAssistant) -> None:
    hass.states.async_set("switch.pump", "on")
    pump = {"condition": "valve.is_closed", "target": {"entity_id": "switch.pump"}} | ALL
    assert await unmet(hass, pump) == ["switch.pump (no entity, switch.pump: of another kind)"]


async def test_an_area_without_valves_confirms_nothing(
    hass: HomeAssistant,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    area = area_registry.async_create("Garden")
    closed = {"condition": "valve.is_closed", "target": {"area_id": area.id}} | ALL
    assert await unmet(hass, closed) == ["condition 1 (no entity)"]

    entry = entity_registry.async_get_or_create("valve", "test", "c", suggested_object_id="c")
    entity_registry.async_update_entity(entry.entity_id, area_id=area.id)
    assert await unmet(hass, closed) == ["condition 1 (valve.c: missing)"]
    hass.states.async_set("valve.c", "closed", {"is_closed": True})
    assert await unmet(hass, closed) == []
    hass.states.async_set("valve.c", "open", {"is_closed": False})
    assert await unmet(hass, closed) == ["condition 1"]


async def test_a_group_does_not_hide_that_a_member_is_lost(hass: HomeAssistant) -> None:
    groups = {
        "pumps": {"entities": ["switch.a", "group.more"]},
        "more": {"entities": ["switch.b", "group.pumps"]},
    }
    hass.states.async_set("switch.a", "off")
    hass.states.async_set("switch.b", "off")
    assert await async_setup_component(hass, "group", {"group": groups})
    await hass.async_block_till_done()
    off = {"condition": "state", "entity_id": "group.pumps", "state": "off"}
    assert await unmet(hass, off) == []

    hass.states.async_set("switch.b", "unavailable")
    await hass.async_block_till_done()
    assert hass.states.is_state("group.pumps", "off")
    assert await unmet(hass, off) == ["group.pumps (switch.b: unavailable)"]
    hass.states.async_remove("switch.b")
    await hass.async_block_till_done()
    assert await unmet(hass, off) == ["group.pumps (switch.b: missing)"]


async def test_a_device_condition_knows_its_entity(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = MockConfigEntry(domain="test")
    entry.add_to_hass(hass)
    device = device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("test", "a")}
    )
    switch = entity_registry.async_get_or_create("switch", "test", "p", device_id=device.id)
    assert await async_setup_component(hass, "switch", {})
    is_on = {
        "condition": "device",
        "domain": "switch",
        "device_id": device.id,
        "entity_id": switch.id,
        "type": "is_on",
    }
    hass.states.async_set(switch.entity_id, "off")
    assert await unmet(hass, {"not": [is_on]}) == []
    hass.states.async_set(switch.entity_id, "unavailable")
    assert await unmet(hass, {"not": [is_on]}) == [f"condition 1 ({switch.entity_id}: unavailable)"]


async def test_who_asks_for_unavailable_gets_an_answer(hass: HomeAssistant) -> None:
    unplugged = {
        "condition": "state",
        "entity_id": "switch.pump",
        "state": ["off", "unavailable"],
    }
    for state in ("off", "unavailable"):
        hass.states.async_set("switch.pump", state)
        assert await unmet(hass, unplugged) == []
    hass.states.async_set("switch.pump", "unknown")
    assert await unmet(hass, unplugged) == ["switch.pump (switch.pump: unknown)"]
    hass.states.async_remove("switch.pump")
    assert await unmet(hass, unplugged) == ["switch.pump (switch.pump: missing)"]
    # An attribute of that name says nothing about the entity.
    hass.states.async_set("switch.pump", "unavailable", {"mode": "unavailable"})
    mode = unplugged | {"attribute": "mode"}
    assert await unmet(hass, mode) == ["switch.pump (switch.pump: unavailable)"]


async def test_a_state_that_is_compared_with_a_helper_needs_the_helper(
    hass: HomeAssistant,
) -> None:
    same = {"condition": "state", "entity_id": "valve.a", "state": "input_text.wanted"}
    hass.states.async_set("input_text.wanted", "closed")
    assert await unmet(hass, same) == []
    hass.states.async_set("valve.a", "unknown")
    hass.states.async_set("input_text.wanted", "unknown")
    [found] = await unmet(hass, same)
    assert "input_text.wanted: unknown" in found


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({"and": [A_CLOSED, B_CLOSED]}, None),
        ({"and": [A_CLOSED, FALSE]}, False),
        ({"or": [A_CLOSED, B_CLOSED]}, True),
        ({"or": [A_CLOSED, FALSE]}, None),
        ({"not": [A_CLOSED, B_CLOSED]}, False),
        ({"not": [A_CLOSED, FALSE]}, None),
        ({"not": [FALSE]}, True),
        ({"condition": [B_CLOSED, TRUE]}, True),
        ({"and": [B_CLOSED, A_CLOSED | {"enabled": False}]}, True),
        ({"and": [B_CLOSED, {"or": [A_CLOSED], "enabled": "{{ 1 == 2 }}"}]}, True),
        ({"and": [B_CLOSED, {"or": [A_CLOSED], "enabled": "{{ 1 == 1 }}"}]}, None),
    ],
)
async def test_an_unknown_member_decides_nothing_that_others_have_not_decided(
    hass: HomeAssistant, condition: Any, answer: bool | None
) -> None:
    hass.states.async_set("valve.a", "unavailable")
    found = await unmet(hass, condition), await standing(hass, condition)
    assert (not found[0], not found[1]) == (answer is True, answer is False)


async def test_a_condition_with_a_bug_is_not_true(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    conditions = await Conditions.load(hass, [A_IS_CLOSED])
    assert conditions.unmet({}) == []

    def bug(*_: object, **__: object) -> bool:
        raise ValueError

    monkeypatch.setattr("homeassistant.helpers.condition.EntityConditionBase._async_check", bug)
    assert conditions.unmet({}) == ["valve.a (ValueError)"]
    conditions.unload()


async def test_a_template_that_cannot_be_rendered_is_not_true(hass: HomeAssistant) -> None:
    [found] = await unmet(hass, "{{ states('valve.a') / 2 }}")
    assert found.startswith("condition 1 (")
    assert await unmet(hass, "{{ module == 'garden' }}", module="garden") == []


@pytest.mark.parametrize(
    ("lie", "name"), [("{{ this.state != 'on' }}", "this"), ("{{ trigger.id == 1 }}", "trigger")]
)
async def test_variables_that_only_automations_have_make_nothing_true(
    hass: HomeAssistant, lie: str, name: str
) -> None:
    assert await unmet(hass, lie) == [f"condition 1 (UndefinedError: '{name}' is undefined)"]
