"""Equipment that is out of reach when it is to be restored: Home Assistant would pass it over.

A module that switches its valve itself answers to updates some seconds before its MQTT or API does,
an integration may just be reloading, and after a start of Home Assistant many devices are yet to be
heard of. What was out of reach before the update is not waited for.
"""

import asyncio
from collections.abc import Iterable
import time
from typing import Final

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant

_LOOK: Final = 0.25
"""Seconds between two looks."""


class WithinReach:
    """Of the entities that one restore tells something."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nobody is known to have been away before."""
        self._hass = hass
        self._before: set[str] = set()

    def note(self, entities: Iterable[str]) -> None:
        """Keep who is away before anything is touched."""
        self._before = self._away(entities)

    async def wait(self, entities: Iterable[str], seconds: float) -> None:
        """Return when all are there that were, or after so many seconds, or for a stop."""
        until = time.monotonic() + seconds
        awaited = set(entities) - self._before
        while self._away(awaited) and time.monotonic() < until:
            if self._hass.is_stopping:
                return
            await asyncio.sleep(_LOOK)

    def _away(self, entities: Iterable[str]) -> set[str]:
        is_state = self._hass.states.is_state
        return {item for item in entities if is_state(item, STATE_UNAVAILABLE)}
