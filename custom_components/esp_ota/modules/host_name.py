"""What the host name of one module stands for, as the resolver of this machine knows it."""

import asyncio
import math
import time
from typing import Final

from homeassistant.util.network import is_ip_address

_LONGEST: Final = 8.0
"""Seconds for one lookup: the clients of all cores wait no longer for an answer to a request."""
_FRESH: Final = 10.0
"""Seconds in which a name is not looked up again: whoever asks may do so five times a second, and
each lookup takes a thread."""


class HostName:
    """Looked up when somebody wants to know, once at a time."""

    def __init__(self) -> None:
        """Know nothing."""
        self._host = ""
        self._at = -math.inf
        """When it was looked up last (`time.monotonic()`)."""
        self._looking: asyncio.Task[frozenset[str]] | None = None

    async def stands_for(self, host: str, address: str) -> bool:
        """Whether a host has a numeric address; a name that nobody knows has none."""
        if host == address or is_ip_address(host):
            return host == address
        looking, age = self._looking, time.monotonic() - self._at
        if looking is None or host != self._host or (looking.done() and age > _FRESH):
            self._host, self._at = host, time.monotonic()
            looking = self._looking = asyncio.create_task(_addresses(host))
        # Who asks may leave; the next one is told what was found for this one.
        return address in await asyncio.shield(looking)


async def _addresses(host: str) -> frozenset[str]:
    try:
        async with asyncio.timeout(_LONGEST):
            found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError, UnicodeError, ValueError:
        return frozenset()
    return frozenset(str(at[0]) for *_, at in found)
