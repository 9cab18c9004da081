"""Repairs: what a person has to know or can fix, as long as it is so."""

import hashlib

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .ota import OtaError

FILE_ISSUES = "file_"


@callback
def async_raise_file_issue(hass: HomeAssistant, file_name: str, err: OtaError) -> None:
    """Say why a file in the firmware folder is not used."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        _file_issue(file_name),
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=f"file_{err.cause}",
        translation_placeholders={"file": file_name} | err.facts,
    )


@callback
def async_clear_file_issue(hass: HomeAssistant, file_name: str) -> None:
    """Take back what was said about a file."""
    ir.async_delete_issue(hass, DOMAIN, _file_issue(file_name))


def _file_issue(file_name: str) -> str:
    return FILE_ISSUES + hashlib.sha256(file_name.encode()).hexdigest()[:16]


@callback
def async_raise_module_issue(
    hass: HomeAssistant, entry_id: str, key: str, placeholders: dict[str, str]
) -> None:
    """Tell of one module's equipment or install that needs a person."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{key}_{entry_id}",
        is_fixable=False,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders=placeholders,
    )


@callback
def async_clear_module_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Take back all that was said about a module, because a new install begins."""
    registry = ir.async_get(hass)
    for domain, issue_id in list(registry.issues):
        if domain == DOMAIN and issue_id.endswith(f"_{entry_id}"):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
