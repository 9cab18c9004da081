"""Signs of life of one module: it announced itself, it asked, or an entity of it said something."""

import asyncio
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_state_report_event,
)

from ..const import CONF_WAKE_ENTITY

_SILENT = {STATE_UNAVAILABLE, STATE_UNKNOWN}


class Life:
    """Remembers the last sign, so that one that came before somebody waits is not lost."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Nothing was heard yet."""
        self._hass = hass
        self._entry = entry
        self.last = float("-inf")
        """When the last sign came (`time.monotonic()`)."""
        self._heard: asyncio.Event | None = None
        """Set at the next sign; as long as nobody waits there is none."""
        self._stop: CALLBACK_TYPE | None = None

    @callback
    def heard(self, at: float | None = None) -> None:
        """Take a sign of life; of another time where a cache tells what was said then."""
        self.last = max(self.last, time.monotonic() if at is None else at)
        if self._heard is not None:
            self._heard.set()
            self._heard = None

    async def sign(self, since: float) -> None:
        """Return when there is one that came later than this (`time.monotonic()`)."""
        while self.last <= since:
            if self._heard is None:
                self._heard = asyncio.Event()
            await self._heard.wait()

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen to the entity that a person chose, by the name that it has now."""
        self.async_stop()
        if (entity_id := self._entry.options.get(CONF_WAKE_ENTITY)) is None:
            return self.async_stop

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            state = event.data["new_state"]
            if state is not None and state.state not in _SILENT:
                self.heard()

        @callback
        def reported(event: Event[EventStateReportedData]) -> None:
            if event.data["new_state"].state not in _SILENT:
                self.heard()

        stops = (
            async_track_state_change_event(self._hass, [entity_id], changed),
            async_track_state_report_event(self._hass, [entity_id], reported),
        )

        def stop() -> None:
            for each in stops:
                each()

        self._stop = stop
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Listen no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
