"""The pull endpoint: answers to polls, 50 downloads at once, 20 of them beside 20 pushes."""

from collections.abc import Iterator
from dataclasses import dataclass
import hashlib
from pathlib import Path
import statistics
import tempfile
from typing import Any, Final

from custom_components.esp_ota.web import PULL_PATH
from tests.virtual_module import PULL_REQUESTS

from .asking import Request, ask
from .garden import MIB, SECRET, Kind, host_of, image, mac_of, name_of
from .house import BARE_PATH
from .processes import House, process, sent

PULLS: Final = 50
MIXED: Final = 20
_SECONDS: Final = 1.0
_PAIRS: Final = 5
"""Of each run: what else the machine does changes from second to second."""
_KIB: Final = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Answers to as many as could be asked in some seconds."""

    rate: float
    cpu: float
    """Seconds of the server's CPU for each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfers:
    """Installs that ran at the same time."""

    rate: float
    """MiB a second, from the first byte of the first to the last of the last."""
    memory: float
    """KiB for each, at the worst moment."""
    block: float
    block_cpu: float
    cpu: float


def _requests(path: str, *, kept: bool) -> list[Request]:
    """Return what each module asks: the very bytes of the core's client."""
    running = image("1.0.0", 96 * _KIB)
    md5 = hashlib.md5(running, usedforsecurity=False).hexdigest()
    recorded = PULL_REQUESTS["esp8266_3"].to(f"{path}/{SECRET}", "127.0.0.1:8123").raw.decode()
    known = PULL_REQUESTS["esp8266_3"].header
    text = recorded.replace(str(known("x-ESP8266-sketch-md5")), md5)
    if kept:
        text = text.replace(" HTTP/1.0\r\n", " HTTP/1.1\r\n").replace("close", "keep-alive")
    mac = str(known("x-ESP8266-STA-MAC"))
    return [
        (
            host_of(Kind.PULL, number),
            text.replace(mac, mac_of(Kind.PULL, number).upper()).encode(),
        )
        for number in range(PULLS)
    ]


def _ask(house: House, path: str, *, kept: bool) -> Asked:
    before = house.do("cpu")["cpu"]
    rate = ask(house.port, _requests(path, kept=kept), _SECONDS, kept=kept)
    cpu = (house.do("cpu")["cpu"] - before) / (rate * _SECONDS)
    return Asked(rate=rate, cpu=cpu)


def _polls(house: House, runs: int) -> Iterator[str]:
    """Ask for nothing new, and beside it for an answer without a thought."""
    for kept in (False, True):
        name = "pull_304_kept" if kept else "pull_304"
        _ask(house, PULL_PATH, kept=kept)  # whatever the first of them costs
        ours, bare = [], []
        for _ in range(_PAIRS * runs):
            bare.append(_ask(house, BARE_PATH, kept=kept))
            ours.append(_ask(house, PULL_PATH, kept=kept))
        pairs = list(zip(ours, bare, strict=True))  # one after the other, as busy as the machine is
        yield f"{name}_rate {statistics.median(one.rate for one in ours):.0f} /s"
        yield f"{name}_bare_rate {statistics.median(one.rate for one in bare):.0f} /s"
        ratio = statistics.median(one.rate / other.rate for one, other in pairs)
        yield f"{name}_ratio {ratio:.3f} x"
        yield f"{name}_cpu {1e6 * statistics.median(one.cpu for one in ours):.0f} us"
        yield f"{name}_bare_cpu {1e6 * statistics.median(one.cpu for one in bare):.0f} us"
        cpu_ratio = statistics.median(other.cpu / one.cpu for one, other in pairs)
        yield f"{name}_cpu_ratio {cpu_ratio:.3f} x"


def _install(
    house: House, events: Iterator[dict[str, Any]], names: list[str], version: str
) -> Transfers:
    """Install on these modules at once."""
    told = house.do("install", names=names, version=version)
    if bad := {name: end for name, end in told["endings"].items() if not end.endswith("verified")}:
        raise RuntimeError(f"installs failed: {bad}")
    begun, ended = [], []
    while len(ended) < len(names):
        event = next(events)
        if event["event"] == "first_byte":
            begun.append(event["time"])
        elif event["event"] == "complete":
            ended.append(event["time"])
    return Transfers(
        rate=len(names) / (max(ended) - min(begun)),
        memory=told["memory"],
        block=told["block"] * 1000,
        block_cpu=told["block_cpu"] * 1000,
        cpu=told["cpu"] * 1000 / len(names),
    )


def _downloads(house: House, folder: Path, runs: int) -> Iterator[str]:
    """Let 50 modules download at once, then 20, with 20 more that are pushed to."""
    names = [name_of(Kind.PULL, number) for number in range(PULLS)]
    both = names[:MIXED] + [name_of(Kind.PUSH, number) for number in range(MIXED)]
    url = f"http://127.0.0.1:{house.port}{PULL_PATH}/{SECRET}"
    with process("tests.bench.modules", url, str(PULLS), str(MIXED)) as started:
        events = sent(started)
        while next(events)["event"] != "ready":
            pass
        house.do("known", names=names)
        alone, mixed = [], []
        for run in range(2 * runs + 1):
            version = f"1.{run + 1}.0"
            path = folder / f"{version}.bin"
            path.write_bytes(image(version, MIB))
            house.do("release", path=str(path))
            wanted = both if run % 2 or not run else names
            found = _install(house, events, wanted, version)
            if run:  # the first one loads what the others find loaded
                (mixed if run % 2 else alone).append(found)
    yield f"pull_rate {statistics.median(one.rate for one in alone):.1f} MiB/s"
    yield f"pull_cpu {statistics.median(one.cpu for one in alone):.1f} ms/MiB"
    yield f"pull_memory_per_download {statistics.median(one.memory for one in alone):.0f} KiB"
    for name, group in (("", alone), ("_mixed", mixed)):
        yield f"loop_block_max{name} {statistics.median(one.block for one in group):.1f} ms"
        cpu = statistics.median(one.block_cpu for one in group)
        yield f"loop_block_cpu_max{name} {cpu:.1f} ms"
    yield f"mixed_rate {statistics.median(one.rate for one in mixed):.1f} MiB/s"


def measure(runs: int) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = folder / "1.0.0.bin"
        first.write_bytes(image("1.0.0", 96 * _KIB))
        with process("tests.bench.house", str(PULLS), str(MIXED)) as started:
            house = House(started)
            house.do("release", path=str(first))
            yield from _polls(house, runs)
            yield from _downloads(house, folder, runs)
