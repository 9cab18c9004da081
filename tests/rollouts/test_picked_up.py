"""What a rollout left halfway when Home Assistant died is picked up, and its end is told."""

from typing import Any

import pytest

from custom_components.esp_ota.house import InstallNote
from homeassistant.components import persistent_notification
from homeassistant.util import dt as dt_util
from tests.kit.garden import patience, until
from tests.kit.rolling import act, ended, shown, states
from tests.kit.yard import Yard
from tests.rollouts.test_kept import died, start_again, times_invited
from tests.virtual_module import Fault

pytestmark = pytest.mark.slow


async def left_in_the_queue(yard: Yard, name: str, order: float = 1.0, **more: Any) -> None:
    """Have the journal say that the update of a module was queued."""
    release = await yard.garden.release("1.1.0")
    entry = yard.entries[name]
    note: InstallNote = {
        "stage": "queued",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": dt_util.utcnow().isoformat(),
        "queued": {"priority": 2, "order": order},
    }
    assert await yard.hass.config_entries.async_unload(entry.entry_id)
    await yard.garden.house.journal.async_write(entry.entry_id, note | more)  # type: ignore[arg-type]


async def load(yard: Yard, *names: str) -> None:
    for name in names:
        await yard.hass.config_entries.async_setup(yard.entries[name].entry_id)


def is_open(yard: Yard, name: str) -> bool:
    return yard.garden.house.journal.open_install(yard.entries[name].entry_id) is not None


@pytest.mark.parametrize("state", ["paused", "cancelled"])
async def test_what_still_waits_of_a_halted_one_leaves_the_queue_after_the_start(
    yard: Yard, state: str
) -> None:
    await yard.open()
    await yard.add(*"ab")
    await died(yard, state=state, members={0: "begun"})
    await left_in_the_queue(yard, "a")
    await start_again(yard)
    await load(yard, "a")
    await until(lambda: not is_open(yard, "a"))
    await until(lambda: shown(yard)["begun"] == 0)
    assert shown(yard)["state"] == state
    assert states(await act(yard, "rollout_report")) == {"a": "waits", "b": "waits"}
    assert set(times_invited(yard).values()) == {0}


async def test_what_was_interrupted_while_it_was_paused_counts(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"ab")
    await died(yard, state="paused", members={0: "begun"})
    await left_in_the_queue(yard, "a", stage="making_safe")
    await start_again(yard)
    await load(yard, "a")
    await until(lambda: not is_open(yard, "a"))
    await until(lambda: shown(yard)["failed"] == 1)
    await act(yard, "resume_rollout")
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "waits"}
    assert set(times_invited(yard).values()) == {0}


async def test_nobody_who_was_queued_begins_once_a_canary_has_failed(yard: Yard) -> None:
    """The second canary was queued when Home Assistant died: it is held like all others."""
    await yard.open()
    await yard.add(*"abc")
    terms = {"canaries": 2}
    await died(yard, terms=terms, members={0: "begun", 1: "begun"})
    await yard.set(parallel_installs=1)
    yard.modules["a"].faults.set(Fault.FLASH_WRITE_ERROR)
    await left_in_the_queue(yard, "a", 1.0)
    await left_in_the_queue(yard, "b", 2.0)
    await start_again(yard)
    await load(yard, "a", "b")
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits"}
    assert times_invited(yard) == {"a": 1, "b": 0, "c": 0}


async def test_one_that_fails_before_the_rollout_goes_on_holds_the_others(yard: Yard) -> None:
    await yard.open()
    await yard.add(*"abc")
    await died(yard, members={0: "failed", 1: "begun"})
    await left_in_the_queue(yard, "b")
    await start_again(yard)
    await load(yard, "b")
    report = await ended(yard)
    assert states(report) == {"a": "failed", "b": "waits", "c": "waits"}
    assert set(times_invited(yard).values()) == {0}


async def test_who_has_the_image_is_carried_to_its_end_although_the_rollout_is_over(
    yard: Yard,
) -> None:
    await yard.open()
    await yard.add(*"abc")
    await died(yard, members={0: "failed", 1: "begun"})
    await left_in_the_queue(yard, "b", stage="restarting")
    yard.garden.house.patience = patience(go=0.3, back=0.5, evidence=0.1)
    await start_again(yard)
    await load(yard, "b")
    report = await ended(yard)
    assert report["state"] == "stopped"
    assert states(report) == {"a": "failed", "b": "updated", "c": "waits"}


@pytest.mark.parametrize("state", ["done", "stopped", "cancelled"])
async def test_an_end_that_nobody_was_told_is_told_after_the_start_once(
    yard: Yard, state: str
) -> None:
    await yard.open()
    await yard.add("a")
    await died(yard, state=state, ended=dt_util.utcnow().isoformat(), members={0: "updated"})
    assert await reports_shown(yard) == 1
    assert await reports_shown(yard) == 0


async def reports_shown(yard: Yard) -> int:
    """Start again, and return how many reports are shown then that were not before."""
    persistent_notification.async_dismiss_all(yard.hass)
    await start_again(yard)
    await yard.hass.async_block_till_done(wait_background_tasks=True)
    ids: list[str] = list(yard.hass.data["persistent_notification"])
    return sum("rollout" in item for item in ids)
