"""Plays houses one after the other, in a network of its own; a JSON line for each.

    python -m tests.torture.worker ORDER

ORDER is JSON: seed, houses or range, per_house, real, tour, until (a monotonic time), verbose.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from zeroconf.asyncio import AsyncZeroconf

from .checks import violations
from .draw import plan_house
from .history import History
from .house import House
from .lives import ForkedLives, Lives, RealLives
from .plan import HousePlan
from .real import make_real_template
from .rollout_checks import house_violations
from .shared import shared_violations
from .template import make_template
from .tour import EVIL_TOUR, TOUR


@asynccontextmanager
async def _lives(base: Path, *, real: bool) -> AsyncIterator[Lives]:
    if real:
        yield RealLives()
        return
    async with ForkedLives.running(base / "zygote.log") as lives:
        yield lives


async def play_all(order: dict[str, Any]) -> None:
    """Play every house of this worker's share."""
    with tempfile.TemporaryDirectory(prefix="torture-", dir=_fast_disk()) as folder:
        base = Path(folder)
        template = base / "template"
        async with _lives(base, real=order["real"]) as lives:
            if order["real"]:
                await make_real_template(lives, base / "first", template)
            else:
                await make_template(lives, base / "first", template)
            for number in order.get("houses") or range(*order["range"]):
                if time.monotonic() > order["until"]:
                    break
                plan = plan_house(order["seed"], number, order["per_house"])
                if order["tour"]:
                    plan = (EVIL_TOUR if order["tour"] == "evil" else TOUR)[number]
                await _play(plan, lives, base, template, verbose=order["verbose"])


async def _play(
    plan: HousePlan, lives: Lives, base: Path, template: Path, *, verbose: bool
) -> None:
    begun = time.monotonic()
    place = base / f"house-{plan.number}"
    place.mkdir()
    house = House(plan, lives, place, template)
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        runs = await house.play(zeroconf)
    finally:
        await zeroconf.async_close()
    together = [shared_violations(runs), house_violations(house.story)]
    told = [_told(run, together) for run in runs]
    line: dict[str, Any] = {
        "house": plan.number,
        "seconds": round(time.monotonic() - begun, 2),
        "runs": told,
        "deaths": house.deaths,
        "reached": sorted(house.reached),
        "rollout": house.story.note["state"] if house.story.note else house.story.error,
    }
    if verbose or any(run["violations"] for run in told):
        line["plan"] = plan.told()
        line["timeline"] = house.timeline
        line["histories"] = [asdict(run) for run in runs]
        line["note"] = house.story.note
    print(json.dumps(line, default=str), flush=True)
    house.remove()


def _told(run: History, together: Sequence[dict[str, list[str]]]) -> dict[str, Any]:
    last = run.told[-1] if run.told else None
    return {
        "number": run.number,
        "door": run.plan.door,
        "verdict": last.verdict if last else "forgotten",
        "cause": last.cause if last else None,
        "points": sorted(set(run.points)),
        "moved": _moved(run),
        "shares_valve": run.shares_valve,
        "evil": f"{run.plan.door} {run.plan.evil}" if run.plan.evil else None,
        "violations": violations(run)
        + [text for found in together for text in found.get(run.plan.name, [])],
    }


def _moved(run: History) -> str | None:
    """Return how the module got another address, or seemed to, and at which point."""
    if run.moved_at is not None and (impostor := run.plan.impostor) is not None:
        return f"impostor({impostor.kind}) at {impostor.point}"
    if run.moved_at is None or (moves := run.plan.moves) is None:
        return None
    return f"{'swapped' if moves.swaps else 'moved'} at {moves.point}"


def _fast_disk() -> str | None:
    """Return where files cost no disk: the order of writes is what matters, not the platter."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None


if __name__ == "__main__":
    asyncio.run(play_all(json.loads(sys.argv[1])))
