"""What is begun here is ended, whoever loses patience."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def carry_through[T](work: Coroutine[Any, Any, T]) -> tuple[asyncio.Task[T], bool]:
    """Do the work to its end; return it done, and whether it was to be cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    return task, cancelled
