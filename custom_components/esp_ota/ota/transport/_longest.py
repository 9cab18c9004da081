"""For how long a send may go on at most: slow is told from endless.

A module that takes a byte now and then never stalls, and would keep its equipment shut and its
turn taken for ever.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """The slowest module that is believed."""

    slowest: float = 2 * 1024.0
    """Bytes a second. An ESP8266 with its default lwIP takes 2,144 bytes a round trip: at 500 ms,
    a link on which it hardly stays in its network, that is 4.2 kB/s, of which losses leave half.
    Its flash is no limit: 55 ms for a sector of 4 kB are 74 kB/s."""
    spare: float = 60.0
    """Seconds for what takes its time whatever the size: erasing a slot beforehand, a Pico's file
    system that makes room, one repeated segment after another."""

    def longest(self, size: int) -> float:
        """Return for how many seconds so many bytes may be on their way at most."""
        return self.spare + size / self.slowest
