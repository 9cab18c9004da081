"""Has a virtual module sleep most of the time, as one with a battery does."""

import asyncio
import time

from .events import Seen
from .module import VirtualModule


class Sleeper:
    """Of one module."""

    def __init__(
        self, module: VirtualModule, *, asleep: float, awake: float, busy: float = 12.0
    ) -> None:
        """Be awake until `begin`; all in seconds.

        An invitation keeps it awake for `busy`: it does not sleep in the middle of an update.
        """
        self._module = module
        self._asleep, self._awake, self._busy = asleep, awake, busy
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
            self._module.events.add(Seen.ASLEEP, seconds=self._asleep)
            await asyncio.sleep(self._asleep)
            await self._wake()
            await asyncio.sleep(self._awake)
            await asyncio.sleep(max(0.0, self._invited_at + self._busy - time.monotonic()))

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
