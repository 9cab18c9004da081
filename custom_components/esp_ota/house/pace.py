"""What many modules begin at once begins one after the other: loop and network serve others too."""

import asyncio
from collections import deque
import time
from typing import Final

_SLICE: Final = 0.003
"""Seconds of one turn of the event loop, after which who comes has to wait for a later one."""
_APART: Final = 0.02
"""Seconds between two questions: every module hears all of them, and all answers, by multicast."""


class Pace:
    """Of the house: alone nobody waits, of many few in one turn of the loop."""

    def __init__(self) -> None:
        """Nobody has come."""
        self._since: float | None = None
        """When the first one came in this turn of the loop (`time.monotonic()`)."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Return at once while there is time in this turn of the loop, else in a later one."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            asyncio.get_running_loop().call_soon(self._next)
        elif self._waiting or now - self._since > _SLICE:
            mine = asyncio.get_running_loop().create_future()
            self._waiting.append(mine)
            await mine

    def _next(self) -> None:
        """Let in who waits longest: it works in the next turn of the loop, this is over."""
        self._since = None
        while self._waiting:
            mine = self._waiting.popleft()
            if not mine.done():  # else who waited was cancelled
                mine.set_result(None)
                self._since = time.monotonic()
                asyncio.get_running_loop().call_soon(self._next)
                return


class Questions:
    """To all modules of the house, one after the other: hundreds are loaded within a second."""

    def __init__(self) -> None:
        """Nobody was asked."""
        self._next = 0.0

    def wait(self) -> float:
        """Take the next moment to ask; returns in how many seconds that is."""
        now = time.monotonic()
        wait = max(0.0, self._next - now)
        self._next = now + wait + _APART
        return wait
