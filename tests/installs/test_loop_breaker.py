"""An image that failed twice in a row on a module is not sent a third time, by whatever way."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.journal import Journal
from custom_components.esp_ota.repairs import async_create_fix_flow
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import UNTOUCHED, Garden, options_for, patience, until
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Fault, FaultPlan, Seen, VirtualModule

pytestmark = pytest.mark.slow

PATIENT = patience(evidence=1.0, go=1.0)


async def add(garden: Garden, module: VirtualModule, **options: Any) -> MockConfigEntry:
    """Set up a module that says what it runs, with an older and a newer version in the library."""
    garden.house.patience = PATIENT
    await garden.release("1.0.0")
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for(**options)))
    await garden.runs("1.0.0")
    return entry


def repair(garden: Garden, entry: MockConfigEntry) -> ir.IssueEntry | None:
    issues = ir.async_get(garden.hass)
    return issues.async_get_issue(DOMAIN, f"offered_twice_{entry.entry_id}")


async def fix(garden: Garden, entry: MockConfigEntry) -> None:
    """Press Fix and Submit, as the repairs page does."""
    issue = repair(garden, entry)
    assert issue is not None
    data = dict(issue.data or {})
    flow = await async_create_fix_flow(garden.hass, issue.issue_id, data)
    flow.hass, flow.issue_id, flow.data = garden.hass, issue.issue_id, data
    flow.handler, flow.flow_id, flow.context = DOMAIN, "1", {}
    ended = await flow.async_step_confirm({})
    assert ended["type"] is FlowResultType.CREATE_ENTRY


async def ended(garden: Garden) -> None:
    await until(lambda: garden.card.attributes["stage"] is not None)
    await until(lambda: garden.card.attributes["stage"] is None)
    await garden.hass.async_block_till_done()


def sent(module: VirtualModule) -> int:
    return module.events.count_of(Seen.FIRST_BYTE)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.OLD_SKETCH_BACK, "old_version_back"),
        (Fault.WRONG_MD5, "md5_mismatch"),
        (Fault.NO_RESTART, "did_not_restart"),
    ],
)
async def test_a_pushed_image_that_failed_twice_is_not_sent_a_third_time(
    garden: Garden, start_module: StartModule, fault: Fault, cause: str
) -> None:
    module = await start_module(advertise=True, faults=[fault])
    entry = await add(garden, module)
    await garden.refused(cause, "1.1.0")
    assert repair(garden, entry) is None
    await garden.refused(cause, "1.1.0")
    issue = repair(garden, entry)
    assert issue is not None
    assert_issue_is_whole(issue)
    assert sent(module) == 2
    garden.valve.clear()

    await garden.refused("offered_twice", "1.1.0")

    assert sent(module) == 2
    garden.assert_at_rest(entry, UNTOUCHED)
    assert repair(garden, entry) is not None


async def test_fix_sends_it_once_more_and_only_once(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    entry = await add(garden, module)
    for _ in range(2):
        await garden.refused("old_version_back")

    await fix(garden, entry)
    await ended(garden)
    assert sent(module) == 3
    assert repair(garden, entry) is not None
    await garden.refused("offered_twice")
    assert sent(module) == 3

    module.board.faults = FaultPlan([])
    await fix(garden, entry)
    await ended(garden)
    assert module.running_version == "1.1.0"
    assert repair(garden, entry) is None
    assert garden.house.journal.failure(entry.entry_id) is None


async def test_a_fix_that_cannot_begin_leaves_the_repair(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    entry = await add(garden, module)
    for _ in range(2):
        await garden.refused("old_version_back")
    await module._stop()

    await fix(garden, entry)
    await ended(garden)
    assert garden.card.attributes["last_verdict"] == "refused"
    assert repair(garden, entry) is not None
    await garden.refused("offered_twice")


async def test_failures_of_different_causes_are_counted_apart(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = await add(garden, module)
    causes = {
        Fault.OLD_SKETCH_BACK: "old_version_back",
        Fault.WRONG_MD5: "md5_mismatch",
        Fault.NO_RESTART: "did_not_restart",
    }
    for fault, cause in causes.items():
        module.board.faults = FaultPlan([fault])
        await garden.refused(cause)
        assert repair(garden, entry) is None

    await garden.refused("did_not_restart")
    await garden.refused("offered_twice")


async def test_what_else_runs_and_then_still_runs_is_one_cause(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.WRONG_VERSION_BACK])
    await add(garden, module)
    await garden.refused("other_version_back", "1.1.0")
    await garden.refused("old_version_back", "1.1.0")
    await garden.refused("offered_twice", "1.1.0")
    assert sent(module) == 2


async def test_a_success_and_another_image_begin_the_count_anew(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    entry = await add(garden, module)
    await garden.release("1.2.0")
    await garden.refused("old_version_back", "1.1.0")
    await garden.refused("old_version_back", "1.2.0")
    await garden.refused("old_version_back", "1.1.0")
    assert repair(garden, entry) is None

    module.board.faults = FaultPlan([])
    await garden.install("1.2.0")
    assert garden.house.journal.failure(entry.entry_id) is None


async def test_what_was_never_sent_is_not_counted(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = await add(garden, module)
    await module._stop()
    for _ in range(3):
        with pytest.raises(Exception, match=r"."):
            await garden.install()
    assert garden.house.journal.failure(entry.entry_id) is None


async def test_an_image_that_was_put_back_from_twice_is_not_sent_again(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = await add(garden, module, rollback="auto")
    await garden.release("0.0.1")
    for _ in range(2):
        module.board.faults = FaultPlan({Fault.WRONG_VERSION_BACK: 1})
        await garden.refused("went_back")
        assert module.running_version == "1.0.0"
    assert repair(garden, entry) is not None

    await garden.refused("offered_twice")
    assert sent(module) == 4


async def test_who_goes_back_by_an_action_has_mended_nothing(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    entry = await add(garden, module)
    for _ in range(2):
        module.board.faults = FaultPlan({Fault.WRONG_VERSION_BACK: 1})
        await garden.refused("other_version_back", "1.1.0")
        back = {"entity_id": "update.garden_valve_firmware"}
        await garden.hass.services.async_call(DOMAIN, "rollback", back, blocking=True)
        assert module.running_version == "1.0.0"

    assert repair(garden, entry) is not None
    await garden.refused("offered_twice", "1.1.0")


async def test_the_count_outlives_a_restart_of_home_assistant(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    entry = await add(garden, module)
    await garden.refused("old_version_back")

    again = Journal(garden.hass)
    await again.async_load()
    garden.house.journal = again
    await garden.refused("old_version_back")
    await garden.refused("offered_twice")
    assert sent(module) == 2
    assert repair(garden, entry) is not None


async def test_a_count_of_release_0_1_0_still_counts(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.OLD_SKETCH_BACK])
    entry = await add(garden, module)
    (release,) = garden.house.library.find("garden-valve", "1.1.0")
    old = {"sha256": release.image.sha256, "tries": 1}
    garden.house.journal._failed[entry.entry_id] = old  # type: ignore[assignment]

    await garden.refused("old_version_back")
    issue = repair(garden, entry)
    assert issue is not None

    # Its repair did not say which image it is about.
    ir.async_create_issue(
        garden.hass,
        DOMAIN,
        issue.issue_id,
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key="offered_twice",
        translation_placeholders=issue.translation_placeholders,
    )
    await fix(garden, entry)
    await ended(garden)
    assert sent(module) == 2


async def test_a_download_that_broke_off_while_somebody_waits_is_not_counted_for_a_push(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, faults=[Fault.RESET])
    entry = await add(garden, module)
    installing = asyncio.create_task(garden.refused("connection_lost"))
    await installing
    assert garden.house.journal.failure(entry.entry_id) is None
