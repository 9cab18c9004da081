"""Hundreds of modules updated at once: the queue and rollouts, judged by the modules' own logs."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
import json
from pathlib import Path
import statistics
import subprocess
import tempfile
from typing import Any, Final

from custom_components.esp_ota.ota import foresee
from tests.kit.fleet import random_fleet
from tests.kit.virtual_time import in_virtual_time

from .garden import image
from .houses import Checkout
from .processes import House, process, sent

SIZES: Final = (50, 200, 500)
SECONDS: Final = 12.0
LIMIT: Final = 8
_PER_AREA: Final = 5
_FLEETS: Final = 200
_CANARIES: Final = (1, 3)
_LAST: Final = "1.9.0"
_KIB: Final = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """For how long one module was busy with an update, by its own log (`time.monotonic()`)."""

    module: int
    begins: float
    ends: float


class Modules:
    """A fleet in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        self._in = process.stdin
        self._out = sent(process)
        while next(self._out)["event"] != "ready":
            pass

    def log(self, *, bad: bool = False) -> list[tuple[int, str, float, int | None]]:
        """Return what has happened inside: module, what, when, status; `bad` from now on."""
        print("bad" if bad else "told", file=self._in, flush=True)
        return [(one[0], one[1], one[2], one[3]) for one in next(self._out)["log"]]


def stays(log: list[tuple[int, str, float, int | None]]) -> list[Stay]:
    """Return each update, from its invitation to the restarted sketch."""
    begun: dict[int, float] = {}
    found = []
    for module, what, at, _ in log:
        if what == "invited":
            begun.setdefault(module, at)
        elif what == "back" and module in begun:
            found.append(Stay(module=module, begins=begun.pop(module), ends=at))
    return found


def most_together(found: list[Stay]) -> int:
    """Return how many were busy at once at most."""
    moments = [(one.begins, 1) for one in found] + [(one.ends, -1) for one in found]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def groups_broken(found: list[Stay], areas: int) -> int:
    """Return how many were busy while another one of their area was."""
    ends: defaultdict[int, float] = defaultdict(float)
    broken = 0
    for one in sorted(found, key=lambda item: item.begins):
        area = one.module % areas
        broken += one.begins < ends[area]
        ends[area] = max(ends[area], one.ends)
    return broken


def ideal(found: list[Stay], areas: int, limit: int) -> float:
    """Return how long all would take if each began the moment it may, in the order of the plan."""
    left = sorted(found, key=lambda item: item.module)
    busy: list[tuple[float, int]] = []
    now = 0.0
    while left:
        taken = {area for _, area in busy}
        free = [one for one in left if one.module % areas not in taken]
        if len(busy) < limit and free:
            one = free[0]
            left.remove(one)
            heappush(busy, (now + one.ends - one.begins, one.module % areas))
        else:
            now, _ = heappop(busy)
    return max(end for end, _ in busy)


def latencies(log: list[tuple[int, str, float, int | None]]) -> list[float]:
    """Return how long each module waited for the answer to its question, in milliseconds."""
    asked: dict[int, float] = {}
    found = []
    for module, what, at, _ in log:
        if what == "polling":
            asked[module] = at
        elif what == "answered" and module in asked:
            found.append(1000 * (at - asked.pop(module)))
    return found


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _plans(fleets: int) -> Iterator[str]:
    """Yield how many random fleets ran as they were planned."""
    equal = 0
    for seed in range(fleets):
        fleet = random_fleet(seed)
        plan = foresee(fleet.terms, fleet.members, limit=fleet.limit)
        in_virtual_time(fleet.rollout().run())
        planned = [(slot.index, slot.wave, round(slot.begins, 6)) for slot in plan]
        ran = [(index, wave, round(begins, 6)) for index, wave, begins in fleet.begun]
        equal += planned == ran and fleet.together <= fleet.limit
    yield f"fleet_plan_equals_run {equal} of {fleets}"


@contextmanager
def _running(
    checkout: Checkout, modules: int, seconds: float, spread: float, folder: Path
) -> Iterator[tuple[House, Modules]]:
    """Yield a house that knows what all of its modules run, and those."""
    house = checkout.command("fleet", modules, LIMIT, _areas(modules), folder)
    with process(*house[0], cwd=house[1]) as one:
        running = House(one)
        url = f"http://127.0.0.1:{running.port}/api/esp_ota/pull/secret-of-the-house"
        fleet = "tests.bench.fleet_modules", str(modules), str(seconds), str(spread), url
        with process(*fleet) as other:
            found = Modules(other)
            running.do("known", version="1.0.0")
            yield running, found


def _areas(modules: int) -> int:
    return max(3 * LIMIT, modules // _PER_AREA)


def _updated(
    checkout: Checkout, modules: int, seconds: float, spread: float, images: Path
) -> Iterator[str]:
    """Yield what updating all of them at once was like."""
    areas = _areas(modules)
    with (
        tempfile.TemporaryDirectory() as name,
        _running(checkout, modules, seconds, spread, Path(name)) as (house, fleet),
    ):
        house.do("release", path=str(images / "bench-1.1.0.bin"))
        fleet.log()
        told = house.do("update_all")
        log = fleet.log()
        found = stays(log)
        if told["verified"] != modules or len(found) != modules:
            raise RuntimeError(f"of {modules}: {told}, {len(found)} updated")
        asked = latencies(log)
        best = ideal(found, areas, LIMIT)
        own = statistics.mean(one.ends - one.begins for one in found)
        n = modules
        yield f"fleet_module_{n} {own:.2f} s"
        yield f"fleet_seconds_{n} {told['seconds']:.1f} s"
        yield f"fleet_ideal_{n} {best:.1f} s"
        yield f"fleet_makespan_ratio_{n} {told['seconds'] / best:.4f} x"
        yield f"fleet_together_{n} {most_together(found)} of {LIMIT}"
        yield f"fleet_groups_broken_{n} {groups_broken(found, areas)}"
        yield f"fleet_cpu_{n} {1000 * told['cpu'] / modules:.1f} ms"
        yield from _blocks(told["block"], f"_{n}")
        for stage, seconds in told["stages"].items():
            yield f"fleet_{stage}_{n} {seconds:.3f} s"
        for operation, took in told["operations"].items():
            name = operation.removeprefix("async_")
            if took:
                yield f"fleet_{name}_{n} {statistics.median(took):.3f} ms"
                yield f"fleet_{name}_p99_{n} {_percentile(took, 0.99):.3f} ms"
                yield f"fleet_{name}_max_{n} {max(took):.3f} ms"
        yield f"fleet_polls_{n} {len(asked)}"
        yield f"fleet_poll_median_{n} {statistics.median(asked):.1f} ms"
        yield f"fleet_poll_p99_{n} {_percentile(asked, 0.99):.1f} ms"
        if modules == SIZES[-1]:
            fleet.log(bad=True)
            for canaries in _CANARIES:
                version = f"1.{1 + canaries}.0"
                house.do("release", path=str(images / f"bench-{version}.bin"))
                ended = house.do("roll_out", version=version, canaries=canaries)
                touched = {one[0] for one in fleet.log(bad=True) if one[1] == "invited"}
                yield f"fleet_touched_by_bad_{canaries} {len(touched)} of {ended['state']}"
                yield from _blocks(ended["block"], f"_bad_{canaries}")
            yield from _cancelled(house, images)


def _cancelled(house: House, images: Path) -> Iterator[str]:
    """Yield what it is like to press all, and to take all of it back."""
    house.do("release", path=str(images / f"bench-{_LAST}.bin"))
    told = house.do("cancel_all", version=_LAST)
    yield from _blocks(told["pressed"], "_pressed")
    yield from _blocks(told["cancelled"], "_cancelled")
    yield f"fleet_cancel_seconds {told['seconds']:.1f} s"


def _blocks(told: dict[str, Any], suffix: str) -> Iterator[str]:
    yield f"fleet_block_max{suffix} {told['step']:.1f} ms"
    yield f"fleet_turn_max{suffix} {told['turn']:.1f} ms"
    for took, what in told["steps"]:
        yield f"# {took:.1f} ms: {what}"


def measure(sizes: list[int], seconds: float, spread: float, against: str | None) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = folder / "images"
        images.mkdir()
        for version in ("1.1.0", *(f"1.{1 + canaries}.0" for canaries in _CANARIES), _LAST):
            (images / f"bench-{version}.bin").write_bytes(image(version, 96 * _KIB))
        yield from _plans(_FLEETS)
        this = Checkout.of_this(folder / "this", images)
        for modules in sizes:
            yield from _updated(this, modules, seconds, spread, images)
