"""What an update in the queue waits for: conditions, modules that sleep or are away, windows."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow

RAIN = "binary_sensor.rain"
RAINING = {"condition": "state", "entity_id": RAIN, "state": "on"}
NOT_WHILE_RAINING: Mapping[str, Any] = {
    "equipment": "switches",
    "firmware": "garden-valve",
    "safe_state": {
        "inhibit": [RAINING],
        "actions": [],
        "conditions": [{"condition": "template", "value_template": "{{ true }}"}],
        "stable": 0,
        "restore": [],
    },
}
SLEEPS: Mapping[str, Any] = {**NOTHING, "sleeps": True}


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1, pauses=(0.2, 0.4))
    return Yard(garden, start_module)


class Wall:
    """The clock on the wall, which a test puts forward; asyncio goes on as before."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def go_on(self, **time: float) -> None:
        self._ahead += timedelta(**time)

    def utcnow(self) -> datetime:
        return dt_util.utcnow() + self._ahead

    def now(self) -> datetime:
        return dt_util.as_local(self.utcnow())

    def __getattr__(self, name: str) -> Any:
        return getattr(dt_util, name)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr("custom_components.esp_ota.installs.waiting.dt_util", wall)
    return wall


# What forbids it


async def test_what_is_forbidden_waits_until_it_is_over(yard: Yard) -> None:
    yard.hass.states.async_set(RAIN, "on")
    await yard.open(when_inhibited="wait", parallel_installs=1)
    await yard.add("a", options=NOT_WHILE_RAINING)
    await yard.add("b")
    pressed = yard.press("a", "b")
    await until(lambda: yard.standing("a") == (1, "condition", RAIN))
    assert (
        yard.shown("a")["queue_sentence"]
        == f"In queue: number 1, waits until this is over: {RAIN}."
    )
    await until(lambda: yard.running("b") == "1.1.0")
    yard.hass.states.async_set(RAIN, "off")
    assert await pressed == ["done", "done"]
    assert yard.running("a") == "1.1.0"


async def test_what_is_forbidden_is_refused_where_nobody_said_that_it_waits(yard: Yard) -> None:
    yard.hass.states.async_set(RAIN, "on")
    await yard.open()
    await yard.add("a", options=NOT_WHILE_RAINING)
    assert await yard.press("a") == ["inhibited"]


async def test_what_waited_too_long_is_refused_with_what_forbade_it(yard: Yard, wall: Wall) -> None:
    yard.hass.states.async_set(RAIN, "on")
    await yard.open(when_inhibited="wait", wait_hours=2)
    await yard.add("a", options=NOT_WHILE_RAINING)
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "condition")
    wall.go_on(hours=1)
    await asyncio.sleep(0.3)
    assert not pressed.done()
    wall.go_on(hours=1.1)
    assert await pressed == ["inhibited"]
    assert yard.queue["length"] == "0"


async def test_what_waited_too_long_is_told_and_waits_on_where_that_is_wanted(
    yard: Yard, wall: Wall, issue_registry: ir.IssueRegistry
) -> None:
    yard.hass.states.async_set(RAIN, "on")
    await yard.open(when_inhibited="wait", wait_hours=2, at_deadline="wait_on")
    await yard.add("a", options=NOT_WHILE_RAINING)
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "condition")
    issue_id = f"waits_long_{yard.entries['a'].entry_id}"
    wall.go_on(hours=3)
    await until(lambda: issue_registry.async_get_issue(DOMAIN, issue_id))
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert_issue_is_whole(issue)
    yard.hass.states.async_set(RAIN, "off")
    assert await pressed == ["done"]
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None


# Modules that do not answer


async def test_one_that_does_not_answer_at_its_turn_is_asked_again_after_pauses(
    yard: Yard,
) -> None:
    waits = yard.garden.house.patience
    yard.garden.house.patience = replace(waits, pauses=(*waits.pauses, 3.0, 3.0, 3.0))
    await yard.open(parallel_installs=1)
    await yard.add("a", offline_time=30)
    await yard.add("gone", "b")
    pressed = yard.press("a", "gone", "b")
    await until(lambda: yard.standing("b")[0] == 2)
    await yard.modules["gone"].power_off()
    await until(lambda: yard.standing("gone")[1] == "pause")
    assert "asked again at" in yard.shown("gone")["queue_sentence"]
    await yard.modules["gone"].power_cycle()
    assert await pressed == ["done"] * 3


async def test_one_that_is_cancelled_in_a_pause_between_two_turns_says_so(yard: Yard) -> None:
    waits = yard.garden.house.patience
    yard.garden.house.patience = replace(waits, pauses=(60.0,))
    await yard.open()
    await yard.add("a", faults={Fault.GARBAGE_REPLY: waits.install.tries})
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "pause")
    await yard.act("cancel", "a")
    assert await pressed == ["cancelled"]


async def test_one_that_stays_away_is_refused_after_the_last_pause(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", offline_time=30)
    await yard.add("gone")
    pressed = yard.press("a", "gone")
    await until(lambda: yard.standing("gone")[0] == 1)
    await yard.modules["gone"].power_off()
    assert await pressed == ["done", "port_closed"]


# Modules that sleep


async def test_a_module_that_sleeps_is_waited_for_and_updated_when_it_announces_itself(
    yard: Yard,
) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", options=SLEEPS, advertise=True)
    await yard.add("b")
    module = yard.modules["a"]
    await module.power_off()
    pressed = yard.press("a", "b")
    await until(lambda: yard.standing("a") == (1, "sign_of_life", None))
    assert yard.shown("a")["queue_sentence"] == "In queue: number 1, waits until a speaks."
    await until(lambda: yard.running("b") == "1.1.0")
    await module.power_cycle()
    back = await module.wait_for(Seen.BACK)
    invited = await module.wait_for(Seen.INVITED)
    assert invited.time - back.time < 2.0
    assert await pressed == ["done", "done"]


async def test_a_module_that_sleeps_is_woken_for_by_an_entity_that_changes(yard: Yard) -> None:
    await yard.open()
    yard.hass.states.async_set("sensor.mqtt", "1")
    await yard.add("a", options={**SLEEPS, "wake_entity": "sensor.mqtt"})
    module = yard.modules["a"]
    await module.power_off()
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "sign_of_life")
    await module.power_cycle()
    await module.wait_for(Seen.BACK)
    await asyncio.sleep(0.3)
    assert not pressed.done()
    for _ in range(2):
        yard.hass.states.async_set("sensor.mqtt", "unavailable")
    await asyncio.sleep(0.3)
    assert yard.standing("a")[1] == "sign_of_life"
    yard.hass.states.async_set("sensor.mqtt", "2")
    assert await pressed == ["done"]


async def test_a_sign_of_life_of_a_module_that_is_gone_again_is_followed_once(yard: Yard) -> None:
    await yard.open()
    await yard.add("a", options={**SLEEPS, "wake_entity": "sensor.mqtt"})
    await yard.modules["a"].power_off()
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "sign_of_life")
    yard.hass.states.async_set("sensor.mqtt", "1")
    await asyncio.sleep(1.0)
    assert yard.standing("a")[1] == "sign_of_life"
    await yard.act("cancel", "a")
    assert await pressed == ["cancelled"]


async def test_a_module_that_falls_asleep_before_the_first_byte_is_waited_for_again(
    yard: Yard,
) -> None:
    safe_state = {**NOT_WHILE_RAINING["safe_state"], "inhibit": [], "stable": 1}
    options = {**NOT_WHILE_RAINING, "safe_state": safe_state, "sleeps": True}
    await yard.open()
    await yard.add("a", options={**options, "wake_entity": "sensor.mqtt"})
    pressed = yard.press("a")
    await until(lambda: yard.shown("a")["stage"] == "making_safe")
    await yard.modules["a"].power_off()
    await until(lambda: yard.standing("a")[1] == "sign_of_life", 40)
    await yard.modules["a"].power_cycle()
    await yard.modules["a"].wait_for(Seen.BACK)
    yard.hass.states.async_set("sensor.mqtt", "1")
    assert await pressed == ["done"]


async def test_a_module_that_never_wakes_is_told_at_the_deadline(yard: Yard, wall: Wall) -> None:
    await yard.open(wait_hours=2)
    await yard.add("a", options=SLEEPS)
    await yard.modules["a"].power_off()
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "sign_of_life")
    wall.go_on(hours=2.1)
    assert await pressed == ["not_awake"]


# Windows


def window(hours: float, length: float, **more: Any) -> dict[str, Any]:
    """Return a window that opens so many hours from now, and is so many long."""
    start = dt_util.now() + timedelta(hours=hours)
    return {
        "start": f"{start:%H:%M}",
        "end": f"{start + timedelta(hours=length):%H:%M}",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    } | more


async def test_an_update_waits_for_the_window_of_the_house(yard: Yard, wall: Wall) -> None:
    opens = window(3, 2)
    await yard.open(window=opens)
    await yard.add("a", options=NOTHING)
    await yard.add("b", options={**NOTHING, "window_of": "none"})
    await yard.add("c", options={**NOTHING, "window_of": "own", "window": window(-1, 2)})
    pressed = yard.press("a", "b", "c")
    await until(lambda: yard.standing("a")[1] == "window")
    assert opens["start"] in yard.shown("a")["queue_sentence"]
    await until(lambda: [yard.running(name) for name in "abc"] == ["1.0.0", "1.1.0", "1.1.0"])
    wall.go_on(hours=3, minutes=2)
    assert await pressed == ["done"] * 3


async def test_what_cannot_end_before_the_window_closes_does_not_begin(
    yard: Yard, wall: Wall
) -> None:
    await yard.open(window=window(-1, 1.05))  # for three minutes more, and five is the guess
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "window")
    yard.garden.house.journal.note_took(yard.entries["a"].entry_id, 20.0)
    assert await pressed == ["done"]
    assert len(yard.garden.house.journal.took(yard.entries["a"].entry_id)) == 2


async def test_a_window_may_be_any_condition(yard: Yard) -> None:
    yard.hass.states.async_set(RAIN, "off")
    await yard.open(window={"conditions": [RAINING]})
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a") == (1, "window", RAIN))
    yard.hass.states.async_set(RAIN, "on")
    assert await pressed == ["done"]


async def test_a_window_that_never_opens_is_told_at_the_deadline(yard: Yard, wall: Wall) -> None:
    await yard.open(window=window(3, 0.02), wait_hours=48)
    await yard.add("a")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "window")
    wall.go_on(hours=3.01)
    await asyncio.sleep(0.3)
    assert not pressed.done()
    wall.go_on(hours=46)
    assert await pressed == ["window_missed"]


async def test_now_does_not_wait_for_the_window_and_lets_one_that_waits_begin(yard: Yard) -> None:
    await yard.open(window=window(3, 2))
    await yard.add("a", "b")
    pressed = yard.press("a")
    await until(lambda: yard.standing("a")[1] == "window")
    await yard.act("install", "b", now=True)
    await yard.act("install", "a", now=True)
    assert await pressed == ["done"]
    assert [yard.running(name) for name in "ab"] == ["1.1.0"] * 2


async def test_now_never_overrides_what_forbids_it(yard: Yard) -> None:
    yard.hass.states.async_set(RAIN, "on")
    await yard.open(window=window(3, 2))
    await yard.add("a", options=NOT_WHILE_RAINING)
    with pytest.raises(HomeAssistantError) as caught:
        await yard.act("install", "a", now=True)
    assert caught.value.translation_key == "inhibited"
