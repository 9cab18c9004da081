"""One queue of the house: what runs beside what, and what every waiting card says."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, label_registry as lr
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard
from tests.virtual_module import Fault

pytestmark = pytest.mark.slow

BUSY = {"making_safe", "sending", "restarting", "verifying", "restoring"}
SLOW = {"faults": [Fault.SLOW_SECTOR], "slow_sector_time": 0.02}


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    return Yard(garden, start_module)


@contextmanager
def watched(yard: Yard) -> Iterator[list[frozenset[str]]]:
    """Yield the sets of modules that were busy together."""
    busy: set[str] = set()
    seen: list[frozenset[str]] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None or state.domain != "update":
            return
        name = state.object_id.removesuffix("_firmware")
        (busy.add if state.attributes["stage"] in BUSY else busy.discard)(name)
        seen.append(frozenset(busy))

    stop = yard.hass.bus.async_listen("state_changed", changed)
    yield seen
    stop()


async def test_two_of_one_area_are_never_updated_together(yard: Yard) -> None:
    await yard.open(parallel_installs=4)
    await yard.add("a", "b", area="Garden", **SLOW)
    await yard.add("c", area="Cellar", **SLOW)
    with watched(yard) as seen:
        pressed = yard.press("a", "b", "c")
        await until(lambda: yard.standing("b") == (1, "group", "Garden"))
        assert yard.shown("b")["queue_sentence"] == "In queue: number 1, waits for Garden."
        assert yard.shown("b")["stage"] == "queued"
        assert await pressed == ["done"] * 3

    assert not any({"a", "b"} <= busy for busy in seen)
    assert any({"a", "c"} <= busy for busy in seen)
    assert [yard.running(name) for name in "abc"] == ["1.1.0"] * 3
    assert yard.standing("b") == (None, None, None)
    assert yard.shown("b")["queue_sentence"] is None


@pytest.mark.parametrize(
    ("options", "together"),
    [
        ({"stagger": "area"}, {("a", "c"), ("b", "c")}),
        ({"stagger": "label"}, {("a", "b"), ("b", "c")}),
        ({"stagger": "label", "stagger_labels": ["other"]}, {("a", "b"), ("a", "c"), ("b", "c")}),
        ({"stagger": "module"}, {("a", "b"), ("a", "c"), ("b", "c")}),
    ],
)
async def test_what_makes_a_group_is_an_option_of_the_house(
    yard: Yard, options: dict[str, object], together: set[tuple[str, str]]
) -> None:
    await yard.open(parallel_installs=9, **options)
    await yard.add("a", "b", area="Garden")
    await yard.add("c")
    devices, labels = dr.async_get(yard.hass), lr.async_get(yard.hass)
    pump = labels.async_create("Pump")
    for name in "ac":
        [device] = dr.async_entries_for_config_entry(devices, yard.entries[name].entry_id)
        devices.async_update_device(device.id, labels={pump.label_id})
    queue = yard.garden.house.queue
    groups = {}
    for name in "abc":
        ticket = queue.async_join(yard.entries[name])
        groups[name] = ticket.groups.keys()
        queue.async_leave(ticket)

    pairs = {("a", "b"), ("a", "c"), ("b", "c")}
    assert {(one, two) for one, two in pairs if not groups[one] & groups[two]} == together


async def test_who_moves_to_another_area_while_it_waits_waits_for_that(yard: Yard) -> None:
    await yard.open(parallel_installs=4)
    await yard.add("a", area="Garden", offline_time=60)
    await yard.add("b", area="Garden")
    pressed = yard.press("a", "b")
    await until(lambda: yard.standing("b") == (1, "group", "Garden"))
    yard.move("b", "Cellar")
    await until(lambda: yard.running("b") == "1.1.0")
    assert yard.shown("a")["stage"] is not None
    await pressed


async def test_a_changed_limit_holds_at_once_and_lets_no_more_run(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add(*"abcd", **SLOW)
    with watched(yard) as seen:
        pressed = yard.press(*"abcd")
        await until(lambda: yard.standing("d") == (3, "turn", None))
        assert yard.shown("d")["queue_sentence"] == "In queue: number 3, waits for its turn."
        await until(lambda: max(map(len, seen)) == 1)
        await yard.set(parallel_installs=3)
        await until(lambda: max(map(len, seen)) == 3)
        await yard.set(parallel_installs=1)
        del seen[:]
        assert await pressed == ["done"] * 4
    assert max(map(len, seen)) == 3  # those that ran already


async def test_the_sensor_says_who_runs_and_who_waits_for_what(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", "b", area="Garden", **SLOW)
    await yard.add("c")
    assert yard.queue["length"] == "0"
    pressed = yard.press("a", "b", "c")
    await until(lambda: yard.queue["length"] == "2" and yard.queue["running"] == ["a"])
    assert yard.queue["waiting"] == [
        {"module": "b", "place": 1, "waits_because": "group", "waits_for": "Garden"},
        {"module": "c", "place": 2, "waits_because": "turn", "waits_for": None},
    ]
    await pressed
    await until(lambda: yard.queue["length"] == "0" and yard.queue["running"] == [])


async def test_one_that_waits_is_moved_and_one_is_cancelled(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", offline_time=60)
    await yard.add(*"bcd")
    pressed = yard.press(*"abcd")
    await until(lambda: yard.standing("d")[0] == 3)
    await yard.act("move_in_queue", "d", place=1)
    await until(lambda: [yard.standing(name)[0] for name in "bcd"] == [2, 3, 1])
    await yard.act("cancel", "b")
    await until(lambda: [yard.standing(name)[0] for name in "cd"] == [2, 1])
    with pytest.raises(HomeAssistantError) as caught:
        await yard.act("move_in_queue", "a", place=1)
    assert caught.value.translation_key == "not_queued"
    assert_error_is_whole(caught.value)

    assert await pressed == ["done", "cancelled", "done", "done"]
    assert yard.running("b") == "1.0.0"


async def test_a_refusal_or_an_offline_module_keeps_nobody_from_updating(yard: Yard) -> None:
    forbids = {"condition": "template", "value_template": "{{ true }}"}
    safe_state = {
        "inhibit": [forbids],
        "actions": [],
        "conditions": [forbids],
        "stable": 0,
        "restore": [],
    }
    await yard.open(parallel_installs=1)
    await yard.add("a")
    await yard.add("off", is_on=False)
    await yard.add(
        "shut",
        options={"equipment": "switches", "firmware": "garden-valve", "safe_state": safe_state},
    )
    await yard.add("z")

    assert await yard.press("off", "shut", "a", "z") == [
        "port_closed",
        "inhibited",
        "done",
        "done",
    ]


async def test_one_that_goes_while_it_waits_is_passed_over(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", **SLOW)
    await yard.add("gone", "b")
    pressed = yard.press("a", "gone", "b")
    await until(lambda: yard.standing("b")[0] == 2)
    await yard.modules["gone"].power_off()
    await until(lambda: yard.running("b") == "1.1.0")
    pressed.cancel()


async def test_an_automation_that_is_stopped_in_the_middle_stops_no_update(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add(*"abc", **SLOW)
    cards = [yard.card(name) for name in "abc"]
    config = {
        "alias": "Nightly",
        "triggers": [{"trigger": "event", "event_type": "night"}],
        "actions": [{"action": "update.install", "target": {"entity_id": cards}}],
    }
    assert await async_setup_component(yard.hass, "automation", {"automation": config})
    yard.hass.bus.async_fire("night")
    await until(lambda: {yard.shown(name)["queue_place"] for name in "abc"} == {None, 1, 2})
    await yard.hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.nightly"}, blocking=True
    )

    await until(lambda: [yard.running(name) for name in "abc"] == ["1.1.0"] * 3)
    await until(lambda: yard.queue["length"] == "0")
