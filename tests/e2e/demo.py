"""`script/demo`: what it was asked for, and in which network."""

import argparse
import asyncio
import contextlib
import os
from pathlib import Path
import shutil
import signal
import sys
import tempfile

from .bench import PICTURES, Setting, bench
from .browser import install_chromium
from .client import ActionFailed
from .home import PORT, ROOT
from .network import NETNS, carried_out, free_port, own_address, why_no_namespace
from .outside import GOOD, Address, Firmware, update_outside
from .pictures import FOLDER
from .processes import Child, python
from .scenarios import SCENARIOS
from .stay import stay
from .timeline import Timeline


def parser() -> argparse.ArgumentParser:
    """Describe the command line; `script/demo --help` explains it to a person."""
    options = argparse.ArgumentParser(prog="script/demo", add_help=False, allow_abbrev=False)
    options.add_argument("--once", action="store_true")
    options.add_argument("--scenario", choices=sorted(SCENARIOS), default="push")
    options.add_argument("--list", action="store_true")
    options.add_argument("--module", type=Address.parse)
    options.add_argument("--image", type=Path)
    options.add_argument("--on-my-network", action="store_true")
    options.add_argument("--bare", action="store_true")
    options.add_argument("--port", type=int)
    options.add_argument("--verbose", action="store_true")
    options.add_argument("--keep", action="store_true")
    options.add_argument("--pictures", action="store_true")
    # How the demo starts itself in the network of its own.
    options.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--address", default="", help=argparse.SUPPRESS)
    options.add_argument("--relay", type=Path, help=argparse.SUPPRESS)
    return options


async def _play(setting: Setting, name: str) -> int:
    scenario = SCENARIOS[name]()
    modules, arguments = scenario.modules, scenario.arguments
    async with bench(setting, modules, arguments=arguments) as running, Timeline() as timeline:
        outcome = await scenario.play(running, timeline)
        complaints = await scenario.judge(outcome)
        verdict = outcome.watch.verdict
    for complaint in complaints:
        print(f"not as expected: {complaint}")
    print(f"verdict: {verdict}")
    return 1 if complaints else 0


async def _update_outside(setting: Setting, address: Address, image: Path) -> int:
    firmware = Firmware.read(image)
    print(f"{image} is {firmware.name} {firmware.version}")
    async with bench(setting, []) as running, Timeline() as timeline:
        watch = await update_outside(running, timeline, address, firmware)
        verdict = watch.verdict
    print(f"verdict: {verdict}")
    return 0 if verdict in GOOD else 1


async def _once(options: argparse.Namespace, setting: Setting) -> int:
    try:
        if options.module:
            return await _update_outside(setting, options.module, options.image)
        return await _play(setting, options.scenario)
    except* (ActionFailed, LookupError, OSError, RuntimeError) as group:
        for error in group.exceptions:
            print(f"not as expected: {error}")
        print("verdict: none")
    return 1


async def _outside(options: argparse.Namespace, arguments: list[str]) -> int:
    """Start the demo in a network of its own, and bring its page out to the person's browser."""
    port = free_port(options.port)
    directory = Path(tempfile.mkdtemp(prefix="esp-ota-"))  # a socket's path has to be short
    relay = directory / "page"
    told = [f"--address=http://127.0.0.1:{port}", f"--relay={relay}", "--inside"]
    command = [NETNS, *python("tests.e2e.demo", *arguments, *told)]
    child = await Child.start(command, stdin=asyncio.subprocess.PIPE)
    try:
        async with carried_out(port, relay):
            return await child.process.wait()
    finally:
        await child.end()
        shutil.rmtree(directory, ignore_errors=True)


async def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    own_network = options.inside or not (options.on_my_network or options.module)
    if own_network and not options.inside:
        return await _outside(options, arguments)
    setting = Setting(
        port=PORT if own_network else free_port(options.port),
        interface="127.0.0.1" if own_network or options.module else own_address(),
        verbose=options.verbose,
        keep=options.keep,
        pictures=FOLDER if options.pictures else PICTURES,
    )
    if options.once or options.module:
        return await _once(options, setting)
    address = options.address or f"http://127.0.0.1:{setting.port}"
    return await stay(setting, address=address, relay=options.relay, bare=options.bare)


def main() -> int:
    """Do what the command line asks for."""
    options, arguments = parser().parse_args(), sys.argv[1:]
    if options.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:<16} {scenario.summary}")
        return 0
    if bool(options.module) != bool(options.image):
        parser().error("--module and --image belong together")
    os.chdir(ROOT)
    if options.on_my_network:
        print("On your network: Home Assistant also discovers what is there, and until the end")
        print("others see the virtual modules announced, under addresses that lead nowhere.")
    elif not (options.inside or options.module):
        if why := why_no_namespace():
            print(why, file=sys.stderr)
            print("Or do without one: script/demo --on-my-network", file=sys.stderr)
            return 1
        if options.once:
            if SCENARIOS[options.scenario].clicked and not install_chromium():
                return 1
            command = [NETNS, *python("tests.e2e.demo", *arguments, "--inside")]
            os.execv(command[0], command)
    with contextlib.suppress(asyncio.CancelledError):
        return asyncio.run(_run(options, arguments))
    return 130


if __name__ == "__main__":
    sys.exit(main())
