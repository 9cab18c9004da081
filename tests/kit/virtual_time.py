"""An event loop whose clock jumps to whatever is waited for next."""

import asyncio
from collections.abc import Coroutine
import selectors
from typing import Any


class _Selector(selectors.SelectSelector):
    """Waits by moving the clock."""

    loop: VirtualTime

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if not found and timeout:
            self.loop.moment += timeout
        return found


class VirtualTime(asyncio.SelectorEventLoop):
    """Nothing but timers may be waited for in it."""

    def __init__(self) -> None:
        selector = _Selector()
        super().__init__(selector)
        selector.loop = self
        self.moment = 0.0

    def time(self) -> float:
        return self.moment


def in_virtual_time[T](work: Coroutine[Any, Any, T]) -> T:
    """Run something whose clock is that of its loop."""
    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        return runner.run(work)
