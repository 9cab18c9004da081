"""What a sketch does at the same time, until one of it restarts the module or kills it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from .listener import Ending


async def first_ending(*doors: Coroutine[Any, Any, Ending]) -> Ending:
    """Run all doors until the first of them ends."""
    tasks = [asyncio.ensure_future(door) for door in doors]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
