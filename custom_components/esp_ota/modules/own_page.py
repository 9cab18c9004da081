"""The MAC that a module's own page names, compared with the known one before a connection."""

from collections.abc import Awaitable, Callable
import time

from ..house import House
from ..ota import Address


class OwnPage:
    """Of one module; its page is asked once in a breath."""

    def __init__(self, house: House, other_mac: Callable[[str], Awaitable[str | None]]) -> None:
        """`other_mac` returns the MAC of another module that a page at a host names."""
        self._house = house
        self._other_mac = other_mac
        self._asked: tuple[Address, float] | None = None

    async def stranger_at(self, address: Address) -> str | None:
        """Return the MAC of another module that the page there names, None for none."""
        if self._asked is not None:
            asked, at = self._asked
            if asked == address and time.monotonic() - at < self._house.patience.breath:
                return None
        if (mac := await self._other_mac(address.host)) is None:
            self._asked = address, time.monotonic()
        return mac
