"""What was queued by a rollout when Home Assistant died, or a module was reloaded."""

import asyncio
from typing import Any

import pytest

from custom_components.esp_ota.house import InstallNote
from custom_components.esp_ota.rollouts import ROLLOUTS, Rollouts
from homeassistant.util import dt as dt_util
from tests.kit.garden import until
from tests.kit.rolling import act, ended, shown, start, states
from tests.kit.yard import Yard
from tests.virtual_module import Seen

pytestmark = pytest.mark.slow


def times_invited(yard: Yard) -> dict[str, int]:
    return {name: item.events.count_of(Seen.INVITED) for name, item in yard.modules.items()}


async def died(yard: Yard, stages: dict[str, str], **changes: Any) -> None:
    """Leave a rollout as a Home Assistant does that dies, each of these at a stage of its update.

    `changes` are of the note of the rollout.
    """
    await yard.set(parallel_installs=0)
    await start(yard, waves=["2"], **changes.pop("terms", {}))
    await until(lambda: shown(yard)["begun"] >= 1)
    rollout = yard.hass.data[ROLLOUTS].last
    assert rollout is not None
    await rollout.async_pause()
    await yard.hass.async_block_till_done()
    note = rollout.note
    note.update({"state": "running", **changes})  # type: ignore[typeddict-item]
    for order, (name, stage) in enumerate(stages.items(), 1):
        entry = yard.entries[name]
        [member] = [item for item in note["members"] if item["module"] == name]
        member["state"] = "begun"
        install: InstallNote = {
            "stage": stage,
            "sha256": member["sha256"],
            "version": "1.1.0",
            "before": "1.0.0",
            "started": dt_util.utcnow().isoformat(),
            "queued": {"priority": 4, "order": float(order)},
            "rollout": note["id"],
        }
        assert await yard.hass.config_entries.async_unload(entry.entry_id)
        await yard.garden.house.journal.async_write(entry.entry_id, install)
    await rollout._write()
    await yard.set(parallel_installs=2)


async def start_again(yard: Yard, *names: str) -> None:
    """Read all rollouts from the disk, and set these modules up, as the next one does."""
    again = yard.hass.data[ROLLOUTS] = Rollouts(yard.hass)
    await again.async_setup()
    await yard.hass.config_entries.async_reload(yard.house.entry_id)
    for name in names:
        await yard.hass.config_entries.async_setup(yard.entries[name].entry_id)


@pytest.mark.parametrize("state", ["paused", "cancelled", "stopped"])
async def test_what_is_not_wanted_any_more_leaves_the_queue(yard: Yard, state: str) -> None:
    await yard.open()
    await yard.add(*"ab")
    await died(yard, {"a": "queued"}, state=state)
    await start_again(yard, "a")
    journal, entry_id = yard.garden.house.journal, yard.entries["a"].entry_id
    await until(lambda: journal.open_install(entry_id) is None)
    await yard.hass.async_block_till_done()
    assert times_invited(yard) == dict.fromkeys("ab", 0)
    assert (shown(yard)["state"], yard.running("a")) == (state, "1.0.0")
    if state == "paused":
        await act(yard, "resume_rollout")
        assert states(await ended(yard)) == dict.fromkeys("ab", "updated")
        assert times_invited(yard) == dict.fromkeys("ab", 1)


async def test_what_belongs_to_a_rollout_that_nobody_knows_is_not_begun(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"ab")
    await died(yard, {"a": "queued"}, id="another")
    again = yard.hass.data[ROLLOUTS] = Rollouts(yard.hass)
    again._store.async_load = no_store  # type: ignore[method-assign]
    await again.async_setup()
    await yard.hass.config_entries.async_setup(yard.entries["a"].entry_id)
    journal, entry_id = yard.garden.house.journal, yard.entries["a"].entry_id
    await until(lambda: journal.open_install(entry_id) is None)
    await yard.hass.async_block_till_done()
    assert times_invited(yard) == dict.fromkeys("ab", 0)


async def no_store() -> None:
    return None


async def test_nobody_begins_before_it_is_known_how_one_has_ended(yard: Yard) -> None:
    """`b` was being updated and failed; `c` waited behind it, and the rollout bears no failure."""
    await yard.open()
    await yard.add(*"abcd")
    await died(yard, {"b": "sending", "c": "queued"}, rests=1)
    note = yard.hass.data[ROLLOUTS].last.note  # type: ignore[union-attr]
    note["members"][0]["state"] = "updated"
    await yard.hass.data[ROLLOUTS].last._write()  # type: ignore[union-attr]
    # `c` is there first, and a turn is free.
    await start_again(yard, "c")
    await until(lambda: yard.standing("c")[0] == 1)
    await asyncio.sleep(1.5)  # which the queue looks at each second
    assert times_invited(yard)["c"] == 0
    await yard.hass.config_entries.async_setup(yard.entries["b"].entry_id)
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "updated", "b": "failed", "c": "waits", "d": "waits"}
    assert times_invited(yard) == dict.fromkeys("abcd", 0)


async def test_who_was_skipped_or_pinned_meanwhile_is_asked_again(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abcd")
    await died(yard, {"b": "queued", "c": "queued"}, rests=1)
    note = yard.hass.data[ROLLOUTS].last.note  # type: ignore[union-attr]
    note["members"][0]["state"] = "updated"
    await yard.hass.data[ROLLOUTS].last._write()  # type: ignore[union-attr]
    for name, key, value in (("b", "pin", "1.0.*"), ("c", "hold_until", "2099-01-01")):
        entry = yard.entries[name]
        options = {**entry.options, key: value}
        yard.hass.config_entries.async_update_entry(entry, options=options)
    await start_again(yard, "b", "c")
    report = await ended(yard)
    assert states(report) == {"a": "updated", "b": "refused", "c": "refused", "d": "updated"}
    causes = [module["cause"] for module in report["modules"]]
    assert causes == [None, "pinned", "held", None]


async def test_one_that_was_taken_away_meanwhile_is_told(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"ab")
    await died(yard, {"a": "queued"})
    await yard.hass.config_entries.async_remove(yard.entries["a"].entry_id)
    await start_again(yard)
    report = await ended(yard)
    assert states(report) == {"a": "refused", "b": "updated"}
    assert report["modules"][0]["cause"] == "removed"


async def test_a_module_that_is_reloaded_while_a_rollout_is_paused_does_not_begin(
    yard: Yard,
) -> None:
    await yard.open(parallel_installs=0)
    await yard.add(*"ab")
    await start(yard)
    await until(lambda: yard.standing("a")[0] == 1)
    entry_id = yard.entries["a"].entry_id
    assert await yard.hass.config_entries.async_unload(entry_id)
    assert yard.garden.house.journal.open_install(entry_id) is not None
    await act(yard, "pause_rollout")
    await yard.set(parallel_installs=2)
    await yard.hass.config_entries.async_setup(entry_id)
    await until(lambda: yard.garden.house.journal.open_install(entry_id) is None)
    await yard.hass.async_block_till_done()
    assert times_invited(yard) == dict.fromkeys("ab", 0)
    await act(yard, "resume_rollout")
    assert states(await ended(yard)) == dict.fromkeys("ab", "updated")
