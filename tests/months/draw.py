"""Draws a house and its calendar from a seed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
import random
from typing import Final
from zoneinfo import ZoneInfo

from tests.e2e.garden import HEATER, PUMP, VALVE
from tests.virtual_module import Chip

from .plan import ANNOUNCES, DAY, HOUR, MINUTE, PAGE, PULLS, SILENT, ZONE, Act, ModulePlan, Plan

_FIRST_DAYS: Final = (datetime(2026, 2, 15), datetime(2026, 3, 22))
"""The days on which the clocks change."""
_ROLES: Final = (
    {"name": "garden-valve", "way": ANNOUNCES, "equipment": VALVE},
    {"name": "poller", "way": PULLS, "interval": 5 * MINUTE},
    {"name": "well-pump", "way": ANNOUNCES, "equipment": PUMP, "password": "deep-water"},
    {"name": "page", "way": PAGE},
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


def draw(seed: str, days: float, modules: int) -> Plan:
    """Decide everything about a house."""
    chance = random.Random(f"{seed}:{days}:{modules}")
    start = _start(chance, days)
    plans = tuple(_modules(chance, days, modules))
    acts = sorted(_acts(chance, days, plans), key=lambda act: act.at)
    return Plan(seed=seed, days=days, start=start, modules=plans, acts=tuple(acts))


def _start(chance: random.Random, days: float) -> datetime:
    """Return ten in the morning of a day from which on a night comes in which clocks change."""
    first, second = _FIRST_DAYS
    if days > (second - first).days + 2:
        day = first - timedelta(days=chance.randint(1, 6))
    else:
        day = chance.choice(_FIRST_DAYS) - timedelta(days=chance.randint(1, max(1, int(days) - 2)))
    return day.replace(hour=10, tzinfo=ZoneInfo(ZONE))


def _modules(chance: random.Random, days: float, count: int) -> Iterator[ModulePlan]:
    """Yield the usual roles first, then more that announce themselves."""
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
            )
        hour, minute = chance.choice((2, 3, 3, 3, 4)), chance.randrange(60)
        night = f"{hour:02}:{minute:02}:{chance.randrange(60):02}"
        if plan.name == "well-pump":
            night = "02:30:00"
        yield replace(plan, night=night, added_after=_added_after(chance, days, number))


def _added_after(chance: random.Random, days: float, number: int) -> float:
    """Return minutes, hours, or days; a first one at once."""
    if not number:
        return 2 * MINUTE
    latest = max(2 * HOUR, min(days / 4, 5.0) * DAY)
    kind = chance.random()
    if kind < 0.5:
        return chance.uniform(2 * MINUTE, 10 * MINUTE)
    if kind < 0.8:
        return chance.uniform(0.5 * HOUR, 2 * HOUR)
    return chance.uniform(2 * HOUR, latest)


def _acts(chance: random.Random, days: float, plans: tuple[ModulePlan, ...]) -> Iterator[Act]:
    for plan in plans:
        yield Act(at=plan.added_after, kind="add", module=plan.name)
    yield Act(at=8 * HOUR, kind="release", details={"version": "1.1.0"})
