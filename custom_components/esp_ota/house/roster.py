"""The entries of all modules, and whose MAC is whose: asked for with each announcement."""

from collections.abc import Collection

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import CONF_IDENTITY, CONF_KIND, CONF_MAC, DOMAIN, KIND_MODULE


class Roster:
    """Looks through all entries only when they have changed: there may be hundreds."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know no entry yet."""
        self._hass = hass
        self._entries: list[ConfigEntry] = []
        self._modules: list[ConfigEntry] = []
        self._by_mac: dict[str, list[ConfigEntry]] | None = None
        self._macs: dict[str, str | None] = {}
        """By entry id, as they are in the index."""
        self._identities: dict[str, str | None] = {}
        """By entry id, with that of the house as well."""

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Hear of changed entries; returns what stops it."""
        self._by_mac, self._entries = None, []
        return async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._changed)

    @callback
    def _changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        # Most of what is told of is that an entry is loaded: hundreds are, one by one, at a start.
        if entry.data.get(CONF_MAC) != self._macs.get(entry.entry_id):
            self._by_mac = None
        if entry.entry_id in self._identities:
            self._identities[entry.entry_id] = entry.data.get(CONF_IDENTITY)

    @property
    def modules(self) -> list[ConfigEntry]:
        """The entries of all modules, loaded or not."""
        entries = self._hass.config_entries.async_entries(DOMAIN)
        if entries != self._entries:
            self._entries, self._by_mac = entries, None
            self._modules = [one for one in entries if one.data.get(CONF_KIND) == KIND_MODULE]
            self._identities = {one.entry_id: one.data.get(CONF_IDENTITY) for one in entries}
        return list(self._modules)

    @property
    def identities(self) -> Collection[str | None]:
        """What the ids of modules are made from; None of those where that is not settled yet."""
        return self._identities.values() if self.modules else ()

    def with_mac(self, mac: str) -> list[ConfigEntry]:
        """Return the modules that have a MAC: one, but for what older releases have stored."""
        modules = self.modules
        if self._by_mac is None:
            self._by_mac = {}
            self._macs = {entry.entry_id: entry.data.get(CONF_MAC) for entry in modules}
            for entry in modules:
                if known := self._macs[entry.entry_id]:
                    self._by_mac.setdefault(known, []).append(entry)
        return list(self._by_mac.get(mac, ()))

    def owner(self, mac: str) -> ConfigEntry | None:
        """Return whose a MAC is: of several who is known by it, else who was here first."""
        return min(self.with_mac(mac), key=lambda entry: entry.unique_id != mac, default=None)


def owner_of_mac(hass: HomeAssistant, mac: str) -> ConfigEntry | None:
    """Return the module whose a MAC is, also where nothing of the house is set up."""
    return Roster(hass).owner(mac)


def free_unique_id(hass: HomeAssistant, entry: ConfigEntry, wanted: str) -> str | None:
    """Return the id an entry may have: the one it has, where another, ignored ones too, has it."""
    other = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, wanted)
    return wanted if other is None or other is entry else entry.unique_id


def may_have_mac(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> bool:
    """Whether an entry may be known by a MAC: it has no other one, and nobody else has it."""
    return (
        entry.data.get(CONF_MAC) in {None, mac}
        and free_unique_id(hass, entry, mac) == mac
        and owner_of_mac(hass, mac) in {None, entry}
    )
