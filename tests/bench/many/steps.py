"""Which steps of the event loop the package takes part in, and what CPU time each of them takes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import sys
import time
from types import CodeType
from typing import Any, Final

_TOOL: Final = sys.monitoring.PROFILER_ID
_PACKAGE: Final = "/custom_components/esp_ota/"
_SHOWN: Final = 3
"""Of the longest steps."""


class Steps:
    """Takes the time of each callback and each step of a task, by its CPU: others share it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all that was."""
        self._is_ours = False
        self.count = 0
        self.longest: list[tuple[float, str]] = []
        """Milliseconds and what it was, of steps in which the package had a part."""
        self.longest_other = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch all steps of this thread's loop."""
        usual, monitoring = asyncio.Handle._run, sys.monitoring
        events = monitoring.events.PY_START | monitoring.events.PY_RESUME

        def run(handle: asyncio.Handle) -> None:
            self._is_ours = False
            began = time.thread_time()
            usual(handle)
            self._take(handle, 1000 * (time.thread_time() - began))

        monitoring.use_tool_id(_TOOL, "steps")
        monitoring.register_callback(_TOOL, monitoring.events.PY_START, self._entered)
        monitoring.register_callback(_TOOL, monitoring.events.PY_RESUME, self._entered)
        monitoring.set_events(_TOOL, events)
        asyncio.Handle._run = run  # type: ignore[method-assign]
        try:
            yield
        finally:
            asyncio.Handle._run = usual  # type: ignore[method-assign]
            monitoring.set_events(_TOOL, 0)
            monitoring.free_tool_id(_TOOL)

    def _entered(self, code: CodeType, _offset: int) -> Any:
        if _PACKAGE not in code.co_filename:
            return sys.monitoring.DISABLE
        self._is_ours = True
        return None

    def _take(self, handle: asyncio.Handle, took: float) -> None:
        self.count += 1
        if not self._is_ours:
            self.longest_other = max(self.longest_other, took)
        elif len(self.longest) < _SHOWN or took > self.longest[-1][0]:
            self.longest = sorted([*self.longest, (took, _named(handle))], reverse=True)[:_SHOWN]

    @property
    def told(self) -> dict[str, Any]:
        """What was found, as it can be sent."""
        longest = self.longest[0][0] if self.longest else 0.0
        return {"ours": longest, "other": self.longest_other, "steps": self.longest}


def _named(handle: asyncio.Handle) -> str:
    """Return what a step is of: a task by its coroutine, else the callback."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"task {getattr(owner.get_coro(), '__qualname__', '?')}"
    return str(getattr(callback, "__qualname__", callback))[:100]
