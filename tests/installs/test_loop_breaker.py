"""An image that failed twice in a row on a module is not sent a third time, by whatever way."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.house import Patience
from custom_components.esp_ota.house.journal import Journal
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from tests.installs.conftest import Plant
from tests.kit.garden import UNTOUCHED, Garden, patience
from tests.kit.repairs import fix, repair as repair_of
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Fault, FaultPlan, Seen, VirtualModule

pytestmark = pytest.mark.slow


@pytest.fixture
def patient() -> Patience:
    """Wait no longer than a restart on loopback takes."""
    return patience(evidence=1.0, go=1.0)


def repair(garden: Garden, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return repair_of(garden.hass, entry, "offered_twice")


async def fix_it(garden: Garden, entry: MockConfigEntry) -> None:
    """Press Fix and Submit, and wait until what that begins has ended."""
    assert await fix(garden.hass, repair(garden, entry)) == FlowResultType.CREATE_ENTRY
    await garden.ended()


async def failed_twice(garden: Garden, plant: Plant) -> tuple[VirtualModule, MockConfigEntry]:
    """Have an image fail twice for one cause on a module, which is set up for that."""
    module, entry = await plant([Fault.OLD_SKETCH_BACK])
    for _ in range(2):
        await garden.refused("old_version_back")
    return module, entry


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
    garden: Garden, plant: Plant, fault: Fault, cause: str
) -> None:
    module, entry = await plant([fault])
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


async def test_fix_sends_it_once_more_and_only_once(garden: Garden, plant: Plant) -> None:
    module, entry = await failed_twice(garden, plant)

    await fix_it(garden, entry)
    assert sent(module) == 3
    assert repair(garden, entry) is not None
    await garden.refused("offered_twice")
    assert sent(module) == 3

    module.board.faults = FaultPlan([])
    await fix_it(garden, entry)
    assert module.running_version == "1.1.0"
    assert repair(garden, entry) is None
    assert garden.house.journal.failure(entry.entry_id) is None


async def test_a_fix_that_cannot_begin_leaves_the_repair(garden: Garden, plant: Plant) -> None:
    module, entry = await failed_twice(garden, plant)
    await module._stop()

    await fix_it(garden, entry)
    assert garden.card.attributes["last_verdict"] == "refused"
    assert repair(garden, entry) is not None
    await garden.refused("offered_twice")


async def test_failures_of_different_causes_are_counted_apart(garden: Garden, plant: Plant) -> None:
    module, entry = await plant()
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
    garden: Garden, plant: Plant
) -> None:
    module, _ = await plant([Fault.WRONG_VERSION_BACK])
    await garden.refused("other_version_back", "1.1.0")
    await garden.refused("old_version_back", "1.1.0")
    await garden.refused("offered_twice", "1.1.0")
    assert sent(module) == 2


async def test_a_success_and_another_image_begin_the_count_anew(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant([Fault.OLD_SKETCH_BACK])
    await garden.release("1.2.0")
    await garden.refused("old_version_back", "1.1.0")
    await garden.refused("old_version_back", "1.2.0")
    await garden.refused("old_version_back", "1.1.0")
    assert repair(garden, entry) is None

    module.board.faults = FaultPlan([])
    await garden.install("1.2.0")
    assert garden.house.journal.failure(entry.entry_id) is None


async def test_what_was_never_sent_is_not_counted(garden: Garden, plant: Plant) -> None:
    module, entry = await plant()
    await module._stop()
    for _ in range(3):
        with pytest.raises(Exception, match=r"."):
            await garden.install()
    assert garden.house.journal.failure(entry.entry_id) is None


async def test_an_image_that_was_put_back_from_twice_is_not_sent_again(
    garden: Garden, plant: Plant
) -> None:
    module, entry = await plant(rollback="auto")
    await garden.release("0.0.1")
    for _ in range(2):
        module.board.faults = FaultPlan({Fault.WRONG_VERSION_BACK: 1})
        await garden.refused("went_back")
        assert module.running_version == "1.0.0"
    assert repair(garden, entry) is not None

    await garden.refused("offered_twice")
    assert sent(module) == 4


async def test_who_goes_back_by_an_action_has_mended_nothing(garden: Garden, plant: Plant) -> None:
    module, entry = await plant()
    for _ in range(2):
        module.board.faults = FaultPlan({Fault.WRONG_VERSION_BACK: 1})
        await garden.refused("other_version_back", "1.1.0")
        back = {"entity_id": "update.garden_valve_firmware"}
        await garden.hass.services.async_call(DOMAIN, "rollback", back, blocking=True)
        assert module.running_version == "1.0.0"

    assert repair(garden, entry) is not None
    await garden.refused("offered_twice", "1.1.0")


async def test_the_count_outlives_a_restart_of_home_assistant(
    garden: Garden, plant: Plant, hass_storage: dict[str, Any]
) -> None:
    module, entry = await plant([Fault.OLD_SKETCH_BACK])
    await garden.refused("old_version_back")

    again = Journal(garden.hass)
    await again.async_load()
    garden.house.journal = again
    await garden.refused("old_version_back")
    await garden.refused("offered_twice")
    assert sent(module) == 2
    assert repair(garden, entry) is not None


async def test_a_count_of_release_0_1_0_still_counts(garden: Garden, plant: Plant) -> None:
    module, entry = await plant([Fault.OLD_SKETCH_BACK])
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
    await fix_it(garden, entry)
    assert sent(module) == 2


async def test_a_download_that_broke_off_while_somebody_waits_is_not_counted_for_a_push(
    garden: Garden, plant: Plant
) -> None:
    _, entry = await plant([Fault.RESET])
    await garden.refused("connection_lost")
    assert garden.house.journal.failure(entry.entry_id) is None
