"""Who shows what the library has, of all modules: told a few at a time when it changes.

A release concerns every module of its firmware at once, and a house may have hundreds: their
cards are looked at in slices, between which the event loop serves everybody else.
"""

import asyncio
from collections.abc import Iterable
import time
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..library import Library

_AT_LEAST: Final = 8
"""Cards told at once, also on a slow machine: all of a small house."""
_SLICE: Final = 0.001
"""Seconds after which the others have to wait for the next turn of the loop, in which others work
as well."""


class Cards:
    """The one listener of the library for all modules."""

    def __init__(self, hass: HomeAssistant, library: Library) -> None:
        """Nobody shows anything yet."""
        self._hass = hass
        self._cards: dict[CALLBACK_TYPE, None] = {}
        self._due: dict[CALLBACK_TYPE, None] = {}
        """Who has not been told of the last change, the longest waiting one first."""
        self._task: asyncio.Task[None] | None = None
        library.async_add_listener(self._async_changed)

    @callback
    def async_add(self, tell: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back soon after each change of the library; returns what ends it."""
        self._cards[tell] = None

        @callback
        def remove() -> None:
            self._cards.pop(tell, None)
            self._due.pop(tell, None)

        return remove

    @callback
    def _async_changed(self) -> None:
        """Tell the first ones at once; who waits for an earlier change keeps the place."""
        self._due |= self._cards
        self._tell_as_many_as_can()

    def _tell_as_many_as_can(self) -> None:
        if self._task is None or self._task.done():
            self._tell_some()
            if self._due:
                self._task = self._hass.async_create_task(self._async_tell(), "ESP OTA cards")

    @callback
    def async_tell(self, tells: Iterable[CALLBACK_TYPE]) -> None:
        """Call these back as well, behind those that wait."""
        self._due |= dict.fromkeys(tells)
        self._tell_as_many_as_can()

    async def _async_tell(self) -> None:
        while self._due:
            await asyncio.sleep(0)
            self._tell_some()

    def _tell_some(self) -> None:
        end, told = time.monotonic() + _SLICE, 0
        while self._due and (told < _AT_LEAST or time.monotonic() < end):
            tell = next(iter(self._due))
            del self._due[tell]
            tell()
            told += 1
