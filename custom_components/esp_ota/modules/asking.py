"""One module that asks for its updates: whether it is believed, and what it says of itself."""

from collections.abc import Callable
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback

from ..const import CONF_TRANSPORTS, TRANSPORT_PULL
from ..library import Library
from ..ota import PullDesk, PullRequest, Sighting
from .whereabouts import Whereabouts


class Asking:
    """Of one module; what it asks for waits at its desk."""

    def __init__(
        self,
        config_entry: ConfigEntry,
        desk: PullDesk,
        whereabouts: Whereabouts,
        library: Library,
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
        self._library = library
        self._on_heard = on_heard

    @callback
    def async_believes(self, request: PullRequest, address: str, *, own: bool) -> bool:
        """Whether a request is the module's: by a secret of its `own`, or from where it is.

        Every module of the house knows the house's secret. A request with that from elsewhere is
        no more than an announcement: the module may have moved there, which is looked into.
        """
        if own or self._whereabouts.is_from_here(address):
            return True
        if not request.proxied:
            self._whereabouts.async_asked_from(address, believed=False)
        return False

    @callback
    def async_polled(self, request: PullRequest, address: str, *, own: bool) -> None:
        """Take what a request for an update says."""
        self.last = request
        if own and self.config_entry.data.get(CONF_TRANSPORTS) == [TRANSPORT_PULL]:
            self._whereabouts.async_move(address)
            self._whereabouts.moves.async_proved()
        elif own and not request.proxied:
            self._whereabouts.async_asked_from(address, believed=True)
        running = self._library.running(request.sketch_md5)
        known = {"firmware": running.firmware, "version": running.version} if running else {}
        self._on_heard(request, request.sighting(time.monotonic(), own=own, **known))
