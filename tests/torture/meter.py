"""What a life of Home Assistant takes of the machine, looked at from outside."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import os
from pathlib import Path
import time
from typing import Final

from .story import Taken

_EVERY: Final = 0.2
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


async def measure(pid: Callable[[], int | None], take: Callable[[Taken], None]) -> None:
    """Look at the memory and the open files of a process, again and again, whoever it is."""
    while True:
        if (number := pid()) is not None:
            with suppress(OSError, ValueError):
                take(taken_by(number))
        await asyncio.sleep(_EVERY)


def taken_by(pid: int) -> Taken:
    """Return what a process has now; raises OSError when it has ended."""
    place = Path(f"/proc/{pid}")
    pages = int((place / "statm").read_text().split()[1])
    files = len(os.listdir(place / "fd"))  # noqa: PTH208 - names only
    return Taken(at=time.monotonic(), pid=pid, memory=pages * _PAGE, files=files)
