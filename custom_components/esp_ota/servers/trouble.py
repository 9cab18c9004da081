"""The repair that tells that a server cannot be followed, as long as it is so."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..ota import as_texts

_LONGEST: Final = 2000
"""Characters of a sentence with all that it names."""


@callback
def async_raise_server_issue(
    hass: HomeAssistant, subentry_id: str, server: str, sentence: str
) -> None:
    """Say why a server cannot be followed that decides about modules."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"server_{subentry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="server_trouble",
        translation_placeholders=as_texts({"server": server, "sentence": sentence}, _LONGEST),
    )


@callback
def async_clear_server_issue(hass: HomeAssistant, subentry_id: str) -> None:
    """Take that back."""
    ir.async_delete_issue(hass, DOMAIN, f"server_{subentry_id}")
