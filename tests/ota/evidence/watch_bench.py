"""A watch of a module whose probes are answered by the test."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
import time
from typing import Any

from custom_components.esp_ota.ota import ModuleWatch, Sighting, WatchLimits
from tests.ota.examples import CANDIDATE, IMAGE, MODULE, sighting

SILENT = replace(MODULE, version=None)
UNMARKED = replace(CANDIDATE, image=replace(IMAGE, marker=None))

NEVER = -3600.0
"""Nothing is so late that it may be from before; most tests are about something else."""


class Bench:
    """A watch whose probes are answered by the test."""

    def __init__(self, answers: Iterable[bool] = (), **limits: float) -> None:
        self.answers = list(answers)
        self.then = True
        """The answer when the listed ones are used up."""
        self.stands_still: list[float] = []
        """Seconds for which the loop stands still in each of the next probes."""
        self.patience: list[float] = []
        self.asked = 0
        self.watch = ModuleWatch(
            self._probe,
            self._ask,
            WatchLimits(**{"interval": 0.005, "late": NEVER, "again": 0.05} | limits),  # type: ignore[arg-type]
        )

    async def _probe(self, timeout: float) -> bool:
        self.patience.append(timeout)
        await asyncio.sleep(0)
        if self.stands_still:
            time.sleep(self.stands_still.pop(0))  # noqa: ASYNC251 - that is the fault
        return self.answers.pop(0) if self.answers else self.then

    def _ask(self) -> None:
        self.asked += 1

    def hear(self, **said: Any) -> Sighting:
        heard = sighting(**said)
        self.watch.heard(heard)
        return heard


async def in_time[T](waiting: asyncio.Future[T] | asyncio.Task[T]) -> T:
    async with asyncio.timeout(10):
        return await waiting


def soon(do: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(0.05, do)
