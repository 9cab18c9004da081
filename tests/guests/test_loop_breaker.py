"""A guest whose update failed twice for one version is not told a third time by anybody."""

from copy import deepcopy
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import InstallNote, stored_result
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from tests.kit.garden import SAFE_STATE, patience, until
from tests.kit.guests import (
    SHORT,
    calls,
    guests_of,
    installed,
    key_of,
    move_in,
    start_again,
    update_guests,
)
from tests.kit.repairs import dialog, fix, submit
from tests.kit.rolling import ended, start, states
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.yard import Yard
from tests.neighbour.update import NeighbourUpdate

pytestmark = pytest.mark.slow

FAILS: dict[str, Any] = {"name": "hall", "does_nothing": True}
REFUSED = ("refused", "guest_tried_twice")


def repair(yard: Yard) -> ir.IssueEntry | None:
    issue_id = f"guest_tried_twice_{key_of(yard.hass, 'hall')}"
    return ir.async_get(yard.hass).async_get_issue(DOMAIN, issue_id)


async def told(yard: Yard, **data: Any) -> tuple[str, str | None]:
    """Have the guest updated, and return what it ended as."""
    line = (await update_guests(yard.garden, "hall", **data))["hall"]
    return line["verdict"], line["cause"]


async def switch_off_and_on(yard: Yard, **manner: Any) -> None:
    """Have a guest forget what it does, and run what it ran; it may behave otherwise then."""
    NeighbourUpdate.runs.clear()
    for entry in yard.hass.config_entries.async_entries("neighbour"):
        if manner:
            data = {"modules": [{"name": "hall"} | manner]}
            yard.hass.config_entries.async_update_entry(entry, data=data)
        await yard.hass.config_entries.async_reload(entry.entry_id)


async def failed_twice(yard: Yard, **manner: Any) -> None:
    """Have a guest fail twice to update."""
    await yard.open(safe_state=deepcopy(dict(SAFE_STATE)))
    await move_in(yard.hass, FAILS | manner)
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)
    for _ in range(2):
        assert repair(yard) is None
        assert (await told(yard, guest_equipment="house"))[0] in {"unchanged", "failed"}
        await switch_off_and_on(yard)


@pytest.mark.parametrize(
    "manner",
    [
        {},
        {"does_nothing": False, "raises": "no route to host"},
        {"does_nothing": False, "never_ends": True},
        {"does_nothing": False, "stays_away": True},
    ],
    ids=["does nothing", "raises", "never ends", "stays away"],
)
async def test_it_is_not_told_a_third_time_and_its_equipment_stays_on(
    yard: Yard, manner: dict[str, Any]
) -> None:
    await failed_twice(yard, **manner)
    assert len(calls()) == 2
    yard.garden.valve.clear()
    assert await told(yard, guest_equipment="house") == REFUSED
    assert len(calls()) == 2
    assert yard.garden.valve == []
    issue = repair(yard)
    assert issue is not None
    assert_issue_is_whole(issue)


async def test_that_is_kept_over_a_restart(yard: Yard) -> None:
    await failed_twice(yard)
    await start_again(yard.garden)
    assert await told(yard) == REFUSED
    assert len(calls()) == 2


async def test_a_rollout_says_so_and_leaves_it_alone(yard: Yard) -> None:
    await failed_twice(yard)
    await yard.add("valve")
    await start(yard, guests=["update.hall_firmware"], guest_equipment="nothing")
    report = await ended(yard)
    assert states(report) == {"hall": "refused", "valve": "updated"}
    assert [line["cause"] for line in report["modules"]] == ["guest_tried_twice", None]
    assert len(calls()) == 2


async def test_fix_tells_it_once_more_with_its_equipment_safe(yard: Yard) -> None:
    await failed_twice(yard)
    yard.garden.valve.clear()
    assert await fix(yard.hass, repair(yard)) == FlowResultType.CREATE_ENTRY
    key = key_of(yard.hass, "hall")
    await until(lambda: not guests_of(yard.hass).is_running(key))
    assert len(calls()) == 3
    assert yard.garden.valve == ["off", "on"]
    assert repair(yard) is not None
    assert await told(yard) == REFUSED


async def test_fix_that_helps_ends_it(yard: Yard) -> None:
    await failed_twice(yard)
    await switch_off_and_on(yard, does_nothing=False)
    assert await fix(yard.hass, repair(yard)) == FlowResultType.CREATE_ENTRY
    await until(lambda: installed(yard.hass, "hall") == "1.1.0")
    await until(lambda: repair(yard) is None)
    assert yard.garden.house.journal.failure(key_of(yard.hass, "hall")) is None


@pytest.mark.parametrize(("gone", "reason"), [(True, "not_loaded"), (False, "install_running")])
async def test_fix_says_why_it_cannot(yard: Yard, gone: bool, reason: str) -> None:
    await failed_twice(yard)
    flow = await dialog(yard.hass, repair(yard))
    if gone:
        for entry in yard.hass.config_entries.async_entries("neighbour"):
            await yard.hass.config_entries.async_unload(entry.entry_id)
        yard.hass.states.async_remove("update.hall_firmware")
    else:
        await yard.set(parallel_installs=0)
        assert await fix(yard.hass, repair(yard)) == FlowResultType.CREATE_ENTRY
    assert await submit(flow) == reason
    assert len(calls()) == 2


async def test_another_version_is_another_offer(yard: Yard) -> None:
    await failed_twice(yard)
    await switch_off_and_on(yard, latest="1.2.0")
    assert await told(yard) == ("verified", None)
    assert repair(yard) is None


async def test_a_refusal_and_a_cancelling_count_for_nothing(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, {"name": "hall", "refuses": "not now"})
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)
    for _ in range(3):
        assert await told(yard) == ("refused", "guest_refused")
    assert len(calls()) == 3
    assert yard.garden.house.journal.failure(key_of(yard.hass, "hall")) is None


async def test_one_update_that_a_crash_ends_twice_counts_once(yard: Yard) -> None:
    await yard.open()
    await move_in(yard.hass, FAILS)
    yard.garden.house.patience = patience(evidence=0.1, breath=0.1, guest=SHORT)
    assert await told(yard) == ("unchanged", "guest_unchanged")
    journal, key = yard.garden.house.journal, key_of(yard.hass, "hall")
    failure = journal.failure(key)
    assert failure is not None
    result = InstallResult(verdict=Verdict.UNCHANGED, cause=Cause.GUEST_UNCHANGED)
    note: InstallNote = {
        "stage": "done",
        "sha256": "1.1.0",
        "version": "1.1.0",
        "before": "1.0.0",
        "started": failure["started"],
        "guest": {"name": "hall", "answer": "nothing", "options": {"equipment": "nothing"}},
        "result": stored_result(result),
    }
    await journal.async_write(key, note)
    await start_again(yard.garden)
    await until(lambda: not guests_of(yard.hass).is_running(key))
    assert journal.failure(key) == failure
    assert repair(yard) is None
