"""What it takes to believe that one module has another address now.

mDNS proves nothing: whoever speaks in the network can say a module's name and its MAC. A new
address is believed where the old one stays silent, or is another module's, and the new one answers
as this module does; and only until something proves more. Back is a move as well.
"""

import asyncio
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_INFO_URL,
    CONF_MOVED_FROM,
    CONF_SERVICE_NAME,
    CONF_TRANSPORTS,
    CONF_UPLOAD_SEEN,
    LOGGER,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..house import Claim, House
from ..issues import async_clear_doubt, async_raise_doubt
from ..ota import Address, Cause, InstallRefused, UploadDialect, catch_up, with_own_host
from .device import async_keep_page
from .likeness import Likeness

_DENIED: Final = 8
"""Addresses kept of which a person said that the module is not there."""
_LOOK: Final = 1.0
"""Seconds between looks at an address that is to stay silent."""


class Moves:
    """Of one module; that it moved is kept in its entry."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        house: House,
        likeness: Likeness,
    ) -> None:
        """Ask by `likeness` what answers where."""
        self._hass = hass
        self._entry = entry
        self._house = house
        self._likeness = likeness
        self._denied: list[str] = []
        self._unlike: str | None = None
        """Where it took an image without asking for its password."""
        self._left: str | None = None
        """Where it was before it moved last."""

    @property
    def address(self) -> Address:
        """Where it was found last."""
        return Address(str(self._entry.data[CONF_HOST]), int(self._entry.data[CONF_PORT]))

    @property
    def port(self) -> int | None:
        """The port that belongs to the address; a page has one of its own."""
        transports = self._entry.data.get(CONF_TRANSPORTS) or [TRANSPORT_PUSH]
        return None if TRANSPORT_UPLOAD in transports else self.address.port

    @property
    def came_from(self) -> str | None:
        """Where it was proven to be, as long as only its likeness says where it is now.

        Which may be there again: that it went and came is no proof either.
        """
        return self._entry.data.get(CONF_MOVED_FROM)

    def is_denied(self, host: str) -> bool:
        """Whether a person said that it is not there."""
        return host in self._denied

    @callback
    def async_move(self, found: Address) -> bool:
        """Keep where it is; returns whether that is new."""
        if found == self.address:
            return False
        LOGGER.info("%s is at %s:%s now", self._entry.title, *found)
        data = {**self._entry.data, CONF_HOST: found.host, CONF_PORT: found.port}
        if found.host != self.address.host:
            data[CONF_MOVED_FROM] = self.came_from or self.address.host
            self._left = self.address.host
        options = dict(self._entry.options)
        if (page := options.get(CONF_INFO_URL)) is not None:  # else it is the next one's there
            options[CONF_INFO_URL] = with_own_host(page, self.address.host)
        self._hass.config_entries.async_update_entry(self._entry, data=data, options=options)
        async_keep_page(self._hass, self._entry)
        return True

    @callback
    def async_proved(self) -> None:
        """Take that it is where it is: it took an image, or a person says so."""
        self._unlike = None
        if self.came_from is not None:
            data = dict(self._entry.data)
            del data[CONF_MOVED_FROM]
            self._hass.config_entries.async_update_entry(self._entry, data=data)

    @callback
    def async_saw_page(self, kind: UploadDialect) -> None:
        """Keep what kind of update page it has, where it is proven to be."""
        if self.came_from is None and self._entry.data.get(CONF_UPLOAD_SEEN) != kind:
            data = {**self._entry.data, CONF_UPLOAD_SEEN: kind}
            self._hass.config_entries.async_update_entry(self._entry, data=data)

    @callback
    def async_told(self, host: str, *, moved: bool) -> None:
        """Take what a person says: whether it moved there."""
        if moved:
            self._denied = [denied for denied in self._denied if denied != host]
            self.async_move(Address(host, self.address.port))
            self.async_proved()
        else:
            self._async_deny(host)
        async_clear_doubt(self._hass, self._entry.entry_id)

    @callback
    def _async_deny(self, host: str) -> None:
        is_here = self.address.host == host
        before = self._left if self.came_from == host else self.came_from
        if is_here and before is None:  # after a restart nobody knows of another place
            return  # it is heard on, and gets nothing before it asks for the password
        self._unlike = None
        self._denied = [*self._denied, host][-_DENIED:]
        if is_here and before is not None:
            self.async_move(Address(before, self.address.port))

    def did_not_ask(self, address: Address) -> InstallRefused | None:
        """Return why an image is not sent to who wants it without asking for the password."""
        if self.came_from is None or not self._entry.data.get(CONF_PASSWORD):
            return None
        self._unlike = address.host
        doubt = self._doubt(self._left or self.came_from, address.host)
        async_raise_doubt(self._hass, self._entry, doubt.cause, doubt.facts)
        return doubt

    async def raise_unless_moved(self, there: Address) -> None:
        """Raise InstallRefused where it cannot be proven that the module is there now."""
        here = self.address
        if there.host == here.host:
            if there.host == self._unlike:
                raise self._doubt(self._left or here.host, there.host)
            return
        patience = self._house.patience.watch.patient_probe
        if await self._stays_alive(here) or not await self._likeness.holds(there, patience):
            raise self._doubt(here.host, there.host)

    async def speaks_before(self, claims: list[Claim]) -> Claim | None:
        """Return who says to be where it was proven to be last, if anybody answers there."""
        before = self.came_from
        if before is None or before == self.address.host:
            return None
        claim = next((one for one in claims if one.facts.host == before), None)
        if claim is None or not await self.is_alive(Address(before, claim.facts.port)):
            return None
        return claim

    async def _stays_alive(self, address: Address) -> bool:
        """Whether it answers where it was, be it after a restart."""
        end = time.monotonic() + self._house.patience.doubt
        while True:
            if self.is_others(address):
                return await self._speaks_at(address)
            if await self.is_alive(address):
                return True
            if time.monotonic() > end:
                return False
            await asyncio.sleep(_LOOK)

    async def _speaks_at(self, address: Address) -> bool:
        """Whether its name is answered to there, though others say that the address is theirs.

        That they say so may be forged as well, so it is given the time of a restart: a responder
        may hold an answer back for a second (RFC 6762, 6), and Wi-Fi loses some.
        """
        announcements = self._house.announcements
        name = str(self._entry.data[CONF_SERVICE_NAME])
        asked_at = time.monotonic()
        while time.monotonic() < asked_at + self._house.patience.doubt:
            other = announcements.other_at(name, address.host, self.port)
            for asked in filter(None, (name, other)):
                announcements.async_ask(asked)
            await asyncio.sleep(self._house.patience.breath)
            await catch_up()
            if any(one.facts.host == address.host for one in announcements.claims(name, asked_at)):
                return True
        return False

    async def is_alive(self, address: Address) -> bool:
        """Whether a module answers there; a lost packet is given a second chance."""
        patience = self._house.patience.watch.patient_probe
        return await self._likeness.probe(address, patience) or await self._likeness.probe(
            address, patience
        )

    def is_others(self, address: Address) -> bool:
        """Whether others announced this address since this module did."""
        name = self._entry.data.get(CONF_SERVICE_NAME)
        return self._house.announcements.is_others(name, address.host, self.port)

    @staticmethod
    def _doubt(host: str, other: str) -> InstallRefused:
        return InstallRefused(Cause.MODULE_MOVED, host=host, other=other)
