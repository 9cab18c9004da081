"""What is watched while inputs run: new code, time, memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import gc
from pathlib import Path
import sys
import time
import tracemalloc
from types import CodeType
from typing import Any

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_TOOL = 4
_EVENTS = sys.monitoring.events
SAMPLE = 512
"""One input in so many is measured by `tracemalloc`, which makes everything slow."""


_LOOK = 64
_LONG = 0.02
"""Asking the system for memory costs as much as a short input; only long ones need much."""


class Surprise(Exception):
    """An input did what no input may do."""


@dataclass
class Watch:
    """Limits for each input, and what was seen so far."""

    folder: str
    """Only code below it counts as new."""
    seconds: float | None = 1.0
    """Processor time for one input; None only measures."""
    memory: int = 64 * 1024 * 1024
    places: int = 0
    """Branches and lines seen to run for the first time."""
    slowest: float = 0.0
    traced: int = 0
    """Most bytes that Python held at once for one input."""
    kept: int = 0
    """Bytes of inputs that are kept to be changed further."""
    _resident: int = 0

    @property
    def grown(self) -> int:
        """Bytes by which the process was larger at its worst than when the inputs began.

        What the fuzz itself keeps for later is not counted.
        """
        return _peak() - self._resident - self.kept

    @contextmanager
    def memory_of_inputs(self) -> Iterator[None]:
        """Forget what the process needed before, and measure what it needs from now on."""
        gc.collect()
        _CLEAR.write_text("5", encoding="ascii")
        self._resident = _peak()
        yield

    @contextmanager
    def new_code(self) -> Iterator[None]:
        """Count the places in the folder that run for the first time; each costs only once."""
        sys.monitoring.use_tool_id(_TOOL, "esp_ota fuzz")

        def seen(code: CodeType, *_where: Any) -> object:
            self.places += code.co_filename.startswith(self.folder)
            return sys.monitoring.DISABLE

        events = (_EVENTS.LINE, _EVENTS.BRANCH_LEFT, _EVENTS.BRANCH_RIGHT)
        for event in events:
            sys.monitoring.register_callback(_TOOL, event, seen)
        sys.monitoring.set_events(_TOOL, events[0] | events[1] | events[2])
        try:
            yield
        finally:
            sys.monitoring.set_events(_TOOL, 0)
            sys.monitoring.free_tool_id(_TOOL)

    def run(self, number: int, act: Callable[[], None]) -> bool:
        """Run one input; return whether it reached new code. Raises Surprise."""
        before, traced = self.places, number % SAMPLE == 0
        if traced:
            tracemalloc.start()
        begin = time.process_time()
        try:
            act()
        finally:
            took = time.process_time() - begin
            if traced:
                self.traced = max(self.traced, tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
        self.slowest = max(self.slowest, took)
        if self.seconds is not None and took > self.seconds and not traced:
            raise Surprise(f"it took {took:.2f} s")
        if traced or number % _LOOK == 0 or took > _LONG:
            needed = max(self.traced, self.grown)
            if needed > self.memory:
                raise Surprise(f"{needed} bytes of memory")
        return self.places > before


def _peak() -> int:
    """Return the most memory the process ever had since the last reset, in bytes."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell")
