"""A module that only asks for updates: it is there as long as it asks as often as it does."""

import time
from typing import Final, override

from .presence import Presence, monotonic_of

_FIRST: Final = 3900.0
"""Seconds for a second request, when nobody knows how often it asks: few ask less than hourly."""
_DAY: Final = 90000.0
"""Seconds after which it is gone whatever it is: one that sleeps longest asks once a day."""


class Expected(Presence):
    """Silent while nobody listened is not silent."""

    _due = 0.0
    """When it must have asked again (`time.monotonic()`)."""
    _longest: float | None = None
    """How long it lets pass between two requests, by which that was found."""

    @property
    def _patience(self) -> float:
        patience = self._desk.patience
        return patience if self._desk.rhythm.longest is not None else max(patience, _FIRST)

    @override
    def _begin(self) -> None:
        now, asked_at = time.monotonic(), self._desk.rhythm.asked_at
        # One that never asked is waited for from when it was added, be it days after the start.
        heard_of = monotonic_of(self._entry.created_at) if asked_at is None else asked_at
        since = max(heard_of, self._house.since)
        is_known, patience = self._desk.rhythm.longest is not None, self._patience
        if now < since + patience:
            self._due, self._longest = since + patience, self._desk.rhythm.longest
            self._at(self._due - now)
            if asked_at is not None and now < asked_at + patience:
                self._set(reachable=True)
            elif self.reachable:
                self._set(reachable=None)
        elif not is_known and now < since + _DAY:
            self._at(since + _DAY - now)
            self._set(reachable=None)
        else:
            self._set(reachable=False)

    @override
    def _heard(self) -> None:
        # A timer that runs looks anew when it runs out: it may ask every second.
        if self._longest is self._desk.rhythm.longest and self._stop_timer is not None:
            return  # as patient as when the timer was set
        if time.monotonic() + self._patience < self._due or self._stop_timer is None:
            self._begin()
