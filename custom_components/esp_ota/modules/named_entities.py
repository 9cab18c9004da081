"""The entities that a module's options name: followed when a person gives them another name.

They are kept by their names, as forms of Home Assistant show them. Who renames one means the same
entity; nobody thinks of a module that listens to it.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.entity_registry import EventEntityRegistryUpdatedData
from homeassistant.helpers.event import async_track_entity_registry_updated_event

from ..const import CONF_INFO_ENTITY, CONF_SOAK_ENTITIES, CONF_WAKE_ENTITY, LOGGER

_ONE: Final = (CONF_INFO_ENTITY, CONF_WAKE_ENTITY)
_WAS: Final = "old_entity_id"


class Listener(Protocol):
    """Listens to what the options name when it begins."""

    def async_start(self) -> CALLBACK_TYPE:
        """Listen to nothing else any more; returns what stops it."""


class NamedEntities:
    """Of one module."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *listeners: Listener) -> None:
        """Have all `listeners` to one of them begin anew, once it has another name."""
        self._hass = hass
        self._entry = entry
        self._listeners = listeners
        self._stop: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow them; returns what stops that."""
        self.async_stop()
        if names := _names(self._entry.options):
            self._stop = async_track_entity_registry_updated_event(self._hass, names, self._changed)
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Follow them no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    @callback
    def _changed(self, event: Event[EventEntityRegistryUpdatedData]) -> None:
        was, now = event.data.get(_WAS), event.data["entity_id"]
        if not isinstance(was, str) or was == now:
            return
        LOGGER.info("%s: %s is called %s now", self._entry.title, was, now)
        options = _renamed(self._entry.options, was, now)
        self._hass.config_entries.async_update_entry(self._entry, options=options)
        self.async_start()
        for listener in self._listeners:
            listener.async_start()


def _names(options: Mapping[str, Any]) -> list[str]:
    one = [options[key] for key in _ONE if options.get(key)]
    return list(dict.fromkeys([*one, *options.get(CONF_SOAK_ENTITIES, ())]))


def _renamed(options: Mapping[str, Any], was: str, now: str) -> dict[str, Any]:
    changed = dict(options)
    for key in _ONE:
        if options.get(key) == was:
            changed[key] = now
    if several := options.get(CONF_SOAK_ENTITIES):
        changed[CONF_SOAK_ENTITIES] = [now if item == was else item for item in several]
    return changed
