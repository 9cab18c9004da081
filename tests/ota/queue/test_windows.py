"""Windows by the clock on the wall, in the two nights in which it is not what it seems."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.esp_ota.ota import Window

BERLIN = ZoneInfo("Europe/Berlin")
"""Clocks go forward at 02:00 on 2026-03-29, and back at 03:00 on 2026-10-25."""
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""By half an hour: forward at 02:00 on 2026-10-04, and back at 02:00 on 2026-04-05."""
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def open_on(window: Window, day: str, zone: ZoneInfo = BERLIN) -> list[tuple[str, float]]:
    """Return when it opens within a day and for how many hours, found minute by minute."""
    now = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=zone).astimezone(UTC)
    found: list[tuple[str, float]] = []
    was_open = False
    for _ in range(60 * 23):
        local = now.astimezone(zone)
        is_open = window.closes(local) is not None
        if is_open and not was_open:
            found.append((local.strftime("%H:%M %z"), 0.0))
        if is_open:
            found[-1] = found[-1][0], found[-1][1] + 1 / 60
        was_open, now = is_open, now + timedelta(minutes=1)
    return [(start, round(hours, 2)) for start, hours in found]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("01:00", "04:00", [("01:00 +0100", 2.0)]),
        ("02:00", "03:00", [("03:00 +0200", 1.0)]),
        ("02:15", "02:45", [("03:00 +0200", 0.5)]),
        ("02:30", "04:00", [("03:00 +0200", 1.0)]),
        ("01:30", "02:30", [("01:30 +0100", 0.5)]),
        ("03:00", "04:00", [("03:00 +0200", 1.0)]),
        ("22:00", "23:00", [("22:00 +0200", 1.0)]),
    ],
)
def test_in_the_night_that_leaves_an_hour_out_a_window_still_opens(
    start: str, end: str, expected: list[tuple[str, float]]
) -> None:
    assert open_on(Window.of(start, end), "2026-03-29") == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("01:00", "04:00", [("01:00 +0200", 4.0)]),
        ("02:00", "03:00", [("02:00 +0200", 1.0)]),
        ("02:15", "02:45", [("02:15 +0200", 0.5)]),
        ("02:30", "04:00", [("02:30 +0200", 2.5)]),
        ("01:30", "02:30", [("01:30 +0200", 1.0)]),
        ("03:00", "04:00", [("03:00 +0100", 1.0)]),
    ],
)
def test_in_the_night_that_repeats_an_hour_a_window_opens_once(
    start: str, end: str, expected: list[tuple[str, float]]
) -> None:
    assert open_on(Window.of(start, end), "2026-10-25") == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-10-04", [("02:30 +1100", 0.5)]), ("2026-04-05", [("01:30 +1100", 0.5)])],
)
def test_clocks_that_move_by_half_an_hour_are_no_exception(
    day: str, expected: list[tuple[str, float]]
) -> None:
    start, end = ("02:00", "02:30") if day == "2026-10-04" else ("01:30", "02:00")
    assert open_on(Window.of(start, end), day, LORD_HOWE) == expected


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_a_window_belongs_to_the_day_on_which_it_opens() -> None:
    window = Window.of("23:00", "05:00", ["fri"])
    assert window.closes(at("2026-11-27T22:59")) is None
    assert window.closes(at("2026-11-27T23:00")) == at("2026-11-28T05:00")
    assert window.closes(at("2026-11-28T04:59")) == at("2026-11-28T05:00")
    assert window.closes(at("2026-11-28T05:00")) is None
    assert window.closes(at("2026-11-28T23:30")) is None
    assert window.opens(at("2026-11-28T04:59")) == at("2026-12-04T23:00")


def test_the_same_time_twice_is_a_whole_day() -> None:
    window = Window.of("12:00", "12:00", ["mon"])
    assert window.closes(at("2026-11-30T11:59")) is None
    assert window.closes(at("2026-11-30T12:00")) == at("2026-12-01T12:00")


def test_a_window_without_days_never_opens() -> None:
    window = Window.of("01:00", "02:00", [])
    assert window.closes(at("2026-11-30T01:30")) is None
    assert window.opens(at("2026-11-30T01:30")) is None


def test_a_house_that_moves_to_another_zone_has_its_window_there() -> None:
    window = Window.of("02:00", "04:00")
    now = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
    assert window.closes(now.astimezone(BERLIN)) is not None
    assert window.closes(now.astimezone(ZoneInfo("America/New_York"))) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"])
def test_every_day_of_a_year_has_one_opening_that_is_not_empty(zone: str) -> None:
    place = ZoneInfo(zone)
    for start, end in (
        ("01:30", "02:30"),
        ("02:00", "03:00"),
        ("02:10", "02:20"),
        ("23:30", "0:10"),
    ):
        window = Window.of(start.zfill(5), end.zfill(5))
        now, before = datetime(2026, 1, 1, 12, tzinfo=place), None
        for _ in range(365):
            opening = window.opens(now)
            assert opening is not None
            assert before is None or timedelta(hours=22) < opening - before < timedelta(hours=26)
            before, now = opening, opening.astimezone(place)
            closes = window.closes(now)
            assert closes is not None
            assert closes > opening
