"""Modules that ask us for updates: who may ask, and who asks."""

from collections.abc import Callable
import hmac
import secrets
from typing import Final, Protocol

from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY, ConfigEntry
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import discovery_flow

from ..const import CONF_MAC, CONF_PULL_SECRET, DOMAIN, LOGGER
from ..ota import PullDesk, PullRequest
from .newcomers import async_newcomers
from .roster import Roster, free_unique_id

_SECRET_LIMIT: Final = 128


class Poller(Protocol):
    """A module that is set up and may ask."""

    desk: PullDesk
    config_entry: ConfigEntry

    async def async_asked(self, request: PullRequest, address: str, *, own: bool) -> bool:
        """Take over what its request says; returns whether it is believed to be its own.

        `own` is whether its secret is one that only this module has, and not the house's.
        """

    def version_for_query(self) -> str:
        """Return what a `version` query is answered."""


class Pollers:
    """Who asks with which secret."""

    def __init__(
        self, hass: HomeAssistant, roster: Roster, former: Callable[[str], str | None]
    ) -> None:
        """Nobody has asked; `former` returns the own secret of a deleted module, by its MAC."""
        self._hass = hass
        self._roster = roster
        self._former = former
        self._by_mac: dict[str, Poller] = {}
        self.secret = ""
        """The house's; empty before its entry is set up, and then nobody may ask with it."""

    @callback
    def async_add(self, mac: str, poller: Poller) -> CALLBACK_TYPE:
        """Let a module ask by its MAC, unless that is another one's; returns what forgets it."""
        if self._roster.owner(mac) is poller.config_entry:
            self._by_mac[mac] = poller
        else:
            LOGGER.warning("%s may not ask: another module has its MAC", poller.config_entry.title)

        def remove() -> None:
            if self._by_mac.get(mac) is poller:
                del self._by_mac[mac]

        return remove

    def get(self, mac: str) -> Poller | None:
        """Return the module with this MAC."""
        return self._by_mac.get(mac)

    def is_anyones(self, secret: str) -> bool:
        """Whether this secret is the house's or any module's."""
        known = [poller.config_entry.data.get(CONF_PULL_SECRET) for poller in self._by_mac.values()]
        # No `any`: every secret is compared, so that the time taken tells nothing.
        return any([_equal(secret, own or "") for own in (self.secret, *known)])  # noqa: C419

    @callback
    def async_admit(
        self, request: PullRequest, secret: str, address: str
    ) -> tuple[Poller | None, bool] | None:
        """Return whose request it is, if that is known, and whether its secret is that one's own.

        None where it may not be answered. Who has a secret of its own is asked for that, by
        whatever it was recognised; all others may have that of the house.
        """
        poller = self._by_mac.get(request.mac)
        entry = poller.config_entry if poller else self._other(request.mac, secret, address)
        own = entry.data.get(CONF_PULL_SECRET) if entry is not None else self._former(request.mac)
        is_own = bool(own) and _equal(secret, own or "")
        is_asked_for = bool(own) and entry is not None
        if not is_own and (is_asked_for or not _equal(secret, self.secret)):
            return None
        if poller is None:
            poller = self._meet(entry, request, address, own if is_own else None)
        return poller, is_own

    @callback
    def _meet(
        self, entry: ConfigEntry | None, request: PullRequest, address: str, own: str | None
    ) -> Poller | None:
        """Take a request that rests on a secret, with a MAC that no module asks by yet.

        A module that is known by another name learns its MAC; who is not known at all is offered
        to the person.
        """
        if entry is not None:
            if not entry.data.get(CONF_MAC):
                unique_id = free_unique_id(self._hass, entry, request.mac)
                data = {**entry.data, CONF_MAC: request.mac}
                self._hass.config_entries.async_update_entry(entry, unique_id=unique_id, data=data)
            runtime = getattr(entry, "runtime_data", None)
            if runtime is not None:
                runtime.coordinator.async_listen_for_polls()
                return self.get(request.mac)
            return None
        newcomers = async_newcomers(self._hass)
        if newcomers.async_may_offer(request.mac, address, SOURCE_INTEGRATION_DISCOVERY):
            discovery_flow.async_create_flow(
                self._hass,
                DOMAIN,
                context={"source": SOURCE_INTEGRATION_DISCOVERY},
                data={"request": request, "host": address, "secret": own},
            )
        return None

    def _other(self, mac: str, secret: str, address: str) -> ConfigEntry | None:
        """Return who has this MAC and does not ask yet, or the one without any that this must be.

        Its own secret tells, or a default host name that ends in the MAC (`ArduinoOTA.cpp` of all
        cores); else its address, where just one module has it.
        """
        if (owner := self._roster.owner(mac)) is not None:
            return owner
        modules = self._roster.modules
        nameless = [entry for entry in modules if not entry.data.get(CONF_MAC)]
        digits = mac.replace(":", "")
        for entry in nameless:
            tail = str(entry.data.get(CONF_NAME, "")).lower().rpartition("-")[2]
            if tail == digits or _equal(secret, entry.data.get(CONF_PULL_SECRET) or ""):
                return entry
        here = [entry for entry in modules if entry.data.get(CONF_HOST) == address]
        for entry in here:
            tail = str(entry.data.get(CONF_NAME, "")).lower().rpartition("-")[2]
            if entry in nameless and tail == digits[6:]:
                return entry
        return here[0] if len(here) == 1 and here[0] in nameless else None


def new_secret() -> str:
    """Return a secret that fits into a sketch's URL as it is."""
    return secrets.token_urlsafe(16)


def _equal(said: str, secret: str) -> bool:
    """Compare in constant time; an empty secret equals nothing."""
    said_bytes = said[:_SECRET_LIMIT].encode("utf-8", "replace")
    return hmac.compare_digest(said_bytes, secret.encode()) and bool(secret)
