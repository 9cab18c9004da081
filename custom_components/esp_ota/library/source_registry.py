"""All sources of firmware in this house: one for each subentry of the library's entry."""

from collections.abc import Callable
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..ota import CallBudget, same_name
from .library import Library
from .source_kinds import KINDS
from .source_memory import SourceMemories
from .source_watcher import Shared, SourceWatcher

_BY_HAND: Final = frozenset({"action", "build", "folder", "recovered", "upload"})
"""Where releases come from that a person, or a machine of theirs, has brought."""


class SourceRegistry:
    """Follows the subentries: added, changed and removed ones need no reload."""

    def __init__(self, hass: HomeAssistant, library: Library, keep: Callable[[], int]) -> None:
        """Nothing is asked before `async_open`."""
        self._hass = hass
        self._library = library
        self._memories = SourceMemories(hass)
        self.keep = keep
        """How many releases of a repository are of interest."""
        self.budget = CallBudget()
        self._listeners: list[CALLBACK_TYPE] = []
        self._sources: dict[str, SourceWatcher] = {}
        self._entry: ConfigEntry | None = None
        self._stop: CALLBACK_TYPE | None = None
        self._shared = Shared(
            library=library,
            memories=self._memories,
            budget=self.budget,
            owners=self._owners,
            keep=keep,
            on_change=self._async_changed,
        )

    async def async_load(self) -> None:
        """Read what was remembered."""
        await self._memories.async_load()

    @property
    def all(self) -> list[SourceWatcher]:
        """All sources, in the order in which they were added."""
        return list(self._sources.values())

    def get(self, subentry_id: str) -> SourceWatcher | None:
        """Return the source of a subentry."""
        return self._sources.get(subentry_id)

    def page_of(self, source: str) -> str | None:
        """Return the web page of what a source publishes, by its title; a list has none."""
        found = next((item for item in self._sources.values() if item.title == source), None)
        return found.page if found else None

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back whenever a source was looked at, came or went."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _owners(self, subentry_id: str, firmware: str) -> list[str]:
        """Return who has a name of firmware besides one source: other ones, and people."""
        others = {key: item for key, item in self._sources.items() if key != subentry_id}
        titles = {item.title for item in others.values()}
        found = [
            item.title
            for item in others.values()
            if any(same_name(firmware, name) for name in item.memory.given)
        ]
        found += [
            release.source
            for release in self._library.releases
            if same_name(release.firmware, firmware) and release.source in titles | _BY_HAND
        ]
        return sorted(set(found))

    @callback
    def _async_changed(self) -> None:
        for listener in list(self._listeners):
            listener()

    @callback
    def async_open(self, entry: ConfigEntry) -> None:
        """Look at the sources of the house's entry, from now on."""
        self._entry = entry
        self._stop = async_dispatcher_connect(
            self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
        )
        self._async_follow(entry)

    @callback
    def async_close(self) -> None:
        """Look at none any more; what they had stays."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        for source in self._sources.values():
            source.async_stop()
        self._sources = {}

    @callback
    def _async_entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self._async_follow(entry)

    @callback
    def _async_follow(self, entry: ConfigEntry) -> None:
        """Make the sources what the subentries say."""
        wanted = {
            key: subentry
            for key, subentry in entry.subentries.items()
            if subentry.subentry_type in KINDS
        }
        for key, source in list(self._sources.items()):
            subentry = wanted.get(key)
            if subentry is None or subentry.data != source.settings:
                source.async_stop()
                del self._sources[key]
            else:
                source.title = subentry.title
        for key, subentry in wanted.items():
            if key not in self._sources:
                self._sources[key] = SourceWatcher(self._hass, entry, subentry, self._shared)
                self._sources[key].async_start()
        self._hass.async_create_task(self._memories.async_keep_only(set(wanted)), "ESP OTA sources")
        self._async_changed()
