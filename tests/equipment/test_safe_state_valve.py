"""A safe state that rests on a real valve entity, with all that valves and their sensors do."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, assert_nothing_sent, options_for, until
from tests.kit.valve import VALVE, GardenValve, plant_valve
from tests.virtual_module import Fault, Seen, VirtualModule

pytestmark = pytest.mark.slow

CLOSE = {"action": "valve.close_valve", "target": {"entity_id": VALVE}}
OPEN = {"action": "valve.open_valve", "target": {"entity_id": VALVE}}
TARGET = {"target": {"entity_id": VALVE}}
CLOSED = {"condition": "state", "entity_id": VALVE, "state": "closed"}
OPENED = CLOSED | {"state": "open"}
FLOW = "sensor.flow"
NO_FLOW = {"condition": "numeric_state", "entity_id": FLOW, "below": 0.1}
WAYS_TO_ASK: dict[str, Any] = {
    "its state": CLOSED,
    "the valve's own condition": {"condition": "valve.is_closed"} | TARGET,
    "all of its targets": {"condition": "valve.is_closed", "options": {"behavior": "all"}} | TARGET,
    "not open": {"not": [OPENED]},
    "neither open nor moving": {"not": [OPENED | {"state": ["open", "opening", "closing"]}]},
    "a template": "{{ is_state('valve.garden', 'closed') }}",
    "a template that asks the other way": "{{ not is_state('valve.garden', 'open') }}",
    "an attribute": CLOSED | {"attribute": "is_closed", "state": True},
}
CLOSED_AND_OPENED = ["closed", "open"]


@pytest.fixture
async def valve(garden: Garden) -> GardenValve:
    """Have an open valve."""
    return await plant_valve(garden.hass)


async def add(garden: Garden, module: VirtualModule, **safe_state: Any) -> MockConfigEntry:
    """Set up a module that the valve must be closed for."""
    usual = {"actions": [CLOSE], "conditions": [CLOSED], "restore": [OPEN]}
    return await garden.add(entry_for(module, options=options_for(usual | safe_state)))


@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_valve_that_says_it_is_closed_lets_an_update_through(
    garden: Garden, module: VirtualModule, valve: GardenValve, condition: Any
) -> None:
    valve.faults.travel = 0.3
    await add(garden, module, conditions=[condition], restore_conditions=[OPENED])

    await garden.install()

    assert module.running_version == "1.1.0"
    assert valve.moved == CLOSED_AND_OPENED


@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_valve_that_is_out_of_reach_is_skipped_by_the_action_and_refused_by_us(
    garden: Garden, module: VirtualModule, valve: GardenValve, condition: Any
) -> None:
    valve.is_reached(False)
    await add(garden, module, conditions=[condition], time_limit=0.4)

    facts = await garden.refused("safe_state_not_confirmed")

    assert f"{VALVE}: unavailable" in facts["unmet"]
    assert valve.flows
    assert_nothing_sent(module)


@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_valve_that_was_removed_confirms_nothing(
    garden: Garden, module: VirtualModule, valve: GardenValve, condition: Any
) -> None:
    await valve.async_remove()
    assert garden.hass.states.get(VALVE) is None
    await add(garden, module, conditions=[condition], time_limit=0.4)

    facts = await garden.refused("safe_state_invalid")

    assert facts["detail"] == f"{VALVE}: missing."
    assert_nothing_sent(module)


@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_valve_that_was_removed_confirms_nothing_whatever_the_actions_reach(
    garden: Garden, module: VirtualModule, valve: GardenValve, condition: Any
) -> None:
    await valve.async_remove()
    await add(garden, module, actions=[], restore=[], conditions=[condition], time_limit=0.4)

    facts = await garden.refused("safe_state_not_confirmed")

    assert f"{VALVE}: missing" in facts["unmet"]
    assert_nothing_sent(module)


@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_stuck_valve_is_named(
    garden: Garden, module: VirtualModule, valve: GardenValve, condition: Any
) -> None:
    valve.faults.stuck = True
    await add(
        garden, module, conditions=[{"alias": "Valve is shut", "and": [condition]}], time_limit=0.4
    )

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["unmet"] == "Valve is shut"
    assert_nothing_sent(module)


async def test_an_action_that_fails_is_told_as_it_was_raised(
    garden: Garden, module: VirtualModule, valve: GardenValve
) -> None:
    valve.faults.raises = HomeAssistantError("the valve's battery is empty.")
    await add(garden, module, restore=[])

    facts = await garden.refused("safe_state_failed")

    assert facts["detail"] == "the valve's battery is empty."
    assert_nothing_sent(module)


async def test_a_valve_that_takes_longer_than_the_time_limit_is_not_waited_for(
    garden: Garden, module: VirtualModule, valve: GardenValve
) -> None:
    valve.faults.travel = 0.6
    await add(garden, module, time_limit=0.4, restore=[])

    await garden.refused("safe_state_not_confirmed")

    assert valve.moved == []
    assert_nothing_sent(module)


async def test_a_valve_that_lies_is_caught_by_a_flow_sensor(
    garden: Garden, module: VirtualModule, valve: GardenValve
) -> None:
    valve.faults.stuck = True
    valve.says(closed=True)
    garden.hass.states.async_set(FLOW, "7.5")
    await add(garden, module, conditions=[CLOSED, NO_FLOW], time_limit=0.4)

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["unmet"] == FLOW
    assert_nothing_sent(module)


@pytest.mark.parametrize("state", ["unavailable", "unknown", "nan", "none yet", None])
async def test_a_flow_sensor_that_says_nothing_confirms_nothing(
    garden: Garden, module: VirtualModule, valve: GardenValve, state: str | None
) -> None:
    if state is not None:
        garden.hass.states.async_set(FLOW, state)
    as_zero = "{{ states('sensor.flow') | float(0) < 0.1 }}"
    usual = {"unavailable", "unknown", None}
    conditions = [NO_FLOW, as_zero] if state in usual else [NO_FLOW]
    await add(garden, module, conditions=[CLOSED, *conditions], time_limit=0.4)

    facts = await garden.refused("safe_state_not_confirmed")

    assert facts["unmet"].startswith(FLOW)
    assert facts["unmet"].count(f"{FLOW}: ") == (len(conditions) if state != "none yet" else 0)
    assert_nothing_sent(module)


async def test_an_automation_that_opens_it_again_is_noticed_while_it_must_stay_closed(
    garden: Garden, module: VirtualModule, valve: GardenValve
) -> None:
    reopen = {
        "trigger": {"trigger": "state", "entity_id": VALVE, "to": "closed"},
        "action": [{"delay": {"milliseconds": 200}}, OPEN],
        "mode": "queued",
    }
    assert await async_setup_component(garden.hass, "automation", {"automation": [reopen]})
    await add(garden, module, stable=0.6, time_limit=1.2, restore=[])

    await garden.refused("safe_state_not_confirmed")

    assert valve.moved == CLOSED_AND_OPENED
    assert_nothing_sent(module)


BREAKS = {
    "it opens": lambda valve: valve.says(closed=False),
    "it is out of reach": lambda valve: valve.is_reached(False),
}


@pytest.mark.parametrize("breaks", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("condition", WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
async def test_a_valve_that_is_not_closed_any_more_ends_the_update_at_once(
    garden: Garden, start_module: StartModule, valve: GardenValve, condition: Any, breaks: Any
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.1)
    await garden.release("1.1.0")
    await add(garden, module, conditions=[condition], time_limit=4)
    refused = asyncio.create_task(garden.refused("safe_state_broken"))
    await module.wait_for(Seen.FIRST_BYTE)

    breaks(valve)

    await refused
    await module.wait_for(Seen.ABORTED)
    assert module.running_version == "1.0.0"
    assert not module.restarts
    assert garden.card.attributes["last_verdict"] == "failed"


async def test_a_valve_that_is_removed_while_sending_ends_the_update(
    garden: Garden, start_module: StartModule, valve: GardenValve
) -> None:
    module = await start_module(faults=[Fault.SLOW_SECTOR], slow_sector_time=0.1)
    await garden.release("1.1.0")
    await add(garden, module, conditions=[WAYS_TO_ASK["all of its targets"]])
    refused = asyncio.create_task(garden.refused("safe_state_broken"))
    await module.wait_for(Seen.FIRST_BYTE)

    await valve.async_remove()

    await refused
    assert module.running_version == "1.0.0"


async def test_a_valve_that_comes_back_in_time_is_waited_for(
    garden: Garden, module: VirtualModule, valve: GardenValve
) -> None:
    valve.is_reached(False)
    again = {"repeat": {"until": [CLOSED], "sequence": [CLOSE, {"delay": {"milliseconds": 50}}]}}
    await add(garden, module, actions=[again])
    install = asyncio.create_task(garden.install())
    await until(lambda: "making_safe" in garden.stages)

    valve.is_reached(True)

    await install
    assert valve.moved == CLOSED_AND_OPENED


async def test_a_restore_that_the_valve_ignores_is_told(
    garden: Garden,
    module: VirtualModule,
    valve: GardenValve,
    issue_registry: ir.IssueRegistry,
) -> None:
    entry = await add(garden, module, restore_conditions=[OPENED], time_limit=1)
    module.faults.set(Fault.BOOT_STRAP)
    install = asyncio.create_task(garden.refused("boot_strap"))
    await module.wait_for(Seen.INVITED)
    valve.faults.silent = True

    await install

    issue = issue_registry.async_get_issue(DOMAIN, f"restore_failed_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["detail"] == f"Not true after 1 s: {VALVE}."
