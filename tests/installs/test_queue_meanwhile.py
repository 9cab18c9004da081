"""What changes while an update waits in the queue: options, and what it waits for."""

from typing import Any

from aiohttp.test_utils import unused_port
import pytest

from tests.installs.test_waiting import RAIN, RAINING, Wall, wall, window
from tests.kit.entries import StartModule
from tests.kit.equipment import taken
from tests.kit.garden import SAFE_STATE, Garden, options_for, patience, until
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Seen

__all__ = ["wall"]

pytestmark = pytest.mark.slow

SUN = "binary_sensor.sun"
SUNNY = {"condition": "state", "entity_id": SUN, "state": "on"}
TOUCHES_NOTHING: dict[str, Any] = {
    "actions": [],
    "conditions": [{"condition": "template", "value_template": "{{ true }}"}],
    "stable": 0,
    "restore": [],
}
OF_HOUSE = {**NOTHING, "equipment": "house"}
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
"""Of minisign's own documentation."""


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1, pauses=(0.2, 0.4))
    return Yard(garden, start_module)


async def test_no_equipment_is_held_by_who_waits_for_a_window(yard: Yard, wall: Wall) -> None:
    """The window closed while it waited for the equipment."""
    await yard.open(window=window(-1, 2))
    await yard.add("a", options=options_for())
    await yard.add("b", options=options_for(window_of="none"))
    with taken(yard.hass):
        first = yard.press("a")
        await until(lambda: yard.standing("a")[1] == "equipment")
        wall.go_on(hours=3)
    await until(lambda: yard.standing("a")[1] == "window")
    assert await yard.press("b") == ["done"]
    assert not first.done()
    wall.go_on(hours=20)
    assert await first == ["done"]


async def test_a_window_that_is_changed_meanwhile_is_that_which_holds(yard: Yard) -> None:
    for entity_id in (RAIN, SUN):
        yard.hass.states.async_set(entity_id, "off")
    await yard.open(window={"conditions": [RAINING]})
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a") == (1, "window", RAIN))
    await yard.set(window={"conditions": [SUNNY]})
    yard.hass.states.async_set(RAIN, "on")
    await until(lambda: yard.standing("a") == (1, "window", SUN))
    assert yard.running("a") == "1.0.0"
    yard.hass.states.async_set(SUN, "on")
    assert await pressed == ["done"]


async def test_a_window_that_is_set_meanwhile_holds_for_who_waits_already(
    yard: Yard, wall: Wall
) -> None:
    yard.hass.states.async_set(RAIN, "off")
    await yard.open(parallel_installs=0)
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "turn")
    await yard.set(parallel_installs=1, window={"conditions": [RAINING]}, wait_hours=2)
    await until(lambda: yard.standing("a") == (1, "window", RAIN))
    assert yard.running("a") == "1.0.0"
    wall.go_on(hours=3)
    assert await pressed == ["window_missed"]


async def test_the_safe_state_of_the_house_is_that_of_the_turn(yard: Yard) -> None:
    await yard.open(parallel_installs=0, safe_state=TOUCHES_NOTHING)
    await yard.add("a", options=OF_HOUSE)
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "turn")
    await yard.set(parallel_installs=1, safe_state=dict(SAFE_STATE))
    assert await pressed == ["done"]
    assert yard.garden.valve == ["off", "on"]


async def test_a_safe_state_of_the_house_that_is_taken_away_is_missed(yard: Yard) -> None:
    await yard.open(parallel_installs=0, safe_state=dict(SAFE_STATE))
    await yard.add("a", options=OF_HOUSE)
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "turn")
    await yard.set(parallel_installs=1, safe_state={})
    assert await pressed == ["house_safe_state_missing"]
    assert yard.garden.valve == []


async def test_the_safe_state_is_that_of_now_also_for_who_waits_for_equipment(yard: Yard) -> None:
    await yard.open(safe_state=dict(SAFE_STATE))
    await yard.add("a", options=OF_HOUSE)
    with taken(yard.hass):
        pressed = yard.press("a")
        await until(lambda: yard.standing("a")[1] == "equipment")
        await yard.set(safe_state=dict(SAFE_STATE) | {"restore": []})
    assert await pressed == ["done"]
    assert yard.garden.valve == ["off"]


async def test_nobody_goes_back_from_what_was_flashed_by_a_cable_meanwhile(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "turn")
    coordinator = yard.entries["a"].runtime_data.coordinator
    coordinator.async_set_installed("1.2.0", "garden-valve", assumed=False)
    await yard.set(parallel_installs=1)
    assert await pressed == ["downgrade"]
    assert yard.running("a") == "1.0.0"


async def test_a_key_that_is_given_meanwhile_is_asked_for(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "turn")
    await yard.set(parallel_installs=1, signing_keys={"garden-valve": KEY})
    assert await pressed == ["signature_missing"]
    assert yard.running("a") == "1.0.0"


async def test_a_call_back_port_that_is_set_meanwhile_is_that_which_is_told(yard: Yard) -> None:
    """A firewall was opened for it since."""
    await yard.open(parallel_installs=0)
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "turn")
    port = unused_port()
    await yard.set(parallel_installs=1, callback_port=port)
    assert await pressed == ["done"]
    assert yard.modules["a"].events.last(Seen.INVITED).details["port"] == port
