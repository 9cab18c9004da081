"""Has a virtual module sleep most of the time, as one with a battery does."""

import asyncio
import time
from typing import Final

from tests.virtual_module import Seen, VirtualModule

from .plan import Sleep

_BUSY: Final = 12.0
"""Seconds for which an invitation keeps it awake: it does not sleep in the middle of an update."""


class Sleeper:
    """Of one module."""

    def __init__(self, module: VirtualModule, plan: Sleep) -> None:
        """Be awake until `begin`."""
        self._module = module
        self._plan = plan
        self._task: asyncio.Task[None] | None = None
        self._is_asleep = False

    def begin(self) -> None:
        """Sleep from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._live())

    async def _live(self) -> None:
        while True:
            self._is_asleep = True
            await self._module.power_off()
            self._module.events.add(Seen.ASLEEP, seconds=self._plan.asleep)
            await asyncio.sleep(self._plan.asleep)
            await self._wake()
            await asyncio.sleep(self._plan.awake)
            await asyncio.sleep(max(0.0, self._invited_at + _BUSY - time.monotonic()))

    async def _wake(self) -> None:
        await self._module.power_cycle()
        self._is_asleep = False

    @property
    def _invited_at(self) -> float:
        events = reversed(self._module.events)
        return next((event.time for event in events if event.name is Seen.INVITED), 0.0)

    async def end(self) -> None:
        """Be awake for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
            if self._is_asleep:
                await self._wake()
