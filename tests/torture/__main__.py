"""`script/torture`: shares the houses out among workers, and counts what they saw."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
import json
import secrets
import sys
import time
from typing import Any, Final

from tests.e2e.network import NETNS
from tests.e2e.processes import Child, environment, python

from .draw import plan_house
from .plan import PER_HOUSE, PER_REAL_HOUSE, HousePlan
from .report import Summary, timeline
from .torture_garden.points import POINTS
from .tour import EVIL_TOUR, TOUR

_RUNS: Final = 120
_LINE: Final = 1 << 26
_ENOUGH: Final = 50
"""Violations that are told; more come of one cause, or of a machine on which nothing works."""


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="script/torture", description=__doc__)
    options.add_argument("--runs", type=int, help=f"so many updates ({_RUNS})")
    options.add_argument("--minutes", type=float, help="no new house after so many minutes")
    options.add_argument("--seed", help="decides everything; printed when it is not given")
    options.add_argument("--only", type=int, help="repeat the house of this one run, and show it")
    options.add_argument("--at", help="only houses that are killed at points with this word")
    options.add_argument("--evil", action="store_true", help="only houses with an evil module")
    options.add_argument("--guests", action="store_true", help="only houses with a guest")
    options.add_argument("--real", action="store_true", help="a real Home Assistant process")
    options.add_argument("--tour", action="store_true", help="one house, by every named point")
    options.add_argument("--workers", type=int, help="houses at a time (8, real ones 2)")
    options.add_argument("--per-house", type=int, help="modules in a house (6, real ones 4)")
    options.add_argument("--list", action="store_true", help="print the named points")
    return options.parse_args(arguments)


class Torture:
    """One call of the command."""

    def __init__(self, given: argparse.Namespace) -> None:
        """Decide how much is played, and by how many."""
        self._given = given
        self.seed = given.seed or secrets.token_hex(4)
        self._usual = PER_REAL_HOUSE if given.real else PER_HOUSE
        self._per_house = given.per_house or self._usual
        runs = given.runs or (10**9 if given.minutes else _RUNS)
        self._houses: Sequence[int] = range(-(-runs // self._per_house))
        if (given.at or given.evil or given.guests) and not given.tour:
            self._houses = self._chosen(len(self._houses))
        if given.only is not None:
            self._houses = [given.only // self._per_house]
        if given.tour:
            tour = EVIL_TOUR if given.evil else TOUR
            self._houses, self._per_house = range(len(tour)), PER_HOUSE
        self._workers = min(given.workers or (2 if given.real else 8), len(self._houses))
        seconds = 60.0 * given.minutes if given.minutes else 1e9
        self._until = time.monotonic() + seconds
        self.summary = Summary()

    def _chosen(self, count: int) -> list[int]:
        """Return the first houses that are killed at the point and have the module asked for."""
        plans = (plan_house(self.seed, number, self._per_house) for number in range(100 * count))
        return list(islice((plan.number for plan in plans if self._is_wanted(plan)), count))

    def _is_wanted(self, plan: HousePlan) -> bool:
        if self._given.evil and not any(module.evil for module in plan.modules):
            return False
        if self._given.guests and not any(module.guest for module in plan.modules):
            return False
        at = self._given.at
        return not at or any(at in (death.point or "") for death in plan.deaths)

    def command(self, number: int) -> str:
        """Return what repeats one run."""
        if self._given.tour:
            return "script/torture --tour" + (" --evil" if self._given.evil else "")
        more = " --real" if self._given.real else ""
        if self._per_house != self._usual:
            more += f" --per-house {self._per_house}"
        return f"script/torture --seed {self.seed} --only {number}{more}"

    async def play(self) -> None:
        """Let every worker play its share."""
        await asyncio.gather(*(self._work(index) for index in range(self._workers)))
        if self._given.tour and not self._given.evil and self.summary.missed:
            self.summary.broken.append("the tour has missed a point")

    async def _work(self, index: int) -> None:
        order = {
            "seed": self.seed,
            **self._share(index),
            "per_house": self._per_house,
            "real": self._given.real,
            "tour": self._given.tour and ("evil" if self._given.evil else "points"),
            "until": self._until,
            "verbose": self._given.only is not None,
        }
        command = [NETNS, *python("tests.torture.worker", json.dumps(order))]
        child = await Child.start(command, stdout=asyncio.subprocess.PIPE, env=environment())
        output = child.process.stdout
        assert output is not None
        output._limit = _LINE  # type: ignore[attr-defined]
        try:
            while self.summary.violations < _ENOUGH and (line := await output.readline()):
                self._take(json.loads(line))
            if self.summary.violations >= _ENOUGH:
                self.summary.broken.append(f"worker {index} was stopped: it is enough")
            elif await child.process.wait():
                self.summary.broken.append(f"worker {index} ended with an error")
        finally:
            with suppress(ProcessLookupError):
                await child.end()

    def _share(self, index: int) -> dict[str, Any]:
        """Return the houses of one worker: from, to and step where there is no end of them."""
        share = self._houses[index :: self._workers]
        if isinstance(share, range):
            return {"range": [share.start, share.stop, share.step]}
        return {"houses": list(share)}

    def _take(self, house: dict[str, Any]) -> None:
        self.summary.take(house)
        for run in house["runs"]:
            wanted = self._given.only in {run["number"], None}
            if run["violations"] or (self._given.only is not None and wanted):
                self._show(house, run)

    def _show(self, house: dict[str, Any], run: dict[str, Any]) -> None:
        number = run["number"]
        kind = "VIOLATION" if run["violations"] else "run"
        print(f"{kind} of seed {self.seed}, number {number}")
        for line in timeline(house, number):
            print(f"  {line}")
        for violation in run["violations"]:
            print(f"  ! {violation}")
        print(f"  repeat: {self.command(number)}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run it; 1 when a rule was broken."""
    given = _options(arguments)
    if given.list:
        for name, text in POINTS.items():
            print(f"{name:<28} {text}")
        return 0
    begun = time.monotonic()
    torture = Torture(given)
    print(f"seed {torture.seed}", flush=True)
    asyncio.run(torture.play())
    for line in torture.summary.lines(time.monotonic() - begun):
        print(line)
    return 1 if torture.summary.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
