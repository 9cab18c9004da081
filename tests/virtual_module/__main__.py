"""Run one virtual module as a process: a JSON line per event, until SIGTERM or SIGINT."""

import argparse
import asyncio
from dataclasses import fields, replace
import json
from pathlib import Path
import signal
import sys
from typing import Any

from .chips import Chip
from .config import Generation, ModuleConfig
from .events import Event, Seen
from .faults import Fault
from .http_config import HttpConfig, HttpDialect
from .http_module import HttpModule
from .images import DEFAULT_SIZE, build_image
from .module import VirtualModule
from .pull_config import USUAL_INTERVAL, PullConfig, PullMode
from .sleeper import Sleeper

_SECONDS = {
    "sector_time": "seconds per 4 kB written",
    "tick": "seconds between looks at the connection",
    "loop_time": "seconds between two handle() calls",
    "auth_time": "seconds of PBKDF2",
    "offline_time": "seconds from reset to back",
    "time_scale": "factor for the module's own delays",
    "limit_scale": "factor for limits the host must keep to",
    "fault_at": "where in the payload faults strike, 0 to 1",
    "slow_sector_time": "more seconds per sector with slow_sector",
    "late_reply_time": "seconds a reply is late with late_reply",
    "slow_restart_time": "more seconds with slow_restart",
    "crash_time": "seconds from a start to the crash with crashes",
    "revive_after": "seconds from silent_death to power's return",
}
_BUSY = 30.0
"""Seconds for which an invitation keeps a module awake that sleeps."""
_NUMBERS = {
    "slot_size": "bytes of room for sketches",
    "fs_size": "bytes of filesystem",
    "fs_command": "the command for filesystems",
    "mss": "largest TCP segment",
    "window": "TCP window, 0: the operating system's",
}
_TEXTS = {
    "core": "ESP8266: version of the Arduino core",
    "flash_mode": "ESP8266: the only mode its flash works in",
    "hostname": "name on the network",
    "board": "board for the TXT record",
    "mac": "address, with colons",
    "password": "ArduinoOTA password",
    "password_hash": "what the sketch gave to setPasswordHash()",
    "wrong_version": "version told with wrong_version_back",
}


def fault_and_count(text: str) -> tuple[Fault, int | None]:
    """Read NAME or NAME:COUNT."""
    name, _, count = text.partition(":")
    return Fault(name), int(count) if count else None


def dialect_and_port(text: str) -> HttpConfig:
    """Read DIALECT or DIALECT:PORT."""
    name, _, port = text.partition(":")
    dialect = HttpDialect(name)
    return HttpConfig(dialect=dialect, port=int(port) if port else dialect.usual_port)


def parser() -> argparse.ArgumentParser:
    """Describe the command line; options are the fields of `ModuleConfig`."""
    options = argparse.ArgumentParser(prog="python -m tests.virtual_module", description=__doc__)
    options.add_argument("--chip", type=Chip, choices=list(Chip), default=Chip.ESP8266)
    options.add_argument("--generation", type=Generation, choices=list(Generation))
    options.add_argument("--host", help="the module's address, any of 127.0.0.0/8")
    options.add_argument("--port", type=int, help="UDP port; the chip's own unless given")
    options.add_argument(
        "--fault",
        type=fault_and_count,
        action="append",
        default=[],
        metavar="NAME[:COUNT]",
        help=", ".join(Fault),
    )
    options.add_argument(
        "--http",
        type=dialect_and_port,
        metavar="DIALECT[:PORT]",
        help="an update page too, with the same password: " + ", ".join(HttpDialect),
    )
    options.add_argument("--pull", metavar="URL", help="asks there for updates, too")
    options.add_argument("--poll-interval", type=float, default=USUAL_INTERVAL, metavar="SECONDS")
    options.add_argument(
        "--pull-step", type=PullMode, action="append", help="at each poll: " + ", ".join(PullMode)
    )
    options.add_argument("--pull-without", action="append", default=[], metavar="HEADER")
    options.add_argument("--deep-sleep", action="store_true", help="sleeps between polls")
    options.add_argument(
        "--asleep", type=float, metavar="SECONDS", help="after SIGUSR1 sleeps so long, again and"
    )
    options.add_argument(
        "--awake", type=float, default=8.0, metavar="SECONDS", help="again, and is awake so long"
    )
    for names, kind in ((_SECONDS, float), (_NUMBERS, int), (_TEXTS, str)):
        for name, text in names.items():
            options.add_argument(f"--{name.replace('_', '-')}", type=kind, help=text)
    options.add_argument("--image", type=Path, help="the sketch that runs at first")
    options.add_argument("--firmware", default="garden-valve", help="or its name")
    options.add_argument("--version", default="1.0.0", help="and version")
    options.add_argument("--size", type=int, default=DEFAULT_SIZE, help="and size")
    options.add_argument("--fs-image", type=Path, help="the filesystem at first")
    options.add_argument("--advertise", action=argparse.BooleanOptionalAction, default=True)
    options.add_argument("--txt-firmware", action=argparse.BooleanOptionalAction)
    options.add_argument("--txt-mac", action=argparse.BooleanOptionalAction)
    options.add_argument("--txt-flash", action=argparse.BooleanOptionalAction)
    options.add_argument("--interface", action="append", help="address mDNS joins on")
    options.add_argument("--state-file", type=Path, help="keeps the running image")
    return options


def config_from(options: argparse.Namespace) -> ModuleConfig:
    """Turn the command line into a configuration."""
    given: dict[str, Any] = {
        field.name: value
        for field in fields(ModuleConfig)
        if (value := getattr(options, field.name, None)) is not None
    }
    state: Path | None = options.state_file
    if state is not None and state.exists():
        given["image"] = state.read_bytes()
    elif options.image is not None:
        given["image"] = options.image.read_bytes()
    else:
        given["image"] = build_image(
            options.chip, name=options.firmware, version=options.version, size=options.size
        )
    if options.fs_image is not None:
        given["fs_image"] = options.fs_image.read_bytes()
    if options.interface:
        given["interfaces"] = tuple(options.interface)
    if options.pull is not None:
        given["pull"] = PullConfig(
            url=options.pull,
            poll_interval=options.poll_interval,
            steps=tuple(options.pull_step or [PullMode.SKETCH]),
            without=options.pull_without,
            deep_sleep=options.deep_sleep,
        )
    given.setdefault("port", ModuleConfig(chip=options.chip).facts.port)
    return ModuleConfig(**given, faults=dict(options.fault))


async def serve(
    config: ModuleConfig,
    state: Path | None,
    http: HttpConfig | None = None,
    sleep: tuple[float, float] | None = None,
) -> None:
    """Run the module until a signal comes or it breaks; `sleep` are seconds asleep and awake."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    module = VirtualModule(config)
    if http is not None:
        module = HttpModule(config, replace(http, password=config.password))

    def tell(event: Event) -> None:
        line = {"module": module.hostname, "time": event.time, "event": event.name}
        print(json.dumps(line | event.details), flush=True)
        if state is not None and event.name in (Seen.UP, Seen.BACK):
            new = state.with_name(state.name + ".new")
            new.write_bytes(module.running_image)
            new.replace(state)

    module.events.listeners.append(tell)
    module.events.on_failure = stop.set
    async with module:
        sleeper = None
        if sleep is not None:
            sleeper = Sleeper(module, asleep=sleep[0], awake=sleep[1], busy=_BUSY)
            loop.add_signal_handler(signal.SIGUSR1, sleeper.begin)
        await stop.wait()
        if sleeper is not None:
            await sleeper.end()


def main() -> int:
    """Read the command line and run."""
    options = parser().parse_args()
    try:
        config = config_from(options)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    sleep = (options.asleep, options.awake) if options.asleep else None
    asyncio.run(serve(config, options.state_file, options.http, sleep))
    return 0


if __name__ == "__main__":
    sys.exit(main())
