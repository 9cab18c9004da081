"""Draws a house from a seed: its modules, and when it begins."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
import random
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.e2e.garden import HEATER, PUMP, VALVE
from tests.virtual_module import Chip

from .calendar import calendar
from .plan import ANNOUNCES, DAY, HOUR, MINUTE, PAGE, PULLS, SILENT, ZONE, ModulePlan, Plan

_CHANGES: Final = (datetime(2026, 2, 15), datetime(2026, 3, 22))  # noqa: DTZ001 - dates alone
"""The days in whose night the clocks change."""
_ROLES: Final[tuple[dict[str, Any], ...]] = (
    {"name": "garden-valve", "way": ANNOUNCES, "equipment": VALVE},
    {"name": "poller", "way": PULLS, "interval": 15 * MINUTE, "source": "build"},
    {"name": "well-pump", "way": ANNOUNCES, "equipment": PUMP, "password": "deep-water"},
    {"name": "page", "way": PAGE, "source": "list"},
    {"name": "fails", "way": ANNOUNCES, "fails": True},
    {"name": "sleeper", "way": PULLS, "interval": HOUR, "sleeps": True},
    {
        "name": "greenhouse-heater",
        "way": ANNOUNCES,
        "chip": Chip.ESP32,
        "equipment": HEATER,
        "password": "warm-roots",
    },
    {"name": "silent", "way": SILENT, "says": False},
    {"name": "hourly", "way": PULLS, "interval": HOUR},
    {"name": "nameless", "way": ANNOUNCES, "says": False},
)
_CHIPS: Final = (Chip.ESP8266, Chip.ESP32, Chip.ESP32S3, Chip.RP2040)
_AT_HALF_PAST_TWO: Final = "well-pump"
"""Whose automation is at the time that one night has twice and another one not at all."""
_BEGINS: Final = 10
"""The hour of the first day."""


def draw(seed: str, days: float, modules: int) -> Plan:
    """Decide everything about a house."""
    chance = random.Random(f"{seed}:{days}:{modules}")
    start = _start(chance, days)
    plans = tuple(_modules(chance, days, modules))
    acts = tuple(calendar(chance, days, start, plans))
    return Plan(seed=seed, days=days, start=start, modules=plans, acts=acts)


def _start(chance: random.Random, days: float) -> datetime:
    """Return the morning of a day so that both nights in which clocks change come, or one of them.

    One day has no room for more than its own night, which is such a one as often as not.
    """
    back, forward = _CHANGES
    if days > (forward - back).days + 3:
        before = chance.randint(1, int(days) - (forward - back).days - 2)
        day = back - timedelta(days=min(before, 7))
    elif days >= 2:
        day = chance.choice(_CHANGES) - timedelta(days=chance.randint(1, min(int(days) - 1, 5)))
    else:
        day = chance.choice(_CHANGES) - timedelta(days=chance.randint(1, 2))
    return day.replace(hour=_BEGINS, tzinfo=ZoneInfo(ZONE))


def _modules(chance: random.Random, days: float, count: int) -> Iterator[ModulePlan]:
    """Yield one of each role first, then more that announce themselves."""
    for number in range(count):
        if number < len(_ROLES):
            plan = ModulePlan(number=number, **_ROLES[number])
        else:
            plan = ModulePlan(
                name=f"node-{number}",
                number=number,
                way=ANNOUNCES,
                chip=chance.choice(_CHIPS),
                says=chance.random() < 0.75,
                says_mac=chance.random() < 0.5,
                source=chance.choice(("folder", "folder", "list", "build")),
            )
        hour, minute = chance.choice((3, 3, 4, 4)), chance.randrange(60)
        night = f"{hour:02}:{minute:02}:{chance.randrange(60):02}"
        if plan.name == _AT_HALF_PAST_TWO:
            night = "02:30:00"
        yield replace(plan, night=night, added_after=_added_after(chance, days, number))


def _added_after(chance: random.Random, days: float, number: int) -> float:
    """Return minutes, hours, or days; the first one is added at once."""
    if not number:
        return 3 * MINUTE
    kind = chance.random()
    if kind < 0.5:
        return chance.uniform(5 * MINUTE, 30 * MINUTE)
    if kind < 0.8 or days < 2:
        return chance.uniform(0.5 * HOUR, 3 * HOUR)
    return chance.uniform(3 * HOUR, min(days / 4, 5.0) * DAY)
