"""Holds: until when a module is kept as it is, by the clock on the wall."""

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from .windows import first_moment


def held_until(stored: str | None, now: datetime) -> datetime | None:
    """Return until when a hold lasts, in the zone of `now`; None where it is over.

    `stored` is local time without a zone: another zone moves it with the clock on the wall. What
    cannot be read holds nothing.
    """
    if stored is None or now.tzinfo is None:
        return None
    ends = hold_ends(stored, now.tzinfo)
    # Times of one zone are compared as the clock shows them, and some it shows twice.
    is_over = ends is None or ends <= now.astimezone(UTC)
    return None if is_over or ends is None else ends.astimezone(now.tzinfo)


@lru_cache(maxsize=256)
def hold_ends(stored: str, zone: tzinfo) -> datetime | None:
    """Return when a local time has come (UTC); None for what is no time, or too far away."""
    with suppress(ValueError, OverflowError):
        local = datetime.fromisoformat(stored).replace(tzinfo=None)
        ends = first_moment(local, zone)
        ends.astimezone(zone)
        return ends
    return None
