"""A rollout that is paused, resumed, cancelled, and left out of the queue meanwhile."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from custom_components.esp_ota.rollouts import ROLLOUTS, actions
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.kit.garden import patience, until
from tests.kit.rolling import act, ended, plan, shown, start, states
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow

SLOW: dict[str, Any] = {"faults": [Fault.SLOW_SECTOR], "slow_sector_time": 0.05}


def touched(yard: Yard) -> list[str]:
    return [name for name, item in yard.modules.items() if item.events.count_of(Seen.INVITED)]


async def under_way(yard: Yard) -> None:
    """Have `a` updated, `b` being updated, and `c` and `d` waiting behind it."""
    await yard.open(parallel_installs=1)
    await yard.add("a")
    await yard.add(*"bcd", **SLOW)
    await start(yard)
    await until(lambda: yard.shown("b")["stage"] == "sending")
    await until(lambda: yard.standing("d")[0] == 2)


async def test_a_pause_empties_the_queue_and_ends_nothing_that_runs(yard: Yard) -> None:
    await under_way(yard)
    await act(yard, "pause_rollout")
    assert shown(yard)["state"] == "paused"
    await until(lambda: yard.running("b") == "1.1.0" and yard.shown("b")["stage"] is None)
    await yard.hass.async_block_till_done()
    assert touched(yard) == ["a", "b"]
    assert yard.queue["length"] == "0"
    await until(lambda: (shown(yard)["updated"], shown(yard)["waits"]) == (2, 2))

    left = await act(yard, "resume_rollout")
    assert [[m["module"] for m in wave["modules"]] for wave in left["waves"]] == [["c", "d"]]
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abcd", "updated")
    assert all(module.events.count_of(Seen.INVITED) == 1 for module in yard.modules.values())


async def test_one_that_is_resumed_while_an_update_still_runs_touches_nobody_twice(
    yard: Yard,
) -> None:
    await under_way(yard)
    await act(yard, "pause_rollout")
    await act(yard, "resume_rollout")
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abcd", "updated")
    assert all(module.events.count_of(Seen.INVITED) == 1 for module in yard.modules.values())


async def canary_goes_back(yard: Yard, action: str) -> None:
    """Have a canary go back to the queue of a rollout that is halted in its turn."""
    waits = patience(evidence=0.1, breath=0.1, retry_pause=0.7, pauses=(0.5, 0.5, 60.0))
    yard.garden.house.patience = waits
    await yard.open()
    await yard.add("a", faults={Fault.GARBAGE_REPLY: waits.install.tries})
    await yard.add("b")
    await start(yard, canaries=1)
    await yard.modules["a"].wait_for(Seen.INVITED)
    await act(yard, action)


async def test_one_that_goes_back_to_the_queue_of_a_paused_rollout_leaves_it(yard: Yard) -> None:
    await canary_goes_back(yard, "pause_rollout")
    await act(yard, "resume_rollout")
    report = await ended(yard)
    assert report["state"] == "done"
    assert states(report) == dict.fromkeys("ab", "updated")


async def test_one_that_goes_back_to_the_queue_of_a_cancelled_rollout_leaves_it(yard: Yard) -> None:
    await canary_goes_back(yard, "cancel_rollout")
    await until(lambda: yard.shown("a")["in_progress"] is False)
    await until(lambda: shown(yard)["waits"] == 2)
    report = await act(yard, "rollout_report")
    assert states(report) == dict.fromkeys("ab", "waits")
    assert yard.queue["length"] == "0"


async def test_what_is_cancelled_is_over_and_says_so(yard: Yard) -> None:
    await under_way(yard)
    answer = await act(yard, "cancel_rollout")
    assert answer["state"] == shown(yard)["state"] == "cancelled"
    await until(lambda: yard.running("b") == "1.1.0" and yard.shown("b")["stage"] is None)
    await until(lambda: shown(yard)["updated"] == 2)
    report = await act(yard, "rollout_report")
    assert states(report) == {"a": "updated", "b": "updated", "c": "waits", "d": "waits"}
    assert report["ended"] is not None
    assert yard.queue["length"] == "0"
    for action in ("pause_rollout", "resume_rollout", "cancel_rollout"):
        with pytest.raises(ServiceValidationError) as caught:
            await act(yard, action, rollout=report["rollout"])
        assert caught.value.translation_key == "rollout_is_cancelled"
        assert_error_is_whole(caught.value)
    assert len((await plan(yard))["waves"][0]["modules"]) == 1


async def test_a_module_belongs_to_one_rollout_at_a_time(yard: Yard) -> None:
    await under_way(yard)
    await act(yard, "pause_rollout")
    await yard.add("new")
    planned = await plan(yard)
    assert [m["module"] for m in planned["waves"][0]["modules"]] == ["new"]
    assert {item["module"]: item["reason"] for item in planned["left_out"]} == dict.fromkeys(
        "abcd", "other_rollout"
    )
    with pytest.raises(HomeAssistantError) as caught:
        await start(yard, entity_id=[yard.card("c")])
    assert caught.value.translation_key == "rollout_empty"
    assert_error_is_whole(caught.value)
    await act(yard, "cancel_rollout")


async def test_a_member_that_somebody_cancels_is_passed_by(yard: Yard) -> None:
    await under_way(yard)
    await yard.act("cancel", "c")
    report = await ended(yard)
    assert states(report) == {"a": "updated", "b": "updated", "c": "cancelled", "d": "updated"}
    assert report["state"] == "done"


async def test_members_that_are_removed_or_renamed_meanwhile_stop_nobody(yard: Yard) -> None:
    await under_way(yard)
    await yard.hass.config_entries.async_remove(yard.entries["c"].entry_id)
    yard.hass.config_entries.async_update_entry(yard.entries["d"], title="other name")
    report = await ended(yard)
    assert states(report)["d"] == "updated"
    assert states(report)["c"] in {"refused", "cancelled"}
    assert report["state"] == "done"


async def test_a_member_that_is_disabled_meanwhile_is_passed_by_for_good(yard: Yard) -> None:
    await under_way(yard)
    entries, entry_id = yard.hass.config_entries, yard.entries["c"].entry_id
    await entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    report = await ended(yard)
    assert states(report) == {"a": "updated", "b": "updated", "c": "cancelled", "d": "updated"}

    await entries.async_set_disabled_by(entry_id, None)
    await yard.hass.async_block_till_done(wait_background_tasks=True)
    assert touched(yard) == ["a", "b", "d"]


async def test_of_two_that_are_started_at_once_only_one_takes_the_modules(yard: Yard) -> None:
    await yard.open()
    await yard.add("a", "b")
    answers = await asyncio.gather(start(yard), start(yard), return_exceptions=True)
    [refused] = [item for item in answers if isinstance(item, HomeAssistantError)]
    assert refused.translation_key == "rollout_empty"
    assert states(await ended(yard)) == dict.fromkeys("ab", "updated")
    assert all(module.events.count_of(Seen.INVITED) == 1 for module in yard.modules.values())


async def test_what_is_rolled_out_stays_in_the_library_until_it_is_over(yard: Yard) -> None:
    await under_way(yard)
    await act(yard, "pause_rollout")
    release = {"firmware": "garden-valve", "version": "1.1.0"}
    await until(lambda: yard.shown("b")["stage"] is None)
    with pytest.raises(ServiceValidationError) as caught:
        await act(yard, "remove_firmware", **release)
    assert caught.value.translation_key == "release_in_use"
    await act(yard, "cancel_rollout")
    await yard.hass.async_block_till_done()
    await act(yard, "remove_firmware", **release)


async def test_one_that_is_cancelled_while_it_is_resumed_stays_cancelled(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await under_way(yard)
    await act(yard, "pause_rollout")
    shown_before = actions.async_shown

    async def cancelled_meanwhile(*args: Any) -> Any:
        plan = await shown_before(*args)
        await act(yard, "cancel_rollout")
        return plan

    monkeypatch.setattr(actions, "async_shown", cancelled_meanwhile)
    with pytest.raises(ServiceValidationError) as caught:
        await act(yard, "resume_rollout")
    assert caught.value.translation_key == "rollout_is_cancelled"
    assert_error_is_whole(caught.value)
    report = await ended(yard)
    assert report["state"] == "cancelled"
    assert touched(yard) == ["a", "b"]


@pytest.mark.parametrize("write", [1, 2])
async def test_one_that_is_cancelled_while_it_is_written_down_does_not_begin(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """The first write is of what was planned, the second of that it runs."""
    await yard.open()
    await yard.add(*"ab")
    rollouts = yard.hass.data[ROLLOUTS]
    save, writes, told = rollouts._store.async_save, [], []
    rollouts.async_add_listener(lambda event, _progress: event and told.append(event))

    async def save_and_cancel() -> bool:
        writes.append(write)
        number, is_saved = len(writes), await save()
        if number == write:
            await act(yard, "cancel_rollout")
        return is_saved

    monkeypatch.setattr(rollouts._store, "async_save", save_and_cancel)
    with suppress(ServiceValidationError):  # told where it had not begun at all
        await start(yard)
    report = await ended(yard)
    assert report["state"] == "cancelled"
    assert told == ["cancelled"]
    assert touched(yard) == []


async def test_who_went_further_meanwhile_is_not_taken_back_by_a_named_version(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add("a", "b")
    for entry in yard.entries.values():
        coordinator = entry.runtime_data.coordinator
        coordinator.async_set_installed("1.0.0", "garden-valve", assumed=False)
    await start(yard, version="1.1.0")
    await until(lambda: yard.queue["length"] == "1")
    await act(yard, "pause_rollout")
    coordinator = yard.entries["b"].runtime_data.coordinator
    coordinator.async_set_installed("1.2.0", "garden-valve", assumed=False)
    await yard.set(parallel_installs=1)
    await act(yard, "resume_rollout")
    report = await ended(yard)
    assert states(report) == {"a": "updated", "b": "refused"}
    assert report["modules"][1]["cause"] == "downgrade"
    assert touched(yard) == ["a"]


async def test_who_runs_something_newer_from_the_beginning_is_taken_back(yard: Yard) -> None:
    await yard.open()
    await yard.add("a")
    coordinator = yard.entries["a"].runtime_data.coordinator
    coordinator.async_set_installed("1.2.0", "garden-valve", assumed=False)
    await start(yard, version="1.1.0")
    report = await ended(yard)
    assert states(report) == {"a": "updated"}
