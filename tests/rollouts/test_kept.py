"""A rollout outlives Home Assistant, wherever that dies."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from custom_components.esp_ota.house import InstallNote, stored_result
from custom_components.esp_ota.house.memory import Memory
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from custom_components.esp_ota.rollouts import ROLLOUTS, Rollouts
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from tests.kit.garden import until
from tests.kit.rolling import act, ended, shown, start, states
from tests.kit.sentences import assert_error_is_whole
from tests.kit.yard import Yard
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow


def times_invited(yard: Yard) -> dict[str, int]:
    return {name: item.events.count_of(Seen.INVITED) for name, item in yard.modules.items()}


async def died(yard: Yard, **changes: Any) -> None:
    """Leave a rollout of all modules as a Home Assistant does that dies, and start again."""
    rollouts = yard.hass.data[ROLLOUTS]
    await yard.set(parallel_installs=0)
    await start(yard, **changes.pop("terms", {}))
    await until(lambda: shown(yard)["begun"] >= 1)
    rollout = rollouts.last
    assert rollout is not None
    await rollout.async_pause()
    await yard.hass.async_block_till_done()
    note = rollout.note
    note["state"] = "running"
    for index, state in changes.pop("members", {}).items():
        note["members"][index]["state"] = state
    note.update(changes)  # type: ignore[typeddict-item]
    await rollout._write()
    await yard.set(parallel_installs=2)


async def start_again(yard: Yard) -> None:
    """Read all rollouts from the disk, as the next Home Assistant does."""
    again = yard.hass.data[ROLLOUTS] = Rollouts(yard.hass)
    await again.async_setup()
    await yard.hass.config_entries.async_reload(yard.house.entry_id)


async def test_one_that_had_not_begun_anybody_begins(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    await died(yard, state="planned")
    await start_again(yard)
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abc", "updated")


async def test_who_had_been_updated_is_not_updated_again(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    await died(yard, members={0: "updated"})
    await start_again(yard)
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abc", "updated")
    assert times_invited(yard) == {"a": 0, "b": 1, "c": 1}


async def test_one_noted_as_begun_whose_update_was_not_begins_again(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    await died(yard, members={0: "begun"})
    await start_again(yard)
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abc", "updated")
    assert times_invited(yard) == dict.fromkeys("abc", 1)


async def test_one_whose_update_had_ended_is_seen_to_have_it(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    journal = yard.garden.house.journal
    await died(yard, members={0: "begun"})
    known: Any = {"version": "1.1.0", "firmware": "garden-valve", "assumed": False}
    await journal.async_remember(yard.entries["a"].entry_id, known)
    await start_again(yard)
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abc", "updated")
    assert times_invited(yard)["a"] == 0


async def test_one_whose_update_had_failed_stops_it(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    release = await yard.garden.release("1.1.0")
    await died(yard, members={0: "begun"})
    await yard.garden.house.journal.async_keep_failure(
        yard.entries["a"].entry_id, {"sha256": release.image.sha256, "tries": 1}
    )
    await start_again(yard)
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits"}
    assert set(times_invited(yard).values()) == {0}


@pytest.mark.parametrize(
    ("ended_as", "becomes", "cause"),
    [
        pytest.param(
            InstallResult(verdict=Verdict.VERIFIED, restore_error=Cause.RESTORE_FAILED),
            "failed",
            None,
            id="runs it, its equipment not restored",
        ),
        pytest.param(
            InstallResult(verdict=Verdict.VERIFIED, not_safe="garden valve closed"),
            "failed",
            None,
            id="runs it, its equipment not safe",
        ),
        pytest.param(
            InstallResult(verdict=Verdict.REFUSED, cause=Cause.WRONG_CHIP),
            "refused",
            "wrong_chip",
            id="was refused",
        ),
        pytest.param(InstallResult(verdict=Verdict.VERIFIED), "updated", None, id="runs it"),
    ],
)
async def test_how_one_had_ended_is_known_with_the_journal_closed(
    yard: Yard, ended_as: InstallResult, becomes: str, cause: str | None
) -> None:
    """Home Assistant dies behind the last note of the update, before that of the rollout."""
    await yard.open()
    await yard.add(*"abc")
    release = await yard.garden.release("1.1.0")
    await died(yard, members={0: "begun"})
    entry, journal = yard.entries["a"], yard.garden.house.journal
    rollout = yard.hass.data[ROLLOUTS].last
    assert rollout is not None
    note: InstallNote = {
        "stage": "done",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
        "rollout": rollout.note["id"],
        "result": stored_result(ended_as),
    }
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    await journal.async_write(entry.entry_id, note)
    await yard.hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: journal.open_install(entry.entry_id) is None)
    await journal.async_load()  # what the next life finds
    await start_again(yard)
    report = await ended(yard)
    goes_on = becomes in {"updated", "refused"}
    assert report["state"] == ("done" if goes_on else "stopped")
    assert states(report) == {"a": becomes} | dict.fromkeys("bc", "updated" if goes_on else "waits")
    assert report["modules"][0]["cause"] == cause
    assert report["modules"][0]["sentence"]
    assert journal.end_for(rollout.note["id"], entry.entry_id) is None


async def test_an_update_that_was_queued_goes_on_and_counts(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    release = await yard.garden.release("1.1.0")
    await died(yard, members={0: "begun"})
    entry = yard.entries["a"]
    note: InstallNote = {
        "stage": "queued",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
        "queued": {"priority": 2, "order": 1.0},
    }
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    await yard.garden.house.journal.async_write(entry.entry_id, note)
    await start_again(yard)
    await yard.hass.config_entries.async_setup(entry.entry_id)
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abc", "updated")
    assert times_invited(yard) == dict.fromkeys("abc", 1)


async def test_one_that_was_paused_stays_so(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"ab")
    await died(yard, state="paused")
    await start_again(yard)
    await yard.hass.async_block_till_done()
    assert shown(yard)["state"] == "paused"
    assert set(times_invited(yard).values()) == {0}
    await act(yard, "resume_rollout")
    await ended(yard)
    assert times_invited(yard) == dict.fromkeys("ab", 1)


async def test_a_rest_goes_on_by_the_clock_on_the_wall(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"ab")
    over = dt_util.utcnow().timestamp() - 5
    terms = {"soak": {"hours": 1}}
    await died(yard, terms=terms, members={0: "updated"}, rest_ends=over)
    await start_again(yard)
    assert states(await ended(yard)) == {"a": "updated", "b": "updated"}


async def test_a_module_that_is_reloaded_in_the_middle_goes_on(yard: Yard) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"ab")
    await start(yard)
    await until(lambda: yard.standing("a")[0] == 1)
    await yard.hass.config_entries.async_reload(yard.entries["a"].entry_id)
    await until(lambda: yard.standing("a")[0] == 1)
    await yard.set(parallel_installs=1)
    assert states(await ended(yard)) == {"a": "updated", "b": "updated"}
    assert times_invited(yard) == {"a": 1, "b": 1}


async def test_what_cannot_be_read_is_set_aside_and_told(yard: Yard) -> None:
    await yard.open()
    await yard.add("a")
    await died(yard, terms={}, id=7)
    await start_again(yard)
    assert yard.hass.data[ROLLOUTS].last is None
    assert shown(yard)["state"] == "idle"


async def test_a_canary_whose_update_was_interrupted_stops_it(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    release = await yard.garden.release("1.1.0")
    await died(yard, members={0: "begun"})
    entry = yard.entries["a"]
    note: InstallNote = {
        "stage": "making_safe",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
    }
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    await yard.garden.house.journal.async_write(entry.entry_id, note)
    await start_again(yard)
    await yard.hass.config_entries.async_setup(entry.entry_id)
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert report["modules"][0]["cause"] == "interrupted"
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits"}


async def test_one_that_is_told_while_the_rollout_starts_is_not_lost(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its journal is closed by then, and nobody has said yet how it ended."""
    await yard.open()
    await yard.add(*"abc")
    release = await yard.garden.release("1.1.0")
    await died(yard, members={0: "begun"})
    entry, journal = yard.entries["a"], yard.garden.house.journal
    interrupted = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERRUPTED)
    note: InstallNote = {
        "stage": "done",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
        "result": stored_result(interrupted),
    }
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    await journal.async_write(entry.entry_id, note)
    close = journal.async_close

    async def close_slowly(entry_id: str, *end: Any) -> None:
        await close(entry_id, *end)
        await asyncio.sleep(0.05)

    monkeypatch.setattr(journal, "async_close", close_slowly)
    again = yard.hass.data[ROLLOUTS] = Rollouts(yard.hass)
    await again.async_setup()
    await yard.hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: journal.open_install(entry.entry_id) is None)
    await yard.hass.config_entries.async_reload(yard.house.entry_id)
    report = await ended(yard)
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits"}
    assert report["modules"][0]["cause"] == "interrupted"


async def test_what_a_stop_of_home_assistant_cancels_begins_again(yard: Yard) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("a", faults=[Fault.SLOW_SECTOR], slow_sector_time=0.2)
    await yard.add("b")
    await start(yard)
    await until(lambda: times_invited(yard)["a"])
    yard.hass.data[ROLLOUTS]._async_close()
    for name in "ab":
        await yard.entries[name].runtime_data.installer.async_stop()
    assert yard.running("a") == "1.0.0"
    await start_again(yard)
    report = await ended(yard)
    assert states(report) == {"a": "updated", "b": "updated"}
    assert times_invited(yard) == {"a": 2, "b": 1}


async def test_one_that_cannot_be_written_down_does_not_begin(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await yard.open()
    await yard.add("a")

    async def full() -> bool:
        return False

    monkeypatch.setattr(yard.hass.data[ROLLOUTS]._store, "async_save", full)
    with pytest.raises(ServiceValidationError) as caught:
        await start(yard)
    assert caught.value.translation_key == "rollout_not_noted"
    assert_error_is_whole(caught.value)
    assert shown(yard)["state"] == "idle"
    assert times_invited(yard) == {"a": 0}


async def test_one_of_another_time_waits_for_a_person(
    yard: Yard, hass_storage: dict[str, Any]
) -> None:
    """As after a backup of last month was restored that was made while it ran."""
    await yard.open()
    await yard.add(*"abc")
    await died(yard, members={0: "updated"})
    key, house = "esp_ota.memory", yard.garden.house
    data = {"modules": {}, "alive": (dt_util.utcnow() - timedelta(days=30)).isoformat()}
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}
    house.memory = Memory(yard.hass)
    await house.memory.async_load()

    await start_again(yard)

    def told() -> list[str]:
        return [
            item["message"]
            for item in yard.hass.data["persistent_notification"].values()
            if "esp_ota_rollout" in item["notification_id"]
        ]

    await until(lambda: shown(yard)["state"] == "paused" and told())
    assert times_invited(yard) == {"a": 0, "b": 0, "c": 0}
    [sentence] = told()
    assert sentence.startswith("The rollout is paused, because Home Assistant was away")
    await act(yard, "resume_rollout")
    report = await ended(yard)
    assert states(report) == dict.fromkeys("abc", "updated")
