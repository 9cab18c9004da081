"""Whether the age of a state can be believed: states carry the time of a clock that can be set."""

import math
import time
from typing import Final

_JUMP: Final = 0.5
"""Seconds; slewing moves both clocks alike (clock_gettime(2)), only setting it parts them."""


class Clock:
    """Compares the clock of states with one that nobody can set."""

    def __init__(self) -> None:
        """Begin to compare."""
        self._apart = time.time() - time.monotonic()
        self._jumped_at = -math.inf

    def ran_evenly_for(self, seconds: float) -> bool:
        """Whether the clock was not set for so long, as far as that is known."""
        now = time.monotonic()
        if abs((apart := time.time() - now) - self._apart) > _JUMP:
            self._apart, self._jumped_at = apart, now
        return now - self._jumped_at >= seconds


CLOCK: Final = Clock()
"""It begins with Home Assistant, so that no jump before the first look is missed."""
