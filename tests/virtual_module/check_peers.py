"""Run reference upload tools against virtual modules, and look into the modules for the truth.

The tools are programs of the Arduino cores, given by path and never part of this repository.
They are no oracle themselves: what counts is what became of the module.
"""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
import sys
import tempfile
from typing import Any

from .chips import Chip, Family
from .config import Generation, ModuleConfig
from .events import Seen
from .images import build_filesystem, build_image
from .module import VirtualModule

_PASSWORD = "correct horse"
_MD5_OF_PASSWORD = hashlib.md5(_PASSWORD.encode()).hexdigest()
_OLD, _NEW = "1.0.0", "2.0.0"
_SIZE = 64 * 1024
_PATIENCE = 75.0
"""Seconds for a tool: the slowest wait ten seconds for each of several things."""
_AT_ONCE = 8
_SETTLED = {Seen.BACK, Seen.BRICKED, Seen.REJECTED, Seen.ABORTED, Seen.CONNECT_FAILED}


@dataclass(frozen=True, slots=True)
class Tool:
    """One reference tool."""

    path: Path
    strong: bool
    """Knows PBKDF2, and answers challenges from a new socket."""
    patient: bool
    """Has an option for its time limit."""

    @classmethod
    def at(cls, path: Path) -> Tool:
        """Look into a tool for what it can do."""
        text = path.read_text(encoding="utf-8")
        return cls(path, strong="pbkdf2" in text, patient='"--timeout"' in text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One thing to do to a module, and what the module must know afterwards."""

    name: str
    truth: Callable[[Tool, ModuleConfig], str]
    payload: Callable[[ModuleConfig], bytes]
    password: str | None = None
    locked: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    families: frozenset[Family] = frozenset(Family)


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the table."""

    tool: str
    module: str
    case: str
    code: int | None
    last_line: str
    truth: str
    expected: str
    quirk: str


MODULES: dict[str, dict[str, Any]] = {
    "esp8266": {"chip": Chip.ESP8266},
    "esp8266 2.3": {"chip": Chip.ESP8266, "core": "2.3.0"},
    "esp32 md5": {"chip": Chip.ESP32, "generation": Generation.LEGACY},
    "esp32 pbkdf2": {"chip": Chip.ESP32, "generation": Generation.PBKDF2},
    "esp32s3 pbkdf2": {"chip": Chip.ESP32S3, "generation": Generation.PBKDF2},
    "esp32 pbkdf2/md5": {
        "chip": Chip.ESP32,
        "generation": Generation.PBKDF2,
        "password_hash": _MD5_OF_PASSWORD,
    },
    "rp2040": {"chip": Chip.RP2040},
}


def _new(config: ModuleConfig) -> bytes:
    return build_image(config.chip, version=_NEW, size=_SIZE)


def _other_chip(config: ModuleConfig) -> bytes:
    other = Chip.ESP32C3 if config.family is Family.ESP32 else Chip.ESP32
    return build_image(other, version=_NEW, size=_SIZE)


def _no_image(config: ModuleConfig) -> bytes:
    return b"<!DOCTYPE html><title>404</title>".ljust(_SIZE)


def _updated(tool: Tool, config: ModuleConfig) -> str:
    return f"runs {_NEW}"


def _with_password(tool: Tool, config: ModuleConfig) -> str:
    """Say how far a tool comes that may not know the module's challenge."""
    strong = config.family is Family.ESP32 and config.generation is Generation.PBKDF2
    if strong and not tool.strong:
        return "auth_malformed"
    if tool.strong and config.family is not Family.ESP32:
        return "aborted"  # the module answers where it was invited from, and nobody listens
    return f"runs {_NEW}"


def _with_wrong_password(tool: Tool, config: ModuleConfig) -> str:
    strong = config.family is Family.ESP32 and config.generation is Generation.PBKDF2
    return "auth_malformed" if strong and not tool.strong else "auth_failed"


def _too_big(tool: Tool, config: ModuleConfig) -> str:
    return f"begin_failed {5 if config.family is Family.ESP32 else 4}"


def _refused_at_start(tool: Tool, config: ModuleConfig) -> str:
    match config.family:
        case Family.ESP8266:
            return "rejected 10"
        case Family.ESP32:
            return "rejected 8"
        case Family.PICO:
            return "bricked"  # takes any file with the right MD5


def _wrong_chip(tool: Tool, config: ModuleConfig) -> str:
    return "rejected 9" if config.family is Family.ESP32 else "bricked"


def _files_replaced(tool: Tool, config: ModuleConfig) -> str:
    return f"new files, runs {_OLD}"


CASES = (
    Case(name="update", payload=_new, truth=_updated),
    Case(
        name="right password", payload=_new, truth=_with_password, locked=True, password=_PASSWORD
    ),
    Case(
        name="wrong password",
        payload=_new,
        truth=_with_wrong_password,
        locked=True,
        password="battery staple",
    ),
    Case(name="too big", payload=_new, truth=_too_big, options={"slot_size": 32 * 1024}),
    Case(name="no image", payload=_no_image, truth=_refused_at_start),
    Case(name="wrong chip", payload=_other_chip, truth=_wrong_chip),
    Case(
        name="filesystem",
        payload=lambda config: build_filesystem(_SIZE),
        truth=_files_replaced,
        arguments=("-s",),
    ),
)


def _truth(module: VirtualModule, payload: bytes) -> str:
    """Say in a few words what became of the module."""
    events = module.events
    for name in (Seen.BRICKED, Seen.ABORTED, Seen.AUTH_MALFORMED, Seen.AUTH_FAILED):
        if events.count_of(name) and not module.restarts:
            return name.value
    for name in (Seen.REJECTED, Seen.BEGIN_FAILED):
        if events.count_of(name):
            return f"{name} {events.last(name).details['code']}"
    if events.count_of(Seen.BRICKED):
        return Seen.BRICKED.value
    version = f"runs {module.running_version}"
    return f"new files, {version}" if module.fs_image == payload else version


def _quirk(code: int | None, truth: str, expected: str) -> str:
    """Say where the tool tells another story than the module."""
    good = truth.startswith(("runs 2", "new files"))
    if code is None:
        return "tool hangs"
    if code == 0 and not good:
        return "tool says success" if truth != Seen.BRICKED else "nobody noticed"
    if code and good:
        return "tool says failure"
    return "cannot log in" if truth == expected == Seen.AUTH_MALFORMED else ""


async def _run_tool(arguments: list[str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        output, _ = await process.communicate()
        return None, _last_line(output)
    return process.returncode, _last_line(output)


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").replace("\r", "\n").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip(" .")), "")


async def check(tool: Tool, name: str, case: Case, folder: Path, host: str) -> Result:
    """Let one tool do one thing to one module."""
    options = MODULES[name] | case.options
    if not case.locked:
        options = {key: value for key, value in options.items() if key != "password_hash"}
    elif "password_hash" not in options:
        options |= {"password": _PASSWORD}
    image = build_image(options["chip"], version=_OLD, size=_SIZE // 2)
    config = ModuleConfig(**options, host=host, image=image, time_scale=0.05)
    path = folder / f"{tool.path.stem}-{name}-{case.name}.bin".replace("/", "-")
    payload = case.payload(config)
    path.write_bytes(payload)
    async with VirtualModule(config) as module:
        arguments = ["-i", host, "-p", str(module.port), "-f", str(path), *case.arguments]
        arguments += ["-P", str(await _free_port())]
        if case.password is not None:
            arguments += ["-a", case.password]
        if tool.patient:
            arguments += ["-t", "3"]
        code, line = await _run_tool([str(tool.path), *arguments])
        if module.events.count_of(Seen.CONNECTED):
            await _settle(module)
        truth = _truth(module, payload)
    expected = case.truth(tool, config)
    return Result(
        tool.path.stem, name, case.name, code, line, truth, expected, _quirk(code, truth, expected)
    )


async def _settle(module: VirtualModule) -> None:
    """Wait until the module has come to an end with the newest transfer."""
    async with asyncio.timeout(20):
        while not _SETTLED & {event.name for event in module.events}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _free_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def check_all(paths: list[Path]) -> list[Result]:
    """Run every tool against every module in every case."""
    slots = asyncio.Semaphore(_AT_ONCE)
    with tempfile.TemporaryDirectory() as folder:

        async def one(number: int, tool: Tool, name: str, case: Case) -> Result:
            async with slots:
                host = f"127.0.{1 + number // 200}.{1 + number % 200}"
                return await check(tool, name, case, Path(folder), host)

        combinations = [
            (tool, name, case) for tool in map(Tool.at, paths) for name in MODULES for case in CASES
        ]
        return await asyncio.gather(
            *(one(number, *combination) for number, combination in enumerate(combinations))
        )


def show(results: list[Result]) -> None:
    """Print the table."""
    head = ("tool", "module", "case", "exit", "the module", "verdict", "tool's last line / quirk")
    rows = [
        (
            result.tool,
            result.module,
            result.case,
            "-" if result.code is None else str(result.code),
            result.truth,
            "ok" if result.truth == result.expected else f"UNEXPECTED, not {result.expected}",
            result.last_line[:60] + (f"  <- {result.quirk}" if result.quirk else ""),
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, tuple("-" * width for width in widths), *rows]:
        print(
            "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        )


def main() -> int:
    """Check the tools named on the command line."""
    options = argparse.ArgumentParser(prog="script/check-peers", description=__doc__)
    options.add_argument("path", type=Path, nargs="+", help="an espota.py")
    paths = options.parse_args().path
    missing = [path for path in paths if not path.is_file()]
    if missing:
        print("no such file:", *missing, file=sys.stderr)
        return 2
    results = asyncio.run(check_all(paths))
    show(results)
    wrong = [result for result in results if result.truth != result.expected]
    print(f"{len(results)} runs, {len(wrong)} with another outcome in the module than expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
