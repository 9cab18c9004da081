"""The name under which one module announces itself: a new sketch may have given it another one.

It is followed as an address is: where the old name is silent, and who has the new one says the
module's MAC and answers as the module does, where it is known to be. Else a repair asks.
"""

import asyncio
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import CONF_MAC, CONF_NAMED_BEFORE, CONF_SERVICE_NAME, LOGGER
from ..house import House, free_unique_id
from ..issues import async_clear_renamed, async_raise_renamed, is_asked_for_name
from ..ota import SERVICE_TYPE, Address, InstallRefused, ModuleFacts
from .ears import Ears
from .likeness import Likeness
from .whereabouts import Whereabouts

_MOST: Final = 4
"""Names that are looked into at once: nobody has announced more with one MAC but to be found."""


class Names:
    """Of one module."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        house: House,
        whereabouts: Whereabouts,
        likeness: Likeness,
        ears: Ears,
    ) -> None:
        """Let `ears` listen for another name once that is believed."""
        self._hass = hass
        self._entry = entry
        self._house = house
        self._whereabouts = whereabouts
        self._likeness = likeness
        self._ears = ears
        self._looking = asyncio.Lock()
        self._denied: set[str] = set()
        self._in_doubt = is_asked_for_name(hass, entry.entry_id)
        self._stop: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen for the name before this one as well: who had it may be the module after all.

        One without a name is heard by nobody: it is looked for by its MAC, once.
        """
        self.async_stop()
        if self._ears.name is None:
            self._entry.async_create_background_task(
                self._hass, self.async_search(), f"ESP OTA looks for {self._entry.title}"
            )
        if (before := self._entry.data.get(CONF_NAMED_BEFORE)) is not None:

            def spoke(facts: ModuleFacts | None) -> None:
                if facts is not None and not self._looking.locked():
                    self._entry.async_create_background_task(
                        self._hass,
                        self.async_look(before, facts),
                        f"ESP OTA name of {self._entry.title}",
                    )

            self._stop = self._house.announcements.async_listen(before, spoke)
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Listen no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def is_another(self, service_name: str) -> bool:
        """Whether this is another name than the module is known to announce."""
        name = self._ears.name
        return name is not None and service_name.lower() != name.lower()

    async def async_search(self) -> None:
        """Look where the silent module's MAC is announced, be it under another name."""
        mac = self._entry.data.get(CONF_MAC)
        if mac is None:
            return
        announcements = self._house.announcements
        is_named, names = self._ears.name is not None, announcements.names_of(mac)
        names = [name for name in names if self.is_another(name) or not is_named][:_MOST]
        for name in names:
            announcements.async_ask(name)
        if names:
            await asyncio.sleep(self._house.patience.breath)
        for name in names:
            if (facts := announcements.facts(name)) is None or facts.mac != mac:
                continue
            if is_named:
                await self.async_look(name, facts)
            else:
                await self._whereabouts.async_meet(facts)

    async def async_look(self, service_name: str, facts: ModuleFacts) -> bool | None:
        """Look into what another name announces.

        Returns whether it is this module, which is followed then; None where a person is asked.
        """
        mac = self._entry.data.get(CONF_MAC)
        is_proof = mac is not None and facts.mac == mac
        there = Address(facts.host, facts.port)
        is_odd = mac is not None and facts.mac not in {None, mac}
        if service_name.lower() in self._denied or is_odd:
            return False
        if not is_proof and not (self._whereabouts.is_here(facts) and facts.port == self._port):
            return False
        async with self._looking:
            if not self.is_another(service_name):
                return True
            # Where it was proven to be it is looked for at once: who is elsewhere is asked first.
            is_back = is_proof and there.host == self._whereabouts.moves.came_from
            is_back = is_back and not self._whereabouts.is_here(facts)
            if not is_back and not await self._is_silent():
                return False
            try:
                if not await self._is_there(there):
                    return False
            except InstallRefused:
                is_proof = False
            if self._hass.config_entries.async_get_entry(self._entry.entry_id) is None:
                return False  # it was deleted meanwhile: nobody is asked about it
            if not is_proof:
                self._in_doubt = True
                async_raise_renamed(self._hass, self._entry, service_name, there)
                return None
            self._follow(service_name, there)
            return True

    @property
    def _port(self) -> int:
        return self._whereabouts.address.port

    async def _is_silent(self) -> bool:
        """Whether nobody answers to the name it had, for as long as a restart takes."""
        asked_at = time.monotonic()
        while time.monotonic() < asked_at + self._house.patience.doubt:
            self._ears.async_ask()
            await asyncio.sleep(self._house.patience.breath)
            if self._whereabouts.claims(asked_at):
                return False
        return True

    async def _is_there(self, there: Address) -> bool:
        """Whether what answers there is like it; raises InstallRefused if it may be elsewhere."""
        if there.host != self._whereabouts.address.host:
            await self._whereabouts.moves.raise_unless_moved(there)
            return True
        return await self._likeness.holds(there, self._house.patience.watch.patient_probe)

    @callback
    def _follow(self, service_name: str, there: Address) -> None:
        LOGGER.info("%s announces itself as %s now", self._entry.title, service_name)
        async_rename(self._hass, self._entry, service_name)
        self._whereabouts.async_move(*there)
        self._clear()
        self._ears.async_start()
        self._ears.async_ask()
        self.async_start()

    @callback
    def async_told(self, service_name: str, there: Address, *, renamed: bool) -> None:
        """Take what a person says: whether that is its name now."""
        if not renamed:
            self._denied.add(service_name.lower())
            self._clear()
            return
        self._follow(service_name, there)
        self._whereabouts.moves.async_proved()

    @callback
    def async_heard(self) -> None:
        """Take that it speaks just now under the name that is known."""
        if self._in_doubt:
            self._clear()

    def _clear(self) -> None:
        self._in_doubt = False
        async_clear_renamed(self._hass, self._entry.entry_id)


@callback
def async_rename(hass: HomeAssistant, entry: ConfigEntry, service_name: str) -> None:
    """Keep what a module announces itself as; one that is known by its name is known by that."""
    name, before = service_name.removesuffix(f".{SERVICE_TYPE}"), entry.data.get(CONF_NAME)
    data = {
        **entry.data,
        CONF_SERVICE_NAME: service_name,
        CONF_NAME: name,
        CONF_NAMED_BEFORE: entry.data.get(CONF_SERVICE_NAME),
    }
    is_known_by_it = entry.unique_id == str(before).lower()
    unique_id = free_unique_id(hass, entry, name.lower()) if is_known_by_it else entry.unique_id
    hass.config_entries.async_update_entry(entry, data=data, unique_id=unique_id)
