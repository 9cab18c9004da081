"""Hundreds of modules in one house, as this checkout and as another commit has it, in turns."""

from collections import defaultdict
from collections.abc import Iterator
import io
import json
from pathlib import Path
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from typing import Any, Final

from .garden import image
from .many.garden import ADDED, RELEASES

BEFORE: Final = "b9616e5"
"""The commit before anything was done for many modules."""
SIZES: Final = (50, 200, 500)
_MOST: Final = SIZES[-1]
_KIB: Final = 1024
_SECONDS: Final = 60
_PACKAGE: Final = "custom_components"
_OURS: Final = Path(__file__).parents[2]
_PATIENCE: Final = 900


class Checkout:
    """One commit's code beside the measuring of this one, and the houses it has planted."""

    def __init__(self, folder: Path, images: Path) -> None:
        self._folder = folder
        self._images = images
        for part in ("tests/__init__.py", "tests/bench/__init__.py", "tests/bench/many"):
            source, target = _OURS / part, folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)

    @classmethod
    def of_this(cls, folder: Path, images: Path) -> Checkout:
        """Return what lies here, committed or not."""
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_OURS / _PACKAGE, folder / _PACKAGE, ignore=leave_out)
        return cls(folder, images)

    @classmethod
    def of(cls, commit: str, folder: Path, images: Path) -> Checkout:
        """Return what a commit had; raises CalledProcessError where there is none."""
        command = ["git", "-C", str(_OURS), "archive", commit, _PACKAGE]
        packed = subprocess.run(command, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        return cls(folder, images)

    def lives(self, life: str, modules: int, *seconds: int) -> dict[str, Any]:
        """Live one life of a house with so many modules; the first one is lived before it."""
        planted = self._folder / f"{'bare' if life == 'bare' else 'house'}-{modules}"
        if not planted.exists():
            shutil.copytree(self._images, planted / "new")
            self._live("bare" if life == "bare" else "plant", modules, planted)
        with tempfile.TemporaryDirectory() as name:
            # Each finds the same, whatever the ones before have added.
            house = Path(name) / "house"
            shutil.copytree(planted, house)
            return self._live(life, modules, house, *seconds)

    def command(self, name: str, *arguments: object) -> tuple[list[str], Path]:
        """Return what runs a process of `many` with this code, and where."""
        return [f"tests.bench.many.{name}", *map(str, arguments)], self._folder

    def _live(self, life: str, modules: int, house: Path, *seconds: int) -> dict[str, Any]:
        arguments = [life, str(modules), str(house), *map(str, seconds)]
        command = [sys.executable, "-m", "tests.bench.many.house", *arguments]
        done = subprocess.run(
            command, cwd=self._folder, check=False, capture_output=True, timeout=_PATIENCE
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode()[-2000:])
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told


class Figures:
    """What was measured of both, by name."""

    def __init__(self) -> None:
        self._of: dict[str, defaultdict[str, list[float]]] = {
            "this": defaultdict(list),
            "that": defaultdict(list),
        }

    def take(self, whose: str, name: str, value: float) -> None:
        """Take one value."""
        self._of[whose][name].append(value)

    def this(self, name: str) -> float:
        """Return the median of this checkout."""
        return statistics.median(self._of["this"][name])

    def that(self, name: str) -> float:
        """Return the median of the other commit."""
        return statistics.median(self._of["that"][name])

    def take_start(self, whose: str, modules: int, told: dict[str, Any]) -> None:
        """Take what a start tells; of the releases the usual one, not the busiest moment."""
        for name, value in told["set_up"].items():
            self.take(whose, f"{name}_{modules}", value)
        for name in ("wall", "cpu"):
            value = statistics.median(one[name] for one in told["blocks"])
            self.take(whose, f"block_{name}_{modules}", value)


def _lines(found: Figures) -> Iterator[str]:
    """Yield what the starts told; ratios are the other commit's share by ours."""
    for modules in SIZES:
        wall, cpu = f"wall_{modules}", f"cpu_{modules}"
        block, block_cpu = f"block_wall_{modules}", f"block_cpu_{modules}"
        memory = f"memory_{modules}"
        yield f"house_setup_{modules} {found.this(wall):.2f} ms"
        yield f"house_setup_cpu_{modules} {found.this(cpu):.2f} ms"
        yield f"house_setup_before_{modules} {found.that(wall):.2f} ms"
        for whose, told in (("", found.this), ("_before", found.that)):
            yield f"house_setup_work{whose}_{modules} {told(f'work_{modules}'):.2f} ms"
            yield f"house_setup_garbage{whose}_{modules} {told(f'garbage_{modules}'):.2f} ms"
        yield f"house_block_{modules} {found.this(block):.1f} ms"
        yield f"house_block_cpu_{modules} {found.this(block_cpu):.1f} ms"
        yield f"house_block_before_{modules} {found.that(block):.1f} ms"
        yield f"house_memory_{modules} {found.this(memory):.1f} KiB"
        yield f"house_memory_before_{modules} {found.that(memory):.1f} KiB"
    for name, of in (("setup", "cpu"), ("setup_work", "work"), ("memory", "memory")):
        this, that = found.this(f"{of}_{_MOST}"), found.that(f"{of}_{_MOST}")
        platform = found.this(f"platform_{of}")
        yield f"house_{name}_platform {platform:.2f} {'KiB' if of == 'memory' else 'ms'}"
        yield f"house_{name}_ratio {that / this:.2f} x"
        yield f"house_{name}_ours_ratio {(that - platform) / (this - platform):.2f} x"
    block = f"block_cpu_{_MOST}"
    yield f"house_block_ratio {found.that(block) / found.this(block):.1f} x"


def _rest(of: Checkout, whose: str) -> Iterator[str]:
    """Yield how a house with very many rests, and what a flood does to it."""
    told = of.lives("rest", _MOST, _SECONDS)
    yield f"house_idle_first{whose} {told['first']:.2f} %"
    yield f"house_idle{whose} {told['idle']:.2f} %"
    yield f"house_idle_platform{whose} {told['bare']:.2f} %"
    yield f"house_idle_alone{whose} {told['nobody']:.2f} %"
    yield f"house_flood_block{whose} {told['flood']['wall']:.1f} ms"
    yield f"house_flood_block_cpu{whose} {told['flood']['cpu']:.1f} ms"
    yield f"house_flood_cards{whose} {told['cards']}"
    yield f"house_flood_kept{whose} {told['kept']}"


def measure(against: str, runs: int) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = folder / "images"
        images.mkdir()
        for number in range(RELEASES + ADDED):
            version = f"1.{number}.0"
            (images / f"{number:03}-{version}.bin").write_bytes(image(version, 96 * _KIB))
        this = Checkout.of_this(folder / "this", images)
        both = {"this": this, "that": Checkout.of(against, folder / "that", images)}
        found = Figures()
        for modules in SIZES:
            for _ in range(runs):
                for whose, checkout in both.items():
                    found.take_start(whose, modules, checkout.lives("start", modules))
        for _ in range(runs):
            for of, value in this.lives("bare", _MOST).items():
                found.take("this", f"platform_{of}", value)
        yield from _lines(found)
        for whose, checkout in both.items():
            yield from _rest(checkout, "" if whose == "this" else "_before")
