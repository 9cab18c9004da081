"""Once an hour everybody is asked who is there: a module that nobody has added yet is found again.

The browser of Home Assistant forgets a service whose records expired, and takes its card away.
After an hour without a network that is every module that waits to be added.
"""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .announcements import Announcements

_EVERY: Final = timedelta(hours=1)
"""The longest pause between questions of one who goes on asking (RFC 6762, 5.2)."""


@callback
def async_start_roll_call(hass: HomeAssistant, announcements: Announcements) -> CALLBACK_TYPE:
    """Ask from now on; returns what stops it."""

    @callback
    def ask(_now: datetime) -> None:
        announcements.async_call_the_roll()

    return async_track_time_interval(
        hass, ask, _EVERY, name="ESP OTA roll call", cancel_on_shutdown=True
    )
