"""Rollouts leave out who is pinned, held or on another channel, when planned and when it begins."""

from datetime import timedelta
from typing import Any

import pytest

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from tests.kit.garden import until
from tests.kit.rolling import act, ended, in_order, plan, shown, start, states
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow

LATER = (dt_util.now() + timedelta(days=400)).strftime("%Y-%m-%dT08:00:00")


async def fill(yard: Yard) -> None:
    """Add a module of each kind, all running 1.0.0."""
    await yard.open()
    await yard.add("free")
    await yard.add("pinned", options={**NOTHING, "pin": "1.0.*"})
    await yard.add("wide", options={**NOTHING, "pin": ">=1.0, <2"})
    await yard.add("held", options={**NOTHING, "hold_until": LATER})
    await yard.add("beta", options={**NOTHING, "channel": "beta"})
    for entry in yard.entries.values():
        entry.runtime_data.coordinator.async_set_installed("1.0.0", "garden-valve", assumed=False)


def left_out(answer: dict[str, Any]) -> dict[str, str]:
    return {item["module"]: item["reason"] for item in answer["left_out"]}


async def test_the_plan_and_the_report_name_who_is_left_out_and_why(yard: Yard) -> None:
    await fill(yard)
    answer = await plan(yard)
    assert in_order(answer) == [["beta"], ["free", "wide"]]
    assert left_out(answer) == {"pinned": "pinned", "held": "held"}
    sentences = {item["module"]: item["sentence"] for item in answer["left_out"]}
    assert "pinned is pinned to 1.0.*, which leaves out 1.1.0." in sentences["pinned"]

    await start(yard)
    report = await ended(yard)
    assert states(report) == dict.fromkeys(("beta", "free", "wide"), "updated")
    assert left_out(report) == {"pinned": "pinned", "held": "held"}
    assert {name: yard.running(name) for name in ("pinned", "held")} == {
        "pinned": "1.0.0",
        "held": "1.0.0",
    }


@pytest.mark.parametrize("version", ["newest", "1.2.0-rc.1"])
async def test_a_pre_release_is_for_the_beta_channel_also_where_it_is_named(
    yard: Yard, version: str
) -> None:
    await fill(yard)
    await yard.garden.release("1.2.0-rc.1")
    answer = await plan(yard, version=version)
    goes_to = {m["module"]: m["to"] for wave in answer["waves"] for m in wave["modules"]}
    if version == "newest":
        assert goes_to == {"beta": "1.2.0-rc.1", "free": "1.1.0", "wide": "1.1.0"}
        assert left_out(answer) == {"pinned": "pinned", "held": "held"}
    else:
        assert goes_to == {"beta": "1.2.0-rc.1"}
        others = {"free": "channel", "wide": "channel", "pinned": "pinned", "held": "held"}
        assert left_out(answer) == others


async def test_who_runs_the_newest_that_its_pin_permits_is_left_out_as_pinned(yard: Yard) -> None:
    await fill(yard)
    await yard.garden.release("1.0.0")
    answer = await plan(yard)
    assert left_out(answer)["pinned"] == "pinned"


async def test_when_all_are_left_out_the_call_is_refused_with_the_reasons(yard: Yard) -> None:
    await fill(yard)
    with pytest.raises(ServiceValidationError) as caught:
        await plan(yard, entity_id=[yard.card("pinned"), yard.card("held")])
    assert caught.value.translation_key == "rollout_empty"
    assert_error_is_whole(caught.value)
    assert "is held until" in str(caught.value)


async def test_who_is_pinned_held_or_skipped_meanwhile_is_not_updated_and_told(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"abcde")
    await start(yard)  # of which `a` is the canary
    await until(lambda: yard.standing("a")[0] == 1)
    call = yard.hass.services.async_call
    await yard.act("pin", "b", version="1.0.0")
    await yard.act("hold", "c", until=LATER)
    await call("update", "skip", {"entity_id": yard.card("d")}, blocking=True)
    await yard.set(parallel_installs=2)
    report = await ended(yard)
    assert states(report) == {
        "a": "updated",
        "b": "refused",
        "c": "refused",
        "d": "refused",
        "e": "updated",
    }
    causes = {module["module"]: module["cause"] for module in report["modules"]}
    assert causes == {"a": None, "b": "pinned", "c": "held", "d": "skipped", "e": None}
    assert not any(yard.modules[name].events.count_of(Seen.INVITED) for name in "bcd")


async def test_a_module_that_is_removed_and_added_again_in_the_middle_is_told_so(
    yard: Yard,
) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"abc")
    await start(yard)
    await until(lambda: yard.standing("a")[0] == 1)
    entry, module = yard.entries["b"], yard.modules["b"]
    await yard.hass.config_entries.async_remove(entry.entry_id)
    await yard.add("b", port=0)
    assert yard.modules["b"] is not module
    await yard.set(parallel_installs=2)
    report = await ended(yard)
    assert states(report) == {"a": "updated", "b": "refused", "c": "updated"}
    [told] = [item for item in report["modules"] if item["module"] == "b"]
    assert told["cause"] == "removed"
    assert "removed from ESP OTA in the middle of the rollout" in told["sentence"]
    assert yard.running("b") == "1.0.0"
    answer = await plan(yard)  # a new one has it
    assert in_order(answer) == [["b"]]


async def test_one_that_is_removed_while_it_waits_in_the_queue_makes_room(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"ab")
    await start(yard)
    await until(lambda: yard.standing("a")[0] == 1)
    await yard.hass.config_entries.async_remove(yard.entries["a"].entry_id)
    await yard.set(parallel_installs=1)
    report = await ended(yard)
    assert states(report) == {"a": "refused", "b": "updated"}
    assert report["modules"][0]["cause"] == "removed"


async def test_one_that_is_renamed_in_the_middle_is_still_the_same(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"ab")
    await start(yard)
    await until(lambda: yard.standing("a")[0] == 1)
    yard.hass.config_entries.async_update_entry(yard.entries["b"], title="Back yard")
    await yard.set(parallel_installs=2)
    assert states(await ended(yard)) == dict.fromkeys("ab", "updated")
    assert shown(yard)["updated"] == 2
    with pytest.raises(ServiceValidationError):
        await act(yard, "plan_rollout", firmware="garden-valve")  # nobody is left
