"""Time that goes on, in seconds of the test: what a house shows after hours, with real modules.

The clock runs on as it does and leaps in between, for everybody in this process: timers of Home
Assistant, records of mDNS, and virtual modules that sleep.
"""

import asyncio
from datetime import timedelta
import time
from typing import Final

from freezegun import freeze_time
from freezegun.api import TickingDateTimeFactory

from custom_components.esp_ota.house import House
from custom_components.esp_ota.house.memory import Memory
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

_SPEAK: Final = 0.02
"""Seconds for what a leap set off: all of it is on loopback."""


class Hours:
    """Lets time pass in small leaps, so that timers run out one after the other."""

    def __init__(self, hass: HomeAssistant, clock: TickingDateTimeFactory) -> None:
        """Begin now."""
        self._hass = hass
        self._clock = clock

    async def go_on(self, minutes: float = 0, *, seconds: float = 0, step: float = 30.0) -> None:
        """Let so much time pass, and let everybody speak after each `step` of seconds."""
        left = 60 * minutes + seconds
        while left > 0:
            now = min(step, left)
            left -= now
            self._clock.tick(timedelta(seconds=now))
            await asyncio.sleep(_SPEAK)
            await self._hass.async_block_till_done(wait_background_tasks=True)

    async def restart(self, house: House, entry: ConfigEntry, minutes: float) -> None:
        """Have Home Assistant away for so long: what it knows then is what was written."""
        assert await self._hass.config_entries.async_unload(entry.entry_id)
        self._hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await self._hass.async_block_till_done()
        await self.go_on(minutes, step=300.0)
        house.memory = Memory(self._hass)
        await house.memory.async_load()
        house.since = time.monotonic()
        assert await self._hass.config_entries.async_setup(entry.entry_id)
        await self._hass.async_block_till_done()


def running_clock() -> freeze_time:
    """Return a clock that runs on and can leap."""
    return freeze_time(dt_util.utcnow(), tick=True)
