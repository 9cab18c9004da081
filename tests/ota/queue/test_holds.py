"""Holds end by the clock on the wall, also in the nights in which it is put."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.esp_ota.ota import held_until, hold_ends

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def ends(stored: str, zone: ZoneInfo = BERLIN) -> str:
    found = hold_ends(stored, zone)
    assert found is not None
    return found.astimezone(zone).strftime("%H:%M:%S %z")


def test_another_zone_moves_it_with_the_clock_on_the_wall() -> None:
    assert ends("2026-12-24T08:00:00") == "08:00:00 +0100"
    assert ends("2026-12-24T08:00:00", NEW_YORK) == "08:00:00 -0500"
    assert ends("2026-12-24") == "00:00:00 +0100"


def test_in_the_hour_that_is_left_out_it_ends_when_that_would_have_begun() -> None:
    assert ends("2026-03-29T02:30:00") == "03:00:00 +0200"


def test_a_time_that_comes_twice_is_the_first_and_it_holds_no_second_time() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    stored = "2026-10-25T02:30:00"
    assert held_until(stored, first - timedelta(seconds=1)) is not None
    now = first.astimezone(UTC)
    for minutes in range(0, 180, 10):
        local = (now + timedelta(minutes=minutes)).astimezone(BERLIN)
        assert held_until(stored, local) is None


@pytest.mark.parametrize("stored", [None, "", "tomorrow", "2026-13-01", "24.12.2026", "9999"])
def test_what_is_no_time_holds_nothing(stored: str | None) -> None:
    assert held_until(stored, datetime(2026, 1, 1, tzinfo=BERLIN)) is None


def test_the_end_of_all_calendars_is_no_error() -> None:
    for zone in (BERLIN, NEW_YORK, ZoneInfo("Pacific/Kiritimati")):
        hold_ends("9999-12-31T23:59:59", zone)
        hold_ends("0001-01-01T00:00:00", zone)
