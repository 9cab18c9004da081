"""Repairs: told once, taken back when they are so no more."""

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.issues import (
    async_clear_file_issue,
    async_clear_module_issues,
    async_raise_file_issue,
    async_raise_module_issue,
)
from custom_components.esp_ota.ota import Cause, LibraryError
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.sentences import assert_issue_is_whole


def test_a_file_has_one_issue_with_its_newest_reason(
    hass: HomeAssistant, issue_registry: ir.IssueRegistry
) -> None:
    name = "../\U0001f525 <b>valve</b>.bin"
    async_raise_file_issue(hass, name, LibraryError(Cause.EMPTY_FILE))
    async_raise_file_issue(hass, name, LibraryError(Cause.SIDECAR_INVALID, detail="no object"))

    [issue] = issue_registry.issues.values()
    assert issue.translation_key == "file_sidecar_invalid"
    shown = name.replace("<", r"\<")
    assert issue.translation_placeholders == {"file": shown, "detail": "no object."}
    assert issue.severity is ir.IssueSeverity.WARNING
    assert not issue.is_persistent  # the next scan says it again
    assert_issue_is_whole(issue)

    async_clear_file_issue(hass, "other.bin")
    assert issue_registry.issues
    async_clear_file_issue(hass, name)
    assert not issue_registry.issues


def test_a_new_install_takes_back_what_was_said_about_this_module_only(
    hass: HomeAssistant, issue_registry: ir.IssueRegistry
) -> None:
    facts = {"module": "valve", "version": "1.1.0", "detail": "", "back_to": "1", "sentence": "No."}
    for key in ("restore_failed", "stayed_safe"):
        async_raise_module_issue(hass, "valve", key, facts)
    for key in ("interrupted", "roll_back"):
        async_raise_module_issue(hass, "valve", key, facts, fix={"sha256": "0"})
    async_raise_module_issue(hass, "pump", "interrupted", facts, fix={"sha256": "0"})
    async_raise_file_issue(hass, "valve.bin", LibraryError(Cause.EMPTY_FILE))
    ir.async_create_issue(
        hass,
        "other",
        "something_valve",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="x",
    )
    for issue in issue_registry.issues.values():
        if issue.domain == DOMAIN:
            assert_issue_is_whole(issue)

    async_clear_module_issues(hass, "valve")

    assert {issue_id for _, issue_id in issue_registry.issues} == {
        "interrupted_pump",
        "something_valve",
        *(key for _, key in issue_registry.issues if key.startswith("file_")),
    }
    assert len(issue_registry.issues) == 3


@pytest.mark.parametrize("key", ["interrupted", "restore_failed", "stayed_safe"])
def test_what_needs_a_person_outlives_a_restart(
    hass: HomeAssistant, issue_registry: ir.IssueRegistry, key: str
) -> None:
    async_raise_module_issue(hass, "valve", key, {"module": "valve"})

    issue = issue_registry.async_get_issue(DOMAIN, f"{key}_valve")
    assert issue is not None
    assert issue.is_persistent
    assert issue.severity is ir.IssueSeverity.ERROR
