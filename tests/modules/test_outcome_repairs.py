"""Repairs of updates that failed: one for one problem, and gone when an update succeeds."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.esp_ota.const import DOMAIN, EVENT_UPDATE_ENDED
from custom_components.esp_ota.modules import Press, async_outcome, async_tell
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule
from tests.kit.garden import Garden
from tests.kit.repairs import repair
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Fault


async def ended(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    verdict: Verdict,
    cause: Cause | None = None,
    **facts: Any,
) -> None:
    """Tell that an update of an entry has ended."""
    press = Press(
        firmware="garden-valve",
        version="1.1.0",
        before="1.0.0",
        began=dt_util.utcnow() - timedelta(seconds=12),
        context=Context(),
    )
    restore = facts.pop("restore_error", None)
    result = InstallResult(verdict=verdict, cause=cause, facts=facts, restore_error=restore)
    outcome = await async_outcome(hass, entry.title, press, result)
    assert outcome.seconds == 12
    async_tell(hass, entry, None, outcome)


@pytest.fixture
def valve() -> MockConfigEntry:
    """Return a module that no test needs to run."""
    return MockConfigEntry(domain=DOMAIN, title="garden-valve", entry_id="valve")


async def test_a_repair_stays_until_an_update_succeeds(
    hass: HomeAssistant, esp_ota: None, valve: MockConfigEntry
) -> None:
    await ended(hass, valve, Verdict.FAILED, Cause.STALLED, sent="1", total="2", seconds="30")
    assert repair(hass, valve, "update_failed") is not None
    await ended(hass, valve, Verdict.CANCELLED, Cause.CANCELLED)
    assert repair(hass, valve, "update_failed") is not None

    await ended(hass, valve, Verdict.UNVERIFIED)

    assert repair(hass, valve, "update_failed") is None


async def test_there_is_one_repair_with_the_newest_reason(
    hass: HomeAssistant, esp_ota: None, valve: MockConfigEntry
) -> None:
    await ended(hass, valve, Verdict.FAILED, Cause.BUSY)
    await ended(hass, valve, Verdict.REFUSED, Cause.SAFE_STATE_MISSING)

    [issue] = ir.async_get(hass).issues.values()
    assert_issue_is_whole(issue)
    assert issue.translation_placeholders is not None
    assert "no safe state is set up" in issue.translation_placeholders["sentence"]
    assert not issue.is_persistent
    assert issue.severity is ir.IssueSeverity.WARNING


@pytest.mark.parametrize(
    ("cause", "hidden"), [(Cause.BUSY, True), (Cause.SIGNATURE, False)], ids=["same", "another"]
)
async def test_a_repair_that_was_ignored_comes_back_for_another_reason_only(
    hass: HomeAssistant, esp_ota: None, valve: MockConfigEntry, cause: Cause, hidden: bool
) -> None:
    await ended(hass, valve, Verdict.FAILED, Cause.BUSY)
    issue = repair(hass, valve, "update_failed")
    assert issue is not None
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, ignore=True)

    await ended(hass, valve, Verdict.FAILED, cause, text="no key")

    issue = repair(hass, valve, "update_failed")
    assert issue is not None
    assert (issue.dismissed_version is not None) is hidden


@pytest.mark.parametrize(
    ("cause", "restore_error"),
    [
        (Cause.WRONG_PASSWORD, None),  # Home Assistant asks for it
        (Cause.PASSWORD_MISSING, None),
        (Cause.DID_NOT_COME_BACK, Cause.DID_NOT_COME_BACK),  # "stays safe" says it
        (Cause.INTERRUPTED, None),
        (Cause.SAME_IMAGE, None),  # nothing is wrong
        (Cause.INTERNAL, None),  # nobody but us can help
    ],
)
async def test_what_is_told_elsewhere_or_cannot_be_fixed_has_no_second_repair(
    hass: HomeAssistant,
    esp_ota: None,
    valve: MockConfigEntry,
    cause: Cause,
    restore_error: Cause | None,
) -> None:
    await ended(hass, valve, Verdict.FAILED, Cause.BUSY)

    await ended(hass, valve, Verdict.FAILED, cause, restore_error=restore_error)

    assert repair(hass, valve, "update_failed") is None


async def test_equipment_that_was_not_restored_is_a_failure_but_not_of_the_update(
    hass: HomeAssistant, esp_ota: None, valve: MockConfigEntry
) -> None:
    fired = async_capture_events(hass, EVENT_UPDATE_ENDED)

    await ended(hass, valve, Verdict.VERIFIED, restore_error=Cause.RESTORE_FAILED)

    assert repair(hass, valve, "update_failed") is None
    [event] = fired
    assert event.data["type"] == "update_failed"
    assert event.data["verdict"] == "verified"
    assert event.data["restore_error"] == "restore_failed"
    assert "restoring the equipment failed" in event.data["sentence"]


async def test_a_modules_own_words_are_no_link_in_a_repair(
    hass: HomeAssistant, esp_ota: None, valve: MockConfigEntry
) -> None:
    words = "![](x) <b> `ERROR[4]`"

    await ended(hass, valve, Verdict.FAILED, Cause.REJECTED, text=words)

    issue = repair(hass, valve, "update_failed")
    assert issue is not None
    assert issue.translation_placeholders is not None
    told = issue.translation_placeholders["sentence"]
    assert r"!\[\](x) \<b> \`ERROR\[4\]\`" in told


@pytest.mark.slow
async def test_an_install_that_begins_keeps_the_reason_of_the_last_failure(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(
        faults={Fault.BOOT_STRAP: 1, Fault.SLOW_SECTOR: None}, slow_sector_time=0.05
    )
    entry = await garden.add_valve(module)
    await garden.press()
    assert repair(garden.hass, entry, "update_failed") is not None
    kept: list[bool] = []

    @callback
    def look(_event: Any) -> None:
        kept.append(repair(garden.hass, entry, "update_failed") is not None)

    garden.hass.bus.async_listen("state_changed", look)
    await garden.press()

    assert len(kept) > 3
    assert all(kept[:-1])
    assert repair(garden.hass, entry, "update_failed") is None


@pytest.mark.slow
async def test_a_removed_module_takes_its_repairs_with_it(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await garden.add_valve(await start_module(faults=[Fault.BOOT_STRAP]))
    await garden.press()
    assert repair(garden.hass, entry, "update_failed") is not None

    assert await garden.hass.config_entries.async_remove(entry.entry_id)

    assert repair(garden.hass, entry, "update_failed") is None
