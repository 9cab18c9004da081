"""Many modules in one process, which all get 1 MiB.

    python -m tests.bench.modules URL PULLS PUSHES

Prints a JSON line for each first byte, last byte, and return from a restart.
"""

import asyncio
from contextlib import AsyncExitStack
import json
import sys
from typing import Final

from tests.virtual_module import Event, ModuleConfig, PullConfig, Seen, VirtualModule

from .garden import MIB, MSS, WINDOW, Kind, host_of, image, mac_of, name_of

_TOLD: Final = {Seen.FIRST_BYTE, Seen.COMPLETE, Seen.BACK, Seen.PULL_FAILED}


def module(kind: Kind, number: int, url: str) -> VirtualModule:
    """Return one module; all flash is as fast as this machine."""
    name = name_of(kind, number)
    config = ModuleConfig(
        host=host_of(kind, number),
        port=8266,
        hostname=name,
        mac=mac_of(kind, number),
        image=image("1.0.0", 96 * 1024),
        slot_size=3 * MIB,
        mss=MSS,
        window=WINDOW,
        time_scale=0.1,
        pull=PullConfig(url=url, poll_interval=1.0) if kind is Kind.PULL else None,
    )
    found = VirtualModule(config)

    def tell(event: Event) -> None:
        if event.name in _TOLD:
            line = {"module": name, "event": event.name, "time": event.time}
            print(json.dumps(line), flush=True)

    found.events.listeners.append(tell)
    return found


async def main(url: str, pulls: int, pushes: int) -> None:
    """Run until the process is ended."""
    each = [(Kind.PULL, number) for number in range(pulls)]
    each += [(Kind.PUSH, number) for number in range(pushes)]
    async with AsyncExitStack() as stack:
        for kind, number in each:
            await stack.enter_async_context(module(kind, number, url))
        print(json.dumps({"event": "ready"}), flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
