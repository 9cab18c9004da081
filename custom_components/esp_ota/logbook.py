"""One line in the logbook for each update; whose press it was comes with its context."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook.const import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN, EVENT_UPDATE_ENDED


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Describe how an update ended."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        return {
            LOGBOOK_ENTRY_NAME: "ESP OTA",
            LOGBOOK_ENTRY_MESSAGE: event.data["sentence"],
        }

    async_describe_event(DOMAIN, EVENT_UPDATE_ENDED, describe)
