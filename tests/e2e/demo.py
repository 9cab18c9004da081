"""`script/demo`."""

import argparse
import asyncio
import sys

from .bench import Setting, bench
from .scenarios import SCENARIOS
from .timeline import Timeline


async def once(name: str, setting: Setting) -> int:
    scenario = SCENARIOS[name]()
    async with bench(setting, [scenario.module]) as running, Timeline() as timeline:
        outcome = await scenario.play(running, timeline)
        complaints = await scenario.judge(outcome)
    for complaint in complaints:
        print(f"not as expected: {complaint}")
    print(f"verdict: {outcome.verdict}")
    return 1 if complaints else 0


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--scenario", default="push")
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--keep", action="store_true")
    o = p.parse_args()
    sys.exit(asyncio.run(once(o.scenario, Setting(verbose=o.verbose, keep=o.keep))))
