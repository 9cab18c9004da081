"""One line per event with its time, in the order in which things happened."""

import asyncio
from collections.abc import Callable
import time
from typing import Self

_HOLD = 0.4
"""Seconds a line waits for an earlier one that another process tells later."""


class Timeline:
    """Prints lines in the order of their times."""

    def __init__(self, write: Callable[[str], None] = print) -> None:
        """Time starts now."""
        self._write = write
        self._zero = time.monotonic()
        self._held: list[tuple[float, str]] = []
        self._printing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Print from now on."""
        self._printing = asyncio.create_task(self._print())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Print what is left."""
        if self._printing is not None:
            self._printing.cancel()
        self._flush(float("inf"))

    def tell(self, text: str, at: float | None = None) -> None:
        """Print a line for something that happened at a time of the monotonic clock."""
        self._held.append((time.monotonic() if at is None else at, text))

    async def _print(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self._flush(time.monotonic() - _HOLD)

    def _flush(self, until: float) -> None:
        self._held.sort(key=lambda line: line[0])
        while self._held and self._held[0][0] <= until:
            at, text = self._held.pop(0)
            self._write(f"{max(at - self._zero, 0):7.2f} s  {text}")
