"""Windows: times of day by the clock on the wall, on days of the week.

A window belongs to the day on which it opens, and may run into the next. In the night that clocks
go forward, what lies in the hour that is left out opens when that hour would have begun, and one
that lies in it altogether is open for its length. In the night that they go back a time that comes
twice is the first of both; a window that lies in the hour that comes twice altogether is open once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Self

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)
_WEEK: Final = 8
"""Days until every window has opened once more, today's being over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """When updates may begin and have to end; the same `start` and `end` are a whole day."""

    start: time
    end: time
    days: frozenset[int] = frozenset(range(7))
    """On which it opens, Monday is 0."""

    @classmethod
    def of(cls, start: str, end: str, days: Iterable[str] = DAYS) -> Self:
        """Return a window from what is stored: times as ISO text, days by their first letters."""
        return cls(
            start=time.fromisoformat(start),
            end=time.fromisoformat(end),
            days=frozenset(DAYS.index(day) for day in days),
        )

    def closes(self, now: datetime) -> datetime | None:
        """Return until when it is open (UTC), None while it is not; `now` has the house's zone."""
        moment = now.astimezone(UTC)  # times of one zone are compared as the clock shows them
        found = [end for start, end in _openings(self, now) if start <= moment < end]
        return max(found, default=None)

    def opens(self, now: datetime) -> datetime | None:
        """Return when it opens next (UTC), None for never."""
        moment = now.astimezone(UTC)
        return min((start for start, _ in _openings(self, now) if start > moment), default=None)


def _openings(window: Window, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
    zone = now.tzinfo
    assert zone is not None
    return _of_week(window, now.date(), zone)


@lru_cache(maxsize=64)
def _of_week(window: Window, today: date, zone: tzinfo) -> tuple[tuple[datetime, datetime], ...]:
    """Return from when until when it is open, yesterday and for a week; hundreds ask at once."""
    return tuple(_days(window, today, zone))


def _days(window: Window, today: date, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    for ahead in range(-1, _WEEK):
        day = today + ahead * _DAY
        if day.weekday() in window.days:
            yield _opening(window, day, zone)


def _opening(window: Window, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    from_ = datetime.combine(day, window.start)
    until = datetime.combine(day, window.end)
    if until <= from_:
        until += _DAY
    start, end = first_moment(from_, zone), first_moment(until, zone)
    length = until - from_
    twice = _comes_twice(from_, zone) and _comes_twice(until - timedelta.resolution, zone)
    if start >= end or (twice and end - start > length):
        end = start + length
    return start, end


def first_moment(local: datetime, zone: tzinfo) -> datetime:
    """Return the first moment at which the clock shows a time, or leaves it out."""
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return found
    # It is left out: the offset before the gap puts it as far behind as it lies in the gap.
    later, sooner = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (1, 0))
    assert later is not None
    assert sooner is not None
    return _gap_begins(local, zone, later - sooner)


def _gap_begins(local: datetime, zone: tzinfo, width: timedelta) -> datetime:
    """Return when clocks are put forward, looked for by halves in the hours around it."""
    before = (local - width).replace(tzinfo=zone).astimezone(UTC)
    after = (local + width).replace(tzinfo=zone).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _comes_twice(local: datetime, zone: tzinfo) -> bool:
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    return first > second
