"""What wakes those who wait for the next sign of one module."""

import asyncio


class Bell:
    """An event that exists only while somebody waits: there may be hundreds of modules."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        """Nobody waits."""
        self._event: asyncio.Event | None = None

    def ring(self) -> None:
        """Wake whoever waits now; who comes later waits for the next time."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self, seconds: float) -> bool:
        """Return when it rings, or after so many seconds; tell whether it did."""
        event = self._event = self._event or asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True
