"""Each way a sequence ends as "finished" without having made anything safe: it is refused.

One row for each of the table that was measured of Home Assistant's scripts. All of them leave the
valve open; the update must not begin, and the restore must run once.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import Event, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.script import DATA_NEW_SCRIPT_RUNS_NOT_ALLOWED
from homeassistant.setup import async_setup_component
from tests.kit.garden import CLOSE_VALVE, OPEN_VALVE, UNTOUCHED, VALVE, Garden
from tests.kit.three_doors import DOORS, PUSH, Doors, doors_of
from tests.kit.valve import VALVE as REAL_VALVE, plant_valve

ALWAYS = {"condition": "template", "value_template": "{{ true }}"}
NEVER = {"condition": "template", "value_template": "{{ false }}"}
SHORTLY = {"timeout": {"milliseconds": 30}}
WAIT: dict[str, Any] = {"wait_template": "{{ false }}"} | SHORTLY
WAIT_FOR: dict[str, Any] = {
    "wait_for_trigger": [{"trigger": "event", "event_type": "never"}]
} | SHORTLY
NO_TIMEOUT = {"continue_on_timeout": False}
STOP = {"stop": "no water", "error": True}
FAIL = {"action": "test.fail"}
ANSWER = [
    {"variables": {"answer": {"safe": False, "reason": "the tank is low"}}},
    {"stop": "asked", "response_variable": "answer"},
]
SCRIPTS = {
    "stops": {"sequence": [STOP, CLOSE_VALVE]},
    "slow": {"sequence": [{"delay": {"seconds": 1}}, {"event": "too_late"}]},
    "single": {"mode": "single", "sequence": [{"delay": {"seconds": 1}}, {"event": "too_late"}]},
}
UNCONFIRMED, FAILED, REFUSED = (
    "safe_state_not_confirmed",
    "safe_state_failed",
    "safe_state_refused",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a person typed, and as what the update is refused."""

    actions: list[Any]
    cause: str = UNCONFIRMED


def only_if(guard: Any) -> list[Any]:
    """Return steps that close the valve unless something before them ends the sequence."""
    return [guard, CLOSE_VALVE]


TABLE = {
    "it runs through": Row(actions=[{"event": "done"}]),
    "stop": Row(actions=only_if({"stop": "not today"})),
    "stop with error": Row(actions=only_if(STOP), cause=FAILED),
    "stop with error in if": Row(actions=only_if({"if": [ALWAYS], "then": [STOP]}), cause=FAILED),
    "stop with error in else": Row(
        actions=only_if({"if": [NEVER], "then": [], "else": [STOP]}), cause=FAILED
    ),
    "stop with error in parallel": Row(
        actions=only_if({"parallel": [STOP, {"delay": 0}]}), cause=FAILED
    ),
    "condition false at top level": Row(actions=only_if(NEVER), cause=FAILED),
    "condition false in if": Row(actions=[{"if": [ALWAYS], "then": only_if(NEVER)}]),
    "condition false in sequence": Row(actions=[{"sequence": only_if(NEVER)}]),
    "condition false in parallel": Row(actions=[{"parallel": [{"sequence": only_if(NEVER)}]}]),
    "wait_template timeout": Row(
        actions=[WAIT, {"if": ["{{ wait.completed }}"], "then": [CLOSE_VALVE]}]
    ),
    "wait_for_trigger timeout": Row(
        actions=[WAIT_FOR, {"if": ["{{ wait.trigger }}"], "then": [CLOSE_VALVE]}]
    ),
    "wait_template, continue_on_timeout false": Row(
        actions=only_if(WAIT | NO_TIMEOUT), cause=FAILED
    ),
    "wait_for_trigger, continue_on_timeout false": Row(
        actions=only_if(WAIT_FOR | NO_TIMEOUT), cause=FAILED
    ),
    "action raises": Row(actions=only_if(FAIL), cause=FAILED),
    "continue_on_error": Row(actions=[FAIL | {"continue_on_error": True}]),
    "unknown action": Row(actions=only_if({"action": "test.nothing"}), cause=FAILED),
    "missing entity": Row(
        actions=[CLOSE_VALVE | {"target": {"entity_id": ["input_boolean.nowhere", REAL_VALVE]}}]
    ),
    "unavailable entity": Row(
        actions=[{"action": "valve.close_valve", "target": {"entity_id": REAL_VALVE}}]
    ),
    "script.x stops with error": Row(actions=[{"action": "script.stops"}]),
    "script.turn_on": Row(
        actions=[{"action": "script.turn_on", "target": {"entity_id": "script.slow"}}]
    ),
    "stop with response_variable": Row(actions=ANSWER, cause=REFUSED),
    "disabled step": Row(actions=[CLOSE_VALVE | {"enabled": False}]),
    "empty sequence": Row(actions=[]),
    "single mode already running": Row(actions=[{"action": "script.single"}]),
}


@dataclass
class Restores:
    """What the restore did."""

    seen: list[str] = field(default_factory=list)

    @callback
    def note(self, event: Event) -> None:
        """Take one run of it."""
        self.seen.append(str(event.event_type))


@pytest.fixture
async def doors(
    garden: Garden, hass_client_no_auth: ClientSessionGenerator
) -> AsyncIterator[Doors]:
    """Return what switches modules on."""
    async with doors_of(garden, hass_client_no_auth) as doors:
        yield doors


@pytest.fixture
async def restores(garden: Garden) -> Restores:
    """Have everything that the rows name, and hear each restore."""
    hass, restores = garden.hass, Restores()

    @callback
    def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("the bus is down")

    hass.services.async_register("test", "fail", fail)
    (await plant_valve(hass)).is_reached(False)
    assert await async_setup_component(hass, "script", {"script": SCRIPTS})
    hass.bus.async_listen("restored", restores.note)
    return restores


def around(row: Row) -> dict[str, Any]:
    """Return the safe state of a row; the restore tells that it ran."""
    restore = [OPEN_VALVE, {"event": "restored"}]
    return {"actions": row.actions, "restore": restore, "time_limit": 0.4}


async def run_one_before(garden: Garden, row: str) -> None:
    """Have the script running that runs only once at a time."""
    if row == "single mode already running":
        data = {"entity_id": "script.single"}
        await garden.hass.services.async_call("script", "turn_on", data, blocking=True)
        assert garden.hass.states.is_state("script.single", "on")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "row"), TABLE.items(), ids=TABLE)
async def test_a_sequence_that_made_nothing_safe_refuses(
    garden: Garden, doors: Doors, restores: Restores, name: str, row: Row
) -> None:
    await garden.release("1.1.0")
    door = await doors.open(PUSH, around(row))
    await run_one_before(garden, name)

    facts = await garden.refused(row.cause)

    assert facts
    door.assert_nothing_sent()
    assert door.module.running_version == "1.0.0"
    assert garden.card.attributes["last_verdict"] == "refused"
    assert restores.seen == ["restored"]
    assert garden.hass.states.is_state(VALVE, "on")
    garden.assert_at_rest(door.entry, UNTOUCHED)


@pytest.mark.slow
@pytest.mark.parametrize("door_kind", DOORS)
@pytest.mark.parametrize("name", ["condition false in if", "stop with error in parallel"])
async def test_it_refuses_through_each_door(
    garden: Garden, doors: Doors, restores: Restores, name: str, door_kind: str
) -> None:
    await garden.release("1.1.0")
    row = TABLE[name]
    door = await doors.open(door_kind, around(row))

    await garden.refused(row.cause)

    door.assert_nothing_sent()
    assert restores.seen == ["restored"]
    garden.assert_at_rest(door.entry, UNTOUCHED)


async def test_nothing_begins_while_home_assistant_shuts_down(
    garden: Garden, doors: Doors, restores: Restores
) -> None:
    """No sequence runs any more: neither this one nor a restore, and nothing was moved."""
    await garden.release("1.1.0")
    door = await doors.open(PUSH, around(Row(actions=[CLOSE_VALVE])))
    # What every script asks before it runs; Home Assistant sets it when it begins to stop.
    garden.hass.data[DATA_NEW_SCRIPT_RUNS_NOT_ALLOWED] = None

    await garden.refused(FAILED)

    door.assert_nothing_sent()
    assert restores.seen == []
    garden.assert_at_rest(door.entry, UNTOUCHED)
