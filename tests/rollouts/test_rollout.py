"""A rollout from its plan to its report, with virtual modules over real sockets."""

import pytest

from homeassistant.components import persistent_notification
from homeassistant.core import callback
from tests.kit.garden import patience
from tests.kit.rolling import ROLLOUT, ended, in_order, plan, shown, start, states
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow

NAMES = ["a", "b", "c", "d", "e"]


def invited(yard: Yard) -> list[str]:
    """Return the modules that got an image, in this order."""
    times = {
        name: module.events.last(Seen.INVITED).time
        for name, module in yard.modules.items()
        if module.events.count_of(Seen.INVITED)
    }
    return sorted(times, key=times.__getitem__)


async def test_canaries_go_first_and_waves_follow_as_planned(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add(*NAMES)
    told: list[str] = []
    yard.hass.bus.async_listen(
        "state_changed",
        callback(
            lambda event: (
                event.data["entity_id"] == "event.esp_ota_rollout"
                and told.append(event.data["new_state"].attributes["event_type"])
            )
        ),
    )
    terms = {"canaries": ["update.c_firmware"], "waves": ["40%", 1]}
    planned = await plan(yard, **terms)
    assert in_order(planned) == [["c"], ["a", "b"], ["d"], ["e"]]
    assert invited(yard) == []
    started = await start(yard, **terms)
    assert started["waves"][0]["modules"][0]["to"] == "1.1.0"
    assert in_order(started) == in_order(planned)
    report = await ended(yard)

    assert report["state"] == shown(yard)["state"] == "done"
    assert states(report) == dict.fromkeys(NAMES, "updated")
    assert invited(yard) == [name for wave in in_order(planned) for name in wave]
    assert [yard.running(name) for name in NAMES] == ["1.1.0"] * 5
    assert told == ["started"] + 3 * ["wave_started", "wave_ended"] + ["wave_started", "done"]


@pytest.mark.parametrize(
    "fault", [Fault.FLASH_WRITE_ERROR, Fault.NEVER_BACK, Fault.OLD_SKETCH_BACK]
)
async def test_a_canary_that_fails_stops_the_rollout_and_no_other_is_touched(
    yard: Yard, fault: Fault
) -> None:
    yard.garden.house.patience = patience(back=2.0)
    await yard.open(parallel_installs=4)
    await yard.add(*"abcd", faults=[fault], advertise=True)
    await start(yard)
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits", "d": "waits"}
    assert invited(yard) == ["a"]
    assert yard.queue["length"] == "0"
    assert report["modules"][0]["sentence"]
    assert yard.hass.states.get(ROLLOUT).attributes["failed"] == 1  # type: ignore[union-attr]


async def test_a_module_that_is_off_is_named_and_stops_nobody(yard: Yard) -> None:
    await yard.open(parallel_installs=2)
    await yard.add("a", is_on=False)
    await yard.add("b", "c")
    await start(yard)
    report = await ended(yard)
    assert report["state"] == "done"
    assert states(report) == {"a": "refused", "b": "updated", "c": "updated"}
    assert report["modules"][0]["cause"] == "port_closed"


async def test_the_failure_that_is_one_too_many_is_the_last_that_is_touched(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a")
    await yard.add(*"bcd", faults=[Fault.FLASH_WRITE_ERROR])
    await yard.add("e")
    await start(yard, stop_when_more_than=1)
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {
        "a": "updated",
        "b": "failed",
        "c": "failed",
        "d": "waits",
        "e": "waits",
    }
    assert invited(yard) == ["a", "b", "c"]


async def test_the_report_is_shown_with_a_line_for_each_module(yard: Yard) -> None:
    await yard.open()
    await yard.add("a", "b")
    await yard.add("off", is_on=False)
    await yard.add("pump", options={**NOTHING, "firmware": "pump"})
    await start(yard, entity_id=[yard.card(name) for name in yard.modules])
    report = await ended(yard)
    [note] = persistent_notification._async_get_or_create_notifications(yard.hass).values()
    lines = note["message"].splitlines()
    assert lines[0] == (
        "The rollout has ended. Modules updated: 2 of 3; failed: 0; not touched: 1."
    )
    assert [line.split(" ")[1] for line in lines[2:]] == ["off:", "a:", "b:", "pump:"]
    assert "None" not in note["message"]
    assert report["counts"]["updated"] == 2
    assert all(line["sentence"] for line in report["modules"])
