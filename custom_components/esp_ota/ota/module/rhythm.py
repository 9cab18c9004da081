"""How often one module asks for updates, as far as its last requests tell."""

from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import Final

_LONGEST: Final = 8 * 86400.0
"""Seconds; one that was off, or a clock that was set, tells nothing of how often it asks."""
_WAITS: Final = 5
"""Waits that are looked back at: a restart makes one short, a night without power one long."""
_ENOUGH: Final = 3
"""Waits of which the longest may be such a night."""


class Rhythm:
    """Of one module; may be kept over restarts."""

    def __init__(self, burst: float = 1.0) -> None:
        """Nothing was asked; requests within so many seconds belong to one poll."""
        self._burst = burst
        self._waits: deque[float] = deque(maxlen=_WAITS)
        self.asked_at: float | None = None
        """When it asked last (`time.monotonic()`, which may be below zero for before a restart)."""
        self.longest: float | None = None
        """Seconds that it lets pass between two polls: one wait that is longer is no rule.

        One that wakes, asks for files, for its sketch, and sleeps for an hour has short waits and
        long ones. It is asked for with each request, so it is found when a wait is new.
        """

    def restore(self, waits: Iterable[float], asked_at: float | None) -> None:
        """Take what was kept: seconds between its last requests, the oldest first."""
        self._waits.extend(wait for wait in waits if self._burst < wait <= _LONGEST)
        self.asked_at = asked_at
        self.longest = self._longest()

    def asked(self, at: float) -> None:
        """Take that it asks."""
        if self.asked_at is not None and self._burst < at - self.asked_at <= _LONGEST:
            self._waits.append(at - self.asked_at)
            self.longest = self._longest()
        self.asked_at = at

    @property
    def waits(self) -> list[float]:
        """The last seconds between two polls, the oldest first."""
        return list(self._waits)

    @property
    def usual(self) -> float | None:
        """Seconds between most polls, None before the second one."""
        return median(self._waits) if self._waits else None

    def _longest(self) -> float | None:
        waits = sorted(self._waits)
        if len(waits) >= _ENOUGH:
            return waits[-2]
        return waits[-1] if waits else None
