"""Holds: until when a module is kept as it is, by the clock on the wall."""

from contextlib import suppress
from datetime import datetime, tzinfo
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
    return ends if ends is not None and ends > now else None


@lru_cache(maxsize=256)
def hold_ends(stored: str, zone: tzinfo) -> datetime | None:
    """Return when a local time has come; None for what is no time, or too far away."""
    with suppress(ValueError, OverflowError):
        local = datetime.fromisoformat(stored).replace(tzinfo=None)
        return first_moment(local, zone).astimezone(zone)
    return None
