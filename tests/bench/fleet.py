"""Hundreds of modules updated at once: the queue and rollouts, judged by the modules' own logs."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
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


class Told:
    """Lines of one checkout and size; the largest fleet of this checkout has the plain names."""

    def __init__(self, modules: int, *, largest: int, before: bool) -> None:
        self._ends = [f"_{modules}{'_before' if before else ''}"]
        if modules == largest and not before:
            self._ends.append("")

    def lines(self, name: str, value: str) -> Iterator[str]:
        """Yield a metric."""
        for end in self._ends:
            yield f"fleet_{name}{end} {value}"

    def blocks(self, told: dict[str, Any], suffix: str = "") -> Iterator[str]:
        """Yield what blocked the loop, and what took longest as remarks."""
        yield from self.lines(f"block_max{suffix}", f"{told['step']:.1f} ms")
        yield from self.lines(f"turn_max{suffix}", f"{told['turn']:.1f} ms")
        yield from self.lines(f"garbage_max{suffix}", f"{told['garbage']:.1f} ms")
        for took, what in told["steps"]:
            yield f"# {took:.1f} ms: {what}"


def _updated(house: House, fleet: Modules, modules: int, tell: Told, images: Path) -> Iterator[str]:
    """Yield what updating all of them at once was like."""
    areas = _areas(modules)
    house.do("release", path=str(images / "bench-1.1.0.bin"))
    fleet.log()
    told = house.do("update_all")
    log = fleet.log()
    found, asked = stays(log), latencies(log)
    if told["verified"] != modules or len(found) != modules:
        raise RuntimeError(f"of {modules}: {told}, {len(found)} updated")
    best = ideal(found, areas, LIMIT)
    own = statistics.mean(one.ends - one.begins for one in found)
    lines = tell.lines
    yield from lines("module", f"{own:.2f} s")
    yield from lines("seconds", f"{told['seconds']:.1f} s")
    yield from lines("ideal", f"{best:.1f} s")
    yield from lines("makespan_ratio", f"{told['seconds'] / best:.4f} x")
    yield from lines("together", f"{most_together(found)} of {LIMIT}")
    yield from lines("groups_broken", f"{groups_broken(found, areas)}")
    yield from lines("cpu", f"{1000 * told['cpu'] / modules:.1f} ms")
    yield from tell.blocks(told["block"])
    for stage, seconds in told["stages"].items():
        yield from lines(f"in_{stage}", f"{seconds:.1f} s")
    for operation, took in told["operations"].items():
        name = operation.removeprefix("async_")
        if took:
            yield from lines(name, f"{statistics.median(took):.3f} ms")
            yield from lines(f"{name}_p99", f"{_percentile(took, 0.99):.3f} ms")
            yield from lines(f"{name}_max", f"{max(took):.3f} ms")
    yield from lines("polls", f"{len(asked)}")
    yield from lines("poll_median", f"{statistics.median(asked):.1f} ms")
    yield from lines("poll_p99", f"{_percentile(asked, 0.99):.1f} ms")


def _spoilt(house: House, fleet: Modules, tell: Told, images: Path) -> Iterator[str]:
    """Yield how many get an image that does not start, and what taking back all is like."""
    touched: list[int] = []
    fleet.log(bad=True)
    for canaries in _CANARIES:
        version = f"1.{1 + canaries}.0"
        house.do("release", path=str(images / f"bench-{version}.bin"))
        ended = house.do("roll_out", version=version, canaries=canaries)
        touched.append(len({one[0] for one in fleet.log(bad=True) if one[1] == "invited"}))
        yield from tell.lines(f"touched_by_bad_of_{canaries}", f"{touched[-1]} {ended['state']}")
        yield from tell.blocks(ended["block"], f"_bad_{canaries}")
    yield from tell.lines("touched_by_bad", f"{touched[0]}")
    house.do("release", path=str(images / f"bench-{_LAST}.bin"))
    told = house.do("cancel_all", version=_LAST)
    yield from tell.blocks(told["pressed"], "_pressed")
    yield from tell.blocks(told["cancelled"], "_cancelled")
    yield from tell.lines("cancel", f"{told['seconds']:.1f} s")


def measure(sizes: list[int], seconds: float, spread: float, against: str | None) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = folder / "images"
        images.mkdir()
        for version in ("1.1.0", *(f"1.{1 + canaries}.0" for canaries in _CANARIES), _LAST):
            (images / f"bench-{version}.bin").write_bytes(image(version, 96 * _KIB))
        yield from _plans(_FLEETS)
        checkouts = {False: Checkout.of_this(folder / "this", images)}
        if against is not None:
            checkouts[True] = Checkout.of(against, folder / "that", images)
        for modules in sizes:
            for before, checkout in checkouts.items():
                tell = Told(modules, largest=max(sizes), before=before)
                with (
                    tempfile.TemporaryDirectory() as config,
                    _running(checkout, modules, seconds, spread, Path(config)) as (house, fleet),
                ):
                    yield from _updated(house, fleet, modules, tell, images)
                    if modules == max(sizes):
                        yield from _spoilt(house, fleet, tell, images)
