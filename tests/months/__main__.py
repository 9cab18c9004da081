"""`script/months`: plays one house, judges it, and says what it took."""

import argparse
import asyncio
from collections.abc import Sequence
import os
from pathlib import Path
import secrets
import shutil
import sys

from .checks import violations
from .clock import Clock, real_time
from .draw import draw
from .history import write
from .plan import Plan, clock_text
from .report import lines


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="script/months", description=__doc__)
    options.add_argument("--days", type=float, default=1.0, help="so many days of the house")
    options.add_argument("--modules", type=int, default=4, help="so many modules in the end")
    options.add_argument("--minutes", type=float, default=1e6, help="stop after so many of ours")
    options.add_argument("--seed", help="decides the calendar; printed when it is not given")
    options.add_argument("--keep", action="store_true", help="keep the house's folder")
    options.add_argument("--list", action="store_true", help="print the calendar only")
    return options.parse_args(arguments)


def _play(plan: Plan, minutes: float, *, keep: bool) -> int:
    from .play import Player

    work = Path(os.environ["MONTHS_WORK"])
    begun = real_time()
    clock = Clock.begin(plan.begins, 1.0)
    player = Player(plan, work, clock, 60 * minutes)
    try:
        run = asyncio.run(player.play())
    finally:
        if keep:
            write(player.house.run, work / "history.jsonl")
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    for line in lines(run, real_time() - begun, player.took):
        print(line)
    return 1 if violations(run) or run.broken else 0


def main(arguments: Sequence[str]) -> int:
    """Run it; 1 when a rule was broken."""
    given = _options(arguments)
    seed = given.seed or secrets.token_hex(4)
    print(f"seed {seed}", flush=True)
    plan = draw(seed, given.days, given.modules)
    if given.list:
        for act in plan.acts:
            print(f"{clock_text(plan.begins + act.at)} {act}")
        return 0
    return _play(plan, given.minutes, keep=given.keep)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
