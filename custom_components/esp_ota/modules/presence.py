"""Whether one module is there, and when it last said something by itself.

Both are kept over reloads and restarts, with the time at which it was heard: a record in a cache is
no sign of life.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..house import House, Remembered
from ..ota import PullDesk

_SEEN_AGAIN: Final = timedelta(seconds=30)
"""It may say something every second: that is not shown each time."""
_FRESH: Final = 10.0
"""Seconds in which it still is where it was heard, as one that was just found to have moved."""


class Presence:
    """Of one module; how it is found out depends on how the module speaks, see below it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        house: House,
        desk: PullDesk,
        on_change: Callable[[], None],
    ) -> None:
        """Take what is remembered of it, of its requests as well."""
        self._hass = hass
        self._entry = entry
        self._house = house
        self._desk = desk
        self._on_change = on_change
        self._stop_timer: CALLBACK_TYPE | None = None
        name = f"ESP OTA presence of {entry.title}"
        self._job = HassJob(self._on_timer, name, cancel_on_shutdown=True)
        known = house.memory.of(entry.entry_id)
        self.last_seen = dt_util.parse_datetime(known.get("heard", ""))
        """When it last said something by itself."""
        self.reachable = known.get("reachable")
        """None where nobody can tell."""
        self._shown_until = 0.0
        """Until when nothing new is shown of one that is heard (`time.monotonic()`)."""
        asked = dt_util.parse_datetime(known.get("asked", ""))
        desk.rhythm.restore(known.get("waits", []), monotonic_of(asked) if asked else None)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to find out; returns what stops it."""
        self._begin()
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Find out nothing more; what is known is kept."""
        self._at(None)

    @callback
    def async_heard(self, at: float | None = None) -> None:
        """Take that it said something, now or at another time (`time.monotonic()`)."""
        if at is None and self.reachable and time.monotonic() < self._shown_until:
            self._heard()
            return
        age = 0.0 if at is None else max(0.0, time.monotonic() - at)
        when, before = dt_util.utcnow() - timedelta(seconds=age), self.last_seen
        is_fresh = age < _FRESH
        is_news = is_fresh and not self.reachable
        if before is None or when - before >= _SEEN_AGAIN or (is_fresh and before > when):
            self.last_seen, is_news = when, True  # the other way round the clock was set
        if is_fresh:
            self.reachable = True
        if at is None:
            self._heard()
        if is_news:
            self._shown_until = time.monotonic() + _SEEN_AGAIN.total_seconds()
            self._shown(is_heard=True)

    @callback
    def async_left(self) -> None:
        """Take that it said goodbye, or that somebody did in its name."""
        self._set(reachable=False)
        self._left()

    @callback
    def async_unclear(self) -> None:
        """Take that somebody said something under its name, and maybe not it."""

    def _set(self, *, reachable: bool | None) -> None:
        if reachable is not self.reachable:
            self.reachable = reachable
            self._shown()

    def _shown(self, *, is_heard: bool = False) -> None:
        """Keep what is shown, and show it."""
        news: Remembered = {"reachable": self.reachable}
        if is_heard and self.last_seen is not None:
            news["heard"] = self.last_seen.isoformat(timespec="seconds")
            rhythm = self._desk.rhythm
            if rhythm.asked_at is not None:
                age = timedelta(seconds=time.monotonic() - rhythm.asked_at)
                news["asked"] = (dt_util.utcnow() - age).isoformat(timespec="seconds")
                news["waits"] = [round(wait, 1) for wait in rhythm.waits]
        self._house.memory.async_note(self._entry.entry_id, news)
        self._on_change()

    def _at(self, seconds: float | None) -> None:
        """Have the timer run out after so many seconds, None for never."""
        if self._stop_timer is not None:
            self._stop_timer()
        self._stop_timer = None
        if seconds is not None:
            self._stop_timer = async_call_later(self._hass, max(0.0, seconds), self._job)

    @callback
    def _on_timer(self, _now: datetime) -> None:
        self._stop_timer = None
        self._begin()

    # What differs

    def _begin(self) -> None:
        """Find out now, as far as that can be told."""

    def _heard(self) -> None:
        """Take that it was heard just now."""

    def _left(self) -> None:
        """Take that it may be gone."""


def monotonic_of(when: datetime) -> float:
    """Return a time as `time.monotonic()` would have said it; no later than now."""
    return time.monotonic() - max(0.0, (dt_util.utcnow() - when).total_seconds())
