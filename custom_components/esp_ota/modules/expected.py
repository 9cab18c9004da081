"""A module that only asks for updates: it is there as long as it asks as often as it does."""

import time
from typing import Final, override

from .presence import Presence

_FIRST: Final = 3900.0
"""Seconds for a second request, when nobody knows how often it asks: few ask less than hourly."""
_DAY: Final = 90000.0
"""Seconds after which it is gone whatever it is: one that sleeps longest asks once a day."""


class Expected(Presence):
    """Silent while nobody listened is not silent."""

    @override
    def _begin(self) -> None:
        now, asked_at = time.monotonic(), self._desk.rhythm.asked_at
        since = self._house.since if asked_at is None else max(asked_at, self._house.since)
        is_known = self._desk.rhythm.longest is not None
        patience = max(self._desk.patience, 0.0 if is_known else _FIRST)
        if now < since + patience:
            self._at(since + patience - now)
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
        if self._stop_timer is None or not self.reachable:
            self._begin()
