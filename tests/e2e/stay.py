"""The demo that stays up for a person."""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
import sys

from .bench import Bench, Setting, bench
from .client import PASSWORD, USER
from .fleet import bring_about
from .flows import discovered, make_valve
from .home import RESTART
from .modules import MODULES, Happened, RunningModule
from .network import carried_in
from .watch import module_line

_SLOW = ("--sector-time=0.06",)
"""As slow as a real flash, so that there is something to watch."""


def _guide(address: str, *, bare: bool) -> str:
    lines = [
        "",
        f"Home Assistant {version('homeassistant')}: {address}",
        f"  user {USER}, password {PASSWORD}",
    ]
    if bare:
        lines += ["", "Modules it has discovered:"]
        for module in MODULES:
            secret = f"password {module.password}" if module.password else "no password"
            lines.append(f"  {module.name:<18} {module.chip.upper()}, {secret}")
        lines += ["", "Add one: Settings > Devices & services > Discovered."]
    else:
        lines += [
            "",
            "Open ESP OTA in the side bar: nine modules are added, two of them are being updated,",
            "others wait, sleep, are off, failed, or are up to date.",
        ]
    return "\n".join([*lines, "", "Ctrl-C ends it all.", ""])


async def _prepare(running: Bench, *, bare: bool) -> list[asyncio.Task[None]]:
    """Have the garden and its modules; returns the updates that are under way."""
    await make_valve(running.client)
    if not bare:
        return await bring_about(running)
    for module in MODULES:
        await discovered(running.client, module.name)
    return []


def _follow(running: RunningModule) -> None:
    def tell(happened: Happened) -> None:
        if line := module_line(happened):
            print(f"{running.module.name}: {line.removeprefix('module: ')}", flush=True)

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
    modules = MODULES if bare else ()
    async with bench(setting, modules, arguments=_SLOW) as running:
        updates = await _prepare(running, bare=bare)
        for module in running.modules.values():
            _follow(module)
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
            for task in (*waits, *updates):
                task.cancel()
