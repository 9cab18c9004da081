"""A fleet of virtual modules in one process: each is updated when it is sent to, and asks.

    python -m tests.bench.fleet_modules MODULES SECONDS SPREAD URL

SECONDS is what an update takes on a module, SPREAD in how many seconds all of them are switched
on: they ask once a minute from then on. Prints `{"event": "ready"}`; then each line on stdin is
`bad` (the old sketch runs after each restart from now on) or `told`, which prints what has
happened inside since the last time.
"""

import asyncio
from contextlib import AsyncExitStack
import json
import random
import sys
from typing import Final

from tests.virtual_module import Event, Fault, ModuleConfig, PullConfig, Seen, VirtualModule

from .garden import MIB, MSS, WINDOW, image
from .many.garden import host, mac

_SCALE: Final = 0.1
"""What the module takes its time for is that much faster; but not what it is away for."""
_BEFORE: Final = 0.3
"""Seconds from the invitation to the restart."""
_APART: Final = 0.1
"""Some take so much longer or shorter than others."""
_TOLD: Final = {
    Seen.INVITED,
    Seen.FIRST_BYTE,
    Seen.RESTARTED,
    Seen.BACK,
    Seen.POLLING,
    Seen.ANSWERED,
    Seen.PULL_FAILED,
}


def module(number: int, seconds: float, url: str) -> VirtualModule:
    """Return one module, whose update takes so long; each is a bit different."""
    own = seconds * random.Random(number).uniform(1 - _APART, 1 + _APART)
    config = ModuleConfig(
        host=host(number),
        port=8266,
        hostname=f"module-{number}",
        mac=mac(number),
        image=image("1.0.0", 96 * 1024),
        slot_size=3 * MIB,
        mss=MSS,
        window=WINDOW,
        time_scale=_SCALE,
        offline_time=max(own - _BEFORE, 0.1) / _SCALE,
        pull=PullConfig(url=url),
    )
    return VirtualModule(config)


async def main(modules: int, seconds: float, spread: float, url: str) -> None:
    """Run until there are no more lines."""
    fleet = [module(number, seconds, url) for number in range(modules)]
    log: list[tuple[int, str, float, object]] = []

    def hear(number: int) -> None:
        def tell(event: Event) -> None:
            if event.name in _TOLD:
                log.append((number, str(event.name), event.time, event.details.get("status")))

        fleet[number].events.listeners.append(tell)

    async with AsyncExitStack() as stack:
        for number, one in enumerate(fleet):
            hear(number)
            await stack.enter_async_context(one)
            await asyncio.sleep(spread / modules)
        print(json.dumps({"event": "ready"}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "bad":
                for one in fleet:
                    one.faults.set(Fault.OLD_SKETCH_BACK)
            print(json.dumps({"log": log}), flush=True)
            log.clear()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
