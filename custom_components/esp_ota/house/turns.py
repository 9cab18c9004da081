"""How many installs run at once in this house, whatever is reloaded meanwhile."""

import asyncio
from collections import deque


class Turns:
    """What each install holds while it runs: first come, first served.

    A limit that is changed holds at once for who waits, and takes nothing from who runs.
    """

    def __init__(self, limit: int) -> None:
        """Let so many run at once."""
        self._limit = limit
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = limit
        self._let_in()

    async def __aenter__(self) -> None:
        """Wait for a turn, and take it."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._let_in()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.cancelled():
                self._waiting.remove(mine)
            else:  # it was given in the same moment
                self._end()
            raise

    async def __aexit__(self, *_error: object) -> None:
        """Give the turn to who waits longest."""
        self._end()

    def _end(self) -> None:
        self._running -= 1
        self._let_in()

    def _let_in(self) -> None:
        waiting = (item for item in list(self._waiting) if not item.done())
        for mine in waiting:
            if self._running >= self._limit:
                return
            self._waiting.remove(mine)
            self._running += 1
            mine.set_result(None)
