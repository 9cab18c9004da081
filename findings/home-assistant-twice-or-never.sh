#!/usr/bin/env bash
# One would guess: a nightly time trigger is run once each night, as cron does it, which takes care of the
#   hour that comes twice or is left out; CronSim, which Home Assistant brings along, does too.
# True: a time of Home Assistant in the hour that comes twice in autumn comes twice: both times the clock
#   shows it. In spring the one in the hour that is left out does not come at all that night, nor later.
#   An update at 02:30 is begun, say, a second time while the module is still watched after the first, and
#   one night a year it is not begun. CronSim says once, at the first of both, and when the gap is over.
# Seen with homeassistant 2026.10.4 and the cronsim 2.7 that it pins.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv=$(script/uv)
"$uv" venv --quiet --python "$(script/python)" "$folder/venv"
"$uv" pip install --quiet --python "$folder/venv/bin/python" homeassistant==2026.10.4 cronsim==2.7
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from homeassistant.util.dt import find_next_time_expression_time

ZONE = ZoneInfo("Europe/Berlin")
SECOND = timedelta(seconds=1)


def triggers(begin):
    """Yield when Home Assistant would run what is to be run at 02:30, as its timers ask for it."""
    now = begin.astimezone(UTC)
    while True:
        found = find_next_time_expression_time(now.astimezone(ZONE), [0], [30], [2])
        yield found
        now = found.astimezone(UTC) + SECOND


def of_a_night(times, begin):
    end = begin.astimezone(UTC) + timedelta(hours=24)
    found = takewhile(lambda time: time.astimezone(UTC) < end, times)
    return [time.strftime("%H:%M %z") for time in found]


seen = {}
for name, noon in {
    "usual": datetime(2026, 10, 22, 12, tzinfo=ZONE),
    "autumn": datetime(2026, 10, 24, 12, tzinfo=ZONE),
    "spring": datetime(2027, 3, 27, 12, tzinfo=ZONE),
}.items():
    ours, cron = of_a_night(triggers(noon), noon), of_a_night(CronSim("30 2 * * *", noon), noon)
    print(f"02:30, {name} night: Home Assistant {ours}, CronSim {cron}")
    seen[name] = ours, cron
assert seen == {
    "usual": (["02:30 +0200"], ["02:30 +0200"]),
    "autumn": (["02:30 +0200", "02:30 +0100"], ["02:30 +0200"]),
    "spring": ([], ["03:00 +0200"]),
}, seen
PYTHON
