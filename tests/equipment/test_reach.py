"""What a sequence reaches, as far as can be read."""

from typing import Any

import pytest

from custom_components.esp_ota.equipment.reach import Reach, followers_of, reach_of
from custom_components.esp_ota.equipment.sequence import async_validate_actions
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component

MAIN = "valve.main"
CLOSE = {"action": "valve.close_valve", "target": {"entity_id": MAIN}}


async def reached(hass: HomeAssistant, *actions: dict[str, Any]) -> Reach:
    valid = await async_validate_actions(hass, list(actions))
    return reach_of(hass, valid, {"module": "garden"})


SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "a target": [CLOSE],
    "data": [{"action": "valve.close_valve", "data": {"entity_id": MAIN}}],
    "several": [{"action": "valve.close_valve", "target": {"entity_id": [MAIN]}}],
    "a template": [
        {"action": "valve.close_valve", "target": {"entity_id": "{{ 'valve.' ~ 'main' }}"}}
    ],
    "a choice": [{"choose": [{"conditions": "{{ false }}", "sequence": [CLOSE]}]}],
    "otherwise": [{"choose": [], "default": [CLOSE]}],
    "if": [{"if": "{{ false }}", "then": [{"delay": 1}], "else": [CLOSE]}],
    "repeated": [{"repeat": {"count": 2, "sequence": [{"sequence": [CLOSE]}]}}],
    "beside each other": [{"parallel": [{"delay": 1}, CLOSE]}],
    "a scene made here": [{"action": "scene.apply", "data": {"entities": {MAIN: "closed"}}}],
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
async def test_an_entity_is_found_wherever_it_is_told(
    hass: HomeAssistant, sequence: list[dict[str, Any]]
) -> None:
    reach = await reached(hass, *sequence)

    assert reach.told == {MAIN}
    assert not reach.unread


@pytest.mark.parametrize(
    "call",
    [
        {"action": "script.close_main"},
        {"action": "script.turn_on", "target": {"entity_id": "script.close_main"}},
        {"action": "homeassistant.turn_on", "target": {"entity_id": "script.close_main"}},
        {"action": "script.outer"},
        {"action": "automation.trigger", "target": {"entity_id": "automation.closes"}},
    ],
    ids=["by its name", "started", "turned on", "by another script", "an automation"],
)
async def test_scripts_and_automations_are_followed(
    hass: HomeAssistant, call: dict[str, Any]
) -> None:
    scripts = {
        "close_main": {"sequence": [CLOSE]},
        "outer": {"sequence": [{"action": "script.close_main"}, {"action": "script.outer"}]},
    }
    closes = {"alias": "closes", "triggers": [], "actions": [CLOSE]}
    assert await async_setup_component(hass, "script", {"script": scripts})
    assert await async_setup_component(hass, "automation", {"automation": [closes]})

    reach = await reached(hass, call)

    assert MAIN in reach.told
    assert not reach.unread


async def test_members_of_groups_are_reached_and_their_members(hass: HomeAssistant) -> None:
    hass.states.async_set("group.all", "on", {"entity_id": ["group.some", "valve.b"]})
    hass.states.async_set("group.some", "on", {"entity_id": ["valve.a", "group.all"]})

    call = {"action": "homeassistant.turn_off", "target": {"entity_id": "group.all"}}

    assert (await reached(hass, call)).told == {"group.all", "group.some", "valve.a", "valve.b"}


async def test_of_an_area_only_what_the_action_is_for_is_reached(
    hass: HomeAssistant, area_registry: ar.AreaRegistry, entity_registry: er.EntityRegistry
) -> None:
    area = area_registry.async_create("garden")
    for domain in ("valve", "light"):
        entry = entity_registry.async_get_or_create(domain, "test", domain)
        entity_registry.async_update_entity(entry.entity_id, area_id=area.id)

    call = {"action": "valve.close_valve", "target": {"area_id": area.id}}

    assert (await reached(hass, call)).told == {"valve.test_valve"}


@pytest.mark.parametrize(
    "call",
    [
        {"action": "mqtt.publish", "data": {"topic": "main", "payload": "close"}},
        {"action": "shell_command.close_main"},
        {"action": "script.not_there"},
        {"event": "close_main"},
    ],
    ids=["a message", "a command", "a script that is not there", "an event"],
)
async def test_what_cannot_be_read_is_said(hass: HomeAssistant, call: dict[str, Any]) -> None:
    reach = await reached(hass, call)

    assert not reach.told
    assert len(reach.unread) == 1


async def test_two_calls_of_the_same_are_one_thing_and_of_another_topic_two(
    hass: HomeAssistant,
) -> None:
    def say(topic: str) -> dict[str, Any]:
        return {"action": "mqtt.publish", "data": {"topic": topic, "payload": "close"}}

    main, other = await reached(hass, say("main")), await reached(hass, say("other"))

    assert main.unread == (await reached(hass, say("main"))).unread
    assert main.unread.isdisjoint(other.unread)


async def test_who_only_asks_or_tells_people_reaches_nothing(hass: HomeAssistant) -> None:
    hass.services.async_register(
        "weather", "get_forecasts", lambda _call: {}, supports_response=SupportsResponse.ONLY
    )
    reach = await reached(
        hass,
        {"action": "notify.phone", "data": {"message": "closing"}},
        {"action": "weather.get_forecasts", "target": {"entity_id": "weather.home"}},
        {"action": "homeassistant.update_entity", "target": {"entity_id": MAIN}},
        {"delay": 1},
    )

    assert reach == Reach()


async def test_what_is_made_of_it_or_beside_it_follows(
    hass: HomeAssistant, entity_registry: er.EntityRegistry
) -> None:
    hass.states.async_set("group.valves", "open", {"entity_id": [MAIN]})
    hass.states.async_set("sensor.tank", "full")
    asked = [MAIN, "group.valves", "sensor.tank"]

    assert followers_of(hass, {MAIN}, asked) == {MAIN, "group.valves"}


LOST = {
    "a valve": ({"entity_id": "valve.gone"}, {"valve.gone"}),
    "a label": ({"label_id": "gone"}, {"label_id gone"}),
    "nobody on purpose": ({"entity_id": "none"}, set()),
    "one of two": ({"entity_id": [MAIN, "valve.gone"]}, {"valve.gone"}),
}


@pytest.mark.parametrize(("target", "lost"), LOST.values(), ids=LOST)
async def test_what_a_call_is_for_and_is_not_there_is_said(
    hass: HomeAssistant, target: dict[str, Any], lost: set[str]
) -> None:
    assert await async_setup_component(hass, "valve", {})
    hass.states.async_set(MAIN, "open")

    reach = await reached(hass, {"action": "valve.close_valve", "target": target})

    assert reach.lost == lost
    assert reach.is_in_vain is (bool(lost) and MAIN not in str(target))


async def test_what_may_reach_anybody_is_not_in_vain(hass: HomeAssistant) -> None:
    gone = {"action": "valve.close_valve", "target": {"entity_id": "valve.gone"}}
    message = {"action": "mqtt.publish", "data": {"topic": "main", "payload": "close"}}

    assert (await reached(hass, gone)).is_in_vain
    assert not (await reached(hass, gone, message)).is_in_vain
    assert not (await reached(hass)).is_in_vain
