"""Modules that are held until a date: when it has come their cards change, without a reload.

A hold ends by the clock on the wall in the zone of the house, so the clock is looked at again
and again: no timer knows of one that was set, or of another zone.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..const import CONF_HOLD
from ..ota import held_until
from .cards import Cards

_EVERY: Final = timedelta(seconds=10)


class Holds:
    """Who of the modules is held, as it was told last."""

    def __init__(self, hass: HomeAssistant, cards: Cards) -> None:
        """Nobody is held yet."""
        self._hass = hass
        self._cards = cards
        self._modules: dict[ConfigEntry, CALLBACK_TYPE] = {}
        self._held: set[ConfigEntry] = set()

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Look at the clock from now on; returns what stops it."""
        stops = (
            async_track_time_interval(
                self._hass, self.async_look, _EVERY, name="ESP OTA holds", cancel_on_shutdown=True
            ),
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self.async_look),
        )

        def stop() -> None:
            for each in stops:
                each()

        return stop

    @callback
    def async_add(self, entry: ConfigEntry, tell: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back when the hold of a module has ended, or is one again; returns what ends it."""
        self._modules[entry] = tell
        self._held |= _held_of([entry])

        def remove() -> None:
            del self._modules[entry]
            self._held.discard(entry)

        return remove

    @callback
    def async_look(self, _event: datetime | Event[Any] | None = None) -> None:
        """See who is held, by the clock or by a person, and tell those for whom it is new."""
        held = _held_of(self._modules)
        changed, self._held = held ^ self._held, held
        if changed:
            self._cards.async_tell(self._modules[entry] for entry in changed)


def _held_of(entries: Iterable[ConfigEntry]) -> set[ConfigEntry]:
    """Return which of these modules are held now."""
    stored = ((entry, entry.options.get(CONF_HOLD)) for entry in entries)
    holds = [(entry, hold) for entry, hold in stored if hold is not None]
    now = dt_util.now() if holds else None
    return {entry for entry, hold in holds if now and held_until(hold, now)}
