"""What each step of the event loop takes of the CPU, and each of its turns."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import gc
import threading
import time
from typing import Any, Final

_SHOWN: Final = 5
"""Of the longest steps."""


class Steps:
    """Takes the time of each callback and each step of a task by its CPU: others share the machine.

    Nothing else than the package gives this Home Assistant any work. What Python collects of the
    garbage of everybody counts beside it.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all that was."""
        self.longest: list[tuple[float, str]] = []
        """Milliseconds, and what it was."""
        self.longest_turn = self._turn = self._collecting = 0.0
        """Of all steps between two looks at sockets and timers."""
        self.longest_garbage = 0.0
        """Of collecting garbage, which goes through all that Home Assistant holds."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch all steps of this thread's loop."""
        usual, loop = asyncio.Handle._run, asyncio.get_running_loop()
        run_once = loop._run_once  # type: ignore[attr-defined]
        own = threading.get_ident()

        def run(handle: asyncio.Handle) -> None:
            self._collecting = 0.0
            began = time.thread_time()
            usual(handle)
            self._take(handle, 1000 * (time.thread_time() - began))

        def collecting(phase: str, _info: dict[str, Any]) -> None:
            if threading.get_ident() == own:
                sign = -1 if phase == "start" else 1
                self._collecting += sign * 1000 * time.thread_time()

        def turn() -> None:
            self._turn = 0.0
            run_once()
            self.longest_turn = max(self.longest_turn, self._turn)

        gc.callbacks.append(collecting)
        asyncio.Handle._run = run  # type: ignore[method-assign]
        loop._run_once = turn  # type: ignore[attr-defined]
        try:
            yield
        finally:
            gc.callbacks.remove(collecting)
            asyncio.Handle._run = usual  # type: ignore[method-assign]
            loop._run_once = run_once  # type: ignore[attr-defined]

    def _take(self, handle: asyncio.Handle, took: float) -> None:
        self.longest_garbage = max(self.longest_garbage, self._collecting)
        took -= self._collecting
        self._turn += took
        if len(self.longest) < _SHOWN or took > self.longest[-1][0]:
            self.longest = sorted([*self.longest, (took, _named(handle))], reverse=True)[:_SHOWN]

    @property
    def told(self) -> dict[str, Any]:
        """What was found, as it can be sent."""
        longest = self.longest[0][0] if self.longest else 0.0
        return {
            "step": longest,
            "turn": self.longest_turn,
            "garbage": self.longest_garbage,
            "steps": self.longest,
        }


def _named(handle: asyncio.Handle) -> str:
    """Return what a step is of: a task by its coroutine, else the callback."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"task {getattr(owner.get_coro(), '__qualname__', '?')}"
    return str(getattr(callback, "__qualname__", callback))[:100]
