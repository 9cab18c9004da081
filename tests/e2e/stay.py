"""The demo that stays up for a person."""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
import sys

from .bench import Bench, Setting, bench
from .client import PASSWORD, USER
from .flows import add_discovered, configure, discovered, make_valve
from .home import RESTART
from .modules import GARDEN_VALVE, MODULES, Happened, Module, RunningModule
from .network import carried_in
from .watch import module_line

_SLOW = ("--sector-time=0.06",)
"""As slow as a real flash, so that there is something to watch."""


def _guide(address: str, *, bare: bool) -> str:
    lines = [
        "",
        f"Home Assistant {version('homeassistant')}: {address}",
        f"  user {USER}, password {PASSWORD}",
        "",
        "Modules it has discovered:",
    ]
    for module in MODULES:
        secret = f"password {module.password}" if module.password else "no password"
        lines.append(f"  {module.name:<18} {module.chip.upper()}, {secret}")
    if bare:
        lines += ["", "Add one: Settings > Devices & services > Discovered."]
    else:
        lines += [
            "",
            f"{GARDEN_VALVE.name} is added, with its safe state: open Garden in the side bar,",
            "press the firmware card, then Update. The others wait to be added: Settings >",
            "Devices & services > Discovered.",
        ]
    return "\n".join([*lines, "", "Ctrl-C ends it all.", ""])


async def _prepare(running: Bench, *, bare: bool) -> None:
    client = running.client
    await make_valve(client)
    for module in MODULES:
        await discovered(client, module.name)
    if bare:
        return
    entry_id = await add_discovered(client, GARDEN_VALVE.name, {"equipment": "switches"})
    safe_state = GARDEN_VALVE.equipment.safe_state()
    await configure(client, entry_id, "safe_state", safe_state)


def _follow(module: Module, running: RunningModule) -> None:
    def tell(happened: Happened) -> None:
        if line := module_line(happened):
            print(f"{module.name}: {line.removeprefix('module: ')}", flush=True)

    running.listeners.append(tell)


async def _until_told(running: Bench) -> int:
    """Keep Home Assistant running, also when a person restarts it in its own page."""
    while (code := await running.home.wait()) == RESTART:
        await running.home.start()
    print(f"Home Assistant ended with {code}:\n{running.home.tail()}", file=sys.stderr)
    return 1


async def _until_left() -> int:
    """Wait until whoever started us closes our standard input."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        pass
    return 0


async def stay(setting: Setting, *, address: str, relay: Path | None, bare: bool) -> int:
    """Run the demo until it is told to end; `relay` is the way out of a network of our own."""
    async with bench(setting, MODULES, arguments=_SLOW) as running:
        await _prepare(running, bare=bare)
        for module in MODULES:
            _follow(module, running.modules[module.name])
        waits = [asyncio.create_task(_until_told(running))]
        try:
            async with AsyncExitStack() as stack:
                if relay is not None:
                    await stack.enter_async_context(carried_in(relay, setting.port))
                    waits.append(asyncio.create_task(_until_left()))
                print(_guide(address, bare=bare), flush=True)
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                return done.pop().result()
        finally:
            for task in waits:
                task.cancel()
