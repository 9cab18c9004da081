"""One module that asks for its updates: whether it is believed, and what it says of itself."""

from collections.abc import Callable
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST

from ..const import CONF_TRANSPORTS, TRANSPORT_PULL
from ..house import House
from ..ota import PullDesk, PullRequest, Sighting
from .host_name import HostName
from .whereabouts import Whereabouts


class Asking:
    """Of one module; what it asks for waits at its desk."""

    def __init__(
        self,
        config_entry: ConfigEntry,
        desk: PullDesk,
        whereabouts: Whereabouts,
        house: House,
        *,
        on_heard: Callable[[PullRequest, Sighting], None],
        version_for_query: Callable[[], str],
    ) -> None:
        """Hand what a believed request says to `on_heard`.

        `version_for_query` returns what a sketch is answered that asks before it downloads.
        """
        self.config_entry = config_entry
        self.desk = desk
        self.version_for_query = version_for_query
        self.last: PullRequest | None = None
        """What it said of itself when it asked last, since the start."""
        self._whereabouts = whereabouts
        self._house = house
        self._since = time.monotonic()
        self._on_heard = on_heard
        self._host_name = HostName()

    async def async_asked(self, request: PullRequest, address: str, *, own: bool) -> bool:
        """Take what a request for an update says, if it is believed; returns whether it is.

        It is by a secret of its `own`, or from where the module is.
        """
        if not own and not await self._async_believes(request, address):
            return False
        self.last, now = request, time.monotonic()
        self.desk.rhythm.asked(now)
        if own and self._is_heard_only:
            self._whereabouts.async_move(address)
            self._whereabouts.moves.async_proved()
        elif own and not request.proxied:
            self._whereabouts.async_asked_from(address, believed=True)
        running = self._house.library.running(request.sketch_md5)
        firmware, version = (running.firmware, running.version) if running else (None, None)
        sighting = request.sighting(now, own=own, firmware=firmware, version=version)
        self._on_heard(request, sighting)
        return True

    async def _async_believes(self, request: PullRequest, address: str) -> bool:
        """Whether a request is the module's, by the address that it comes from.

        Every module of the house knows the house's secret. A request with that from elsewhere than
        its entry says is no more than an announcement: the module may have moved there. One that
        is only heard by its requests has when it asked no more from where it was.
        """
        if await self._host_name.stands_for(self.config_entry.data[CONF_HOST], address):
            return True
        if not self._is_heard_only:
            if not request.proxied:
                self._whereabouts.async_asked_from(address, believed=False)
            return False
        if self._is_silent or address == self._whereabouts.moves.came_from:
            self._whereabouts.async_move(address)
            return True
        return False

    @property
    def _is_heard_only(self) -> bool:
        """Whether nothing but its own requests tells where it is."""
        return self.config_entry.data.get(CONF_TRANSPORTS) == [TRANSPORT_PULL]

    @property
    def _is_silent(self) -> bool:
        """Whether it has left out a request; without a known interval, whether it may have."""
        rhythm = self.desk.rhythm
        silent_for = time.monotonic() - max(self._since, rhythm.asked_at or self._since)
        if rhythm.usual is None:
            return silent_for > self.desk.limits.offer
        return silent_for > max(self._house.patience.doubt, 2 * rhythm.usual)
