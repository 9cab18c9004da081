"""Draws the calendar of a house: what happens to it on which day, at which hour."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
import random
from typing import Final

from .plan import ANNOUNCES, DAY, HOUR, MINUTE, PAGE, PULLS, SILENT, Act, ModulePlan

_OFTEN: Final[Mapping[str, float]] = {
    "restart": 1.5,
    "restart_home": 0.5,
    "reload": 0.5,
    "move": 0.2,
    "swap": 0.1,
    "rename": 0.08,
    "readdress": 0.05,
    "options": 0.15,
    "skip": 0.1,
    "roll_back": 0.1,
    "pin": 0.1,
    "remove": 0.08,
    "names": 0.2,
    "remove_library": 0.04,
}
"""How often a day, each."""
_ON_ONE_DAY: Final = ("restart_home", "restart", "reload", "move", "options")
"""What happens even where there is only one day."""
_WEEK: Final = 7
_HOURS: Final = (8, 23)
"""When all of it happens; the night belongs to the automations."""
_NEVER_MOVES: Final = {PAGE, SILENT}
"""By itself: a person has to say where it is."""


def calendar(
    chance: random.Random, days: float, start: datetime, plans: Sequence[ModulePlan]
) -> list[Act]:
    """Return all that happens, in order."""
    drawn = _Calendar(chance, days, start, plans)
    acts = [*drawn.adding(), *drawn.releases(), *drawn.everyday(), *drawn.long_ones()]
    return sorted(acts, key=lambda act: act.at)


class _Calendar:
    def __init__(
        self, chance: random.Random, days: float, start: datetime, plans: Sequence[ModulePlan]
    ) -> None:
        self._chance = chance
        self._days = days
        self._start = start
        self._plans = plans
        self._addresses = 100
        self._names = 0

    def _at(self, day: int, hour: float) -> float:
        """Return a time of day, as the clocks show it, in seconds from the start."""
        midnight = (self._start + timedelta(days=day)).replace(hour=0)
        at = midnight + timedelta(hours=hour)  # of the wall
        return at.timestamp() - self._start.timestamp()

    def _some_hour(self, day: int) -> float:
        first = self._start.hour + 4 if not day else _HOURS[0]
        return self._at(day, self._chance.uniform(first, _HOURS[1]))

    def adding(self) -> Iterator[Act]:
        for plan in self._plans:
            yield Act(at=plan.added_after, kind="add", module=plan.name)
        yield Act(at=2 * MINUTE, kind="sources")

    def releases(self) -> Iterator[Act]:
        """Yield one in the first evening, and one a week from then on."""
        for number, day in enumerate(range(0, max(1, int(self._days)), _WEEK)):
            at = self._at(day, self._chance.uniform(18, 21))
            yield Act(at=at, kind="release", details={"version": f"1.{number + 1}.0"})

    def everyday(self) -> Iterator[Act]:
        for kind, often in _OFTEN.items():
            for day in range(int(self._days)):
                count = int(often) + (self._chance.random() < often % 1)
                if self._days < 2 and kind in _ON_ONE_DAY:
                    count = 1
                for _ in range(count):
                    yield from self._one(kind, day)

    def _one(self, kind: str, day: int) -> Iterator[Act]:
        at, details = self._some_hour(day), {}
        if kind in {"restart_home", "remove_library"}:
            yield Act(at=at, kind=kind)
            return
        module = self._whose(kind)
        if module is None:
            return
        if kind in {"move", "readdress"}:
            self._addresses += 1
            details = {"host": f"127.0.0.{self._addresses}"}
        elif kind == "rename":
            self._names += 1
            details = {"name": f"{module.name}-{self._names}"}
        elif kind == "swap":
            others = [plan for plan in self._moving() if plan is not module]
            if not others:
                return
            details = {"other": self._chance.choice(others).name}
        yield Act(at=at, kind=kind, module=module.name, details=details)
        if kind == "remove":
            later = self._chance.choice((10 * MINUTE, 2 * HOUR, DAY))
            if module.way == PULLS:  # it is found when it asks
                later = max(later, 2 * HOUR)
            yield Act(at=at + later, kind="add_again", module=module.name)

    def _whose(self, kind: str) -> ModulePlan | None:
        """Return a module that this may happen to."""
        fitting: list[ModulePlan] = {
            "move": self._moving(),
            "swap": self._moving(),
            "rename": [
                plan for plan in self._moving() if plan.says and plan.says_mac and not plan.password
            ],
            "readdress": [plan for plan in self._plans if plan.way in _NEVER_MOVES],
        }.get(kind, list(self._plans))
        return self._chance.choice(fitting) if fitting else None

    def _moving(self) -> list[ModulePlan]:
        return [plan for plan in self._plans if plan.way == ANNOUNCES]

    def long_ones(self) -> Iterator[Act]:
        """Yield an hour without network, and modules that are off for days."""
        for day in range(2, int(self._days), 10):
            at = self._at(day, self._chance.randint(12, 20) + 0.2)
            yield from (Act(at=at, kind="network_down"), Act(at=at + HOUR, kind="network_up"))
        for day in range(3, int(self._days) - 1, 9):
            for way in (ANNOUNCES, PULLS):
                fitting = [plan for plan in self._plans if plan.way == way]
                module = self._chance.choice(fitting).name
                away = min(_WEEK, (self._days - day) / 2)
                at = self._at(day, self._chance.uniform(9, 17))
                yield Act(at=at, kind="switch_off", module=module)
                yield Act(at=at + away * DAY, kind="switch_on", module=module)
