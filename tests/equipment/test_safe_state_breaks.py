"""Conditions that break while an image is on its way, for however short a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.equipment import safe_state
from homeassistant.components.trace import util as trace_util
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.kit.garden import CLOSED_AND_OPENED, OPEN_VALVE, UNTOUCHED, VALVE_CLOSED, Garden, until
from tests.kit.three_doors import DOORS, LARGE, PULL, PUSH, SLOW, Door, Doors, doors_of
from tests.virtual_module import Seen

DOOR = "binary_sensor.door"
SHUT = {"condition": "state", "entity_id": DOOR, "state": "off"}
FLOW = "sensor.flow"
NO_FLOW = {"condition": "numeric_state", "entity_id": FLOW, "below": 0.1}


@pytest.fixture
async def doors(
    garden: Garden, hass_client_no_auth: ClientSessionGenerator
) -> AsyncIterator[Doors]:
    """Return what switches modules on."""
    async with doors_of(garden, hass_client_no_auth) as doors:
        yield doors


@pytest.fixture
def bounce(garden: Garden) -> Callable[[], None]:
    """Return what opens the door and closes it again before anybody can look."""

    def open_and_close() -> None:
        garden.hass.states.async_set(DOOR, "on")
        garden.hass.states.async_set(DOOR, "off")

    return open_and_close


async def sending(garden: Garden, doors: Doors, kind: str, *conditions: Any) -> Door:
    """Have a slow module receive an image that takes two seconds."""
    await garden.release("1.1.0", size=LARGE)
    garden.hass.states.async_set(DOOR, "off")
    garden.hass.states.async_set(FLOW, "0.0")
    return await doors.open(kind, {"conditions": [VALVE_CLOSED, *conditions]}, **SLOW)


async def assert_ended_by(garden: Garden, door: Door, breaks: Callable[[], object]) -> None:
    """Press Update, break something in the middle: it must end there, with all as it was."""
    refused = asyncio.create_task(garden.refused("safe_state_broken"))
    await door.module.wait_for(Seen.FIRST_BYTE)
    await until(lambda: door.module.payload_bytes > 0)

    breaks()

    await refused
    if door.kind != PULL:  # an ESP8266 that asks gives up a minute after the reset
        await door.module.wait_for(Seen.ABORTED)
    assert 0 < door.module.payload_bytes < LARGE
    assert door.module.running_version == "1.0.0"
    assert not door.module.restarts
    assert garden.card.attributes["last_verdict"] == "failed"
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


STATES = {"false": "on", "unavailable": "unavailable", "unknown": "unknown", "removed": None}


def say(hass: HomeAssistant, entity_id: str, state: str | None) -> None:
    """Change an entity, or take it away."""
    if state is None:
        hass.states.async_remove(entity_id)
    else:
        hass.states.async_set(entity_id, state)


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("kind", DOORS)
async def test_what_is_not_true_any_more_ends_it_through_each_door(
    garden: Garden, doors: Doors, kind: str, state: str | None
) -> None:
    door = await sending(garden, doors, kind, SHUT)
    await assert_ended_by(garden, door, lambda: say(garden.hass, DOOR, state))


@pytest.mark.slow
@pytest.mark.parametrize("kind", DOORS)
async def test_a_break_that_is_over_at_once_counts_through_each_door(
    garden: Garden, doors: Doors, bounce: Callable[[], None], kind: str
) -> None:
    """Whoever looks twice a second never sees it; the water has flowed."""
    door = await sending(garden, doors, kind, SHUT)
    await assert_ended_by(garden, door, bounce)


WAYS_TO_ASK: dict[str, Any] = {
    "a state": SHUT,
    "a state that lasts": SHUT | {"for": {"milliseconds": 200}},
    "not": {"not": [SHUT | {"state": "on"}]},
    "or": {"or": [SHUT | {"state": "ajar"}, SHUT]},
    "a template": "{{ is_state('binary_sensor.door', 'off') }}",
}


@pytest.mark.slow
@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_break_that_is_over_at_once_counts_however_it_is_asked(
    garden: Garden, doors: Doors, bounce: Callable[[], None], condition: Any
) -> None:
    door = await sending(garden, doors, PUSH, condition)
    await assert_ended_by(garden, door, bounce)


NUMBERS = {
    "too much": "0.1",
    "not a number": "nan",
    "no number at all": "none yet",
    "unavailable": "unavailable",
    "unknown": "unknown",
    "removed": None,
}


@pytest.mark.slow
@pytest.mark.parametrize("state", NUMBERS.values(), ids=NUMBERS)
async def test_a_number_that_is_not_below_its_limit_any_more_ends_it(
    garden: Garden, doors: Doors, state: str | None
) -> None:
    door = await sending(garden, doors, PUSH, NO_FLOW)
    await assert_ended_by(garden, door, lambda: say(garden.hass, FLOW, state))


@pytest.mark.slow
async def test_a_number_that_moves_below_its_limit_ends_nothing(
    garden: Garden, doors: Doors
) -> None:
    door = await sending(garden, doors, PUSH, NO_FLOW)
    install = asyncio.create_task(garden.install())
    await door.module.wait_for(Seen.FIRST_BYTE)

    for number in range(1, 10):
        garden.hass.states.async_set(FLOW, f"0.0{number}")

    await install
    assert door.module.running_version == "1.1.0"


@pytest.mark.slow
async def test_a_template_without_an_entity_is_looked_at_as_well(
    garden: Garden, doors: Doors
) -> None:
    """It tells nobody when it changes: only looking again finds out."""
    soon = "{{ now() < states.input_boolean.valve.last_changed + timedelta(seconds=1) }}"
    without_any = "{{ now().year < 3000 }}"
    door = await sending(garden, doors, PUSH, soon, without_any)

    await assert_ended_by(garden, door, lambda: None)


@pytest.mark.slow
async def test_an_entity_that_is_disabled_ends_it(
    garden: Garden, doors: Doors, entity_registry: er.EntityRegistry
) -> None:
    """Its integration takes the state away, as for one that is removed."""
    entry = entity_registry.async_get_or_create(
        "binary_sensor", "test", "door", suggested_object_id="door"
    )
    assert entry.entity_id == DOOR
    door = await sending(garden, doors, PUSH, SHUT)

    def disable() -> None:
        entity_registry.async_update_entity(DOOR, disabled_by=er.RegistryEntryDisabler.USER)
        garden.hass.states.async_remove(DOOR)

    await assert_ended_by(garden, door, disable)


@pytest.mark.slow
async def test_the_equipments_integration_is_reloaded_in_the_middle(
    garden: Garden, doors: Doors
) -> None:
    """It is back within no time, and knows nothing of what its valve did meanwhile."""
    door = await sending(garden, doors, PUSH)
    moved = len(CLOSED_AND_OPENED)
    refused = asyncio.create_task(garden.refused("safe_state_broken"))
    await door.module.wait_for(Seen.FIRST_BYTE)

    state = garden.hass.states.get("input_boolean.valve")
    assert state is not None
    say(garden.hass, "input_boolean.valve", "unavailable")
    say(garden.hass, "input_boolean.valve", state.state)

    await refused
    assert door.module.running_version == "1.0.0"
    assert garden.valve[0] == "off"
    assert garden.valve[-1] == "on"
    assert len(garden.valve) == moved + 2


# The stable time


@pytest.mark.slow
async def test_a_contact_that_bounces_between_two_looks_is_not_believed(
    garden: Garden, doors: Doors, bounce: Callable[[], None]
) -> None:
    await garden.release("1.1.0")
    garden.hass.states.async_set(DOOR, "off")
    always = {"conditions": [VALVE_CLOSED, SHUT], "stable": 0.4, "time_limit": 1.2}
    door = await doors.open(PUSH, always)
    refused = asyncio.create_task(garden.refused("safe_state_not_confirmed"))
    await until(lambda: garden.valve == ["off"])
    assert safe_state._POLL > 0.1, "or each bounce is seen anyway"

    while not refused.done():
        bounce()
        await asyncio.sleep(0.1)

    assert (await refused)["detail"] == "All of it was true, but did not stay so."
    door.assert_nothing_sent()
    garden.assert_at_rest(door.entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_a_contact_that_has_stopped_bouncing_is_believed(
    garden: Garden, doors: Doors, bounce: Callable[[], None]
) -> None:
    await garden.release("1.1.0")
    garden.hass.states.async_set(DOOR, "off")
    door = await doors.open(PUSH, {"conditions": [VALVE_CLOSED, SHUT], "stable": 0.3})
    install = asyncio.create_task(garden.install())
    await until(lambda: garden.valve == ["off"])
    for _ in range(4):
        bounce()
        await asyncio.sleep(0.1)
        door.assert_nothing_sent()

    await install
    assert door.module.running_version == "1.1.0"


@pytest.mark.slow
async def test_what_has_to_last_is_waited_for(garden: Garden, doors: Doors) -> None:
    await garden.release("1.1.0")
    lasts = VALVE_CLOSED | {"for": {"milliseconds": 600}}
    door = await doors.open(PUSH, {"conditions": [lasts], "time_limit": 0.3})
    facts = await garden.refused("safe_state_not_confirmed")
    assert facts["unmet"] == "input_boolean.valve"
    door.assert_nothing_sent()

    options = door.entry.options
    safe = {**options["safe_state"], "time_limit": 10}
    garden.hass.config_entries.async_update_entry(
        door.entry, options={**options, "safe_state": safe}
    )
    await garden.install()
    assert door.module.running_version == "1.1.0"


# What is looked at is no step of anybody's automation


@pytest.mark.slow
async def test_who_breaks_it_keeps_a_trace_without_our_conditions(
    garden: Garden, doors: Doors
) -> None:
    door = await sending(garden, doors, PUSH, SHUT)
    config = {
        "id": "opens",
        "trigger": {"trigger": "event", "event_type": "open"},
        "action": [OPEN_VALVE],
    }
    assert await async_setup_component(garden.hass, "automation", {"automation": [config]})
    refused = asyncio.create_task(garden.refused("safe_state_broken"))
    await door.module.wait_for(Seen.FIRST_BYTE)

    garden.hass.bus.async_fire("open")

    await refused
    [run] = await trace_util.async_list_traces(garden.hass, "automation", "automation.opens")
    trace: Any = await trace_util.async_get_trace(garden.hass, "automation.opens", run["run_id"])
    assert set(trace["trace"]) == {"trigger/0", "action/0"}


# Between set-up and press


async def test_conditions_that_were_disabled_since_the_form_was_stored_refuse(
    garden: Garden, doors: Doors
) -> None:
    await garden.release("1.1.0")
    door = await doors.open(PUSH)
    options = door.entry.options
    disabled = {**options["safe_state"], "conditions": [VALVE_CLOSED | {"enabled": False}]}

    garden.hass.config_entries.async_update_entry(
        door.entry, options={**options, "safe_state": disabled}
    )

    await garden.refused("safe_state_invalid")
    door.assert_nothing_sent()
    garden.assert_at_rest(door.entry, UNTOUCHED)
