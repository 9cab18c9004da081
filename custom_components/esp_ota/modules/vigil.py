"""A module that announces itself: it is asked now and then whether it is still there.

Nobody repeats mDNS records unasked, so it is asked for all of them, a quarter of an hour after it
was heard. Where no answer comes it is asked again, with growing pauses, and by a probe that touches
nothing: Wi-Fi loses multicast.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import math
import random
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_TRANSPORTS, TRANSPORT_PULL
from ..house import House
from ..ota import Address, Bell, PullDesk, catch_up
from .ears import Ears
from .expected import Expected
from .moves import Moves
from .presence import Presence

_CALM: Final = 900.0
"""Seconds after which one that was heard is asked: four questions an hour, and their answers."""
_SOON: Final = (5.0, 15.0, 60.0, 120.0)
"""Seconds between the first questions that bring no answer."""
_LATER: Final = 300.0
"""The same from then on, for an hour: the network may have been away, not the module."""
_UNCLEAR: Final = (1.5, *_SOON)
"""Seconds until it is asked whether what was said is its word, in a quarter of an hour: more
than the one for which a responder holds back what it has just said (RFC 6762, 6)."""
_MISSES: Final = 3
"""Times that it must not answer at all; a module restarts within two."""
_HOUR: Final = 3600.0
_BUSY: Final = 60.0
"""Seconds until one is asked that is being updated, or said goodbye."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How a module that announces itself is spoken with."""

    ears: Ears
    moves: Moves
    search: Callable[[], Awaitable[None]]
    """Looks whether it is silent because it has another name now."""


class Vigil(Presence):
    """Keeps asking."""

    def __init__(
        self,
        *args: Any,
        speech: Speech,
        is_busy: Callable[[], bool],
    ) -> None:
        """Ask by its `speech`, but not while it `is_busy`."""
        super().__init__(*args)
        self._speech = speech
        self._is_busy = is_busy
        self._heard_at = time.monotonic()
        self._was_heard = False
        self._has_turn = False
        """That it was waited until others have been asked."""
        self._ask_at: float | None = None
        """When it is asked although it was heard (`time.monotonic()`)."""
        self._doubts = 0
        """How often it was, in this quarter of an hour."""
        self._doubted_at = -math.inf
        """When that began (`time.monotonic()`)."""
        self._looks = False
        """Whether it is asked just now, which sets the timer at its end."""
        self._said = Bell()
        self._unanswered = 0
        """Questions in a row that brought no record."""
        self._missed = 0
        """Of them those after which its address was silent as well."""

    @override
    def _begin(self) -> None:
        left = self._heard_at + _CALM - time.monotonic() if self._was_heard else 0.0
        if self._ask_at is not None:
            left = min(left, self._ask_at - time.monotonic())
        has_turn, self._has_turn = self._has_turn, False
        if self._unanswered == 0 and left > 0:
            self._at(left * random.uniform(0.9, 1.0))  # noqa: S311 - not all at once
        elif self._is_busy():
            self._at(_BUSY)
        elif not has_turn and (wait := self._house.questions.wait()):
            self._has_turn = True
            self._at(wait)
        else:
            self._entry.async_create_background_task(
                self._hass, self._look(), f"ESP OTA looks for {self._entry.title}"
            )

    @override
    def _heard(self) -> None:
        self._heard_at, self._was_heard = time.monotonic(), True
        self._said.ring()
        if self._unanswered:
            self._unanswered = self._missed = 0
            self._begin()

    @override
    @callback
    def async_unclear(self) -> None:
        now = time.monotonic()
        if now - self._doubted_at >= _CALM:
            self._doubts, self._doubted_at = 0, now
        if self._ask_at is None and self._doubts < len(_UNCLEAR):
            pause = _UNCLEAR[self._doubts]
            self._doubts += 1
            self._ask_at = now + pause
            if not self._looks:
                self._at(pause)

    @override
    def _left(self) -> None:
        self._unanswered = max(self._unanswered, 1)
        self._missed = max(self._missed, _MISSES)
        self._at(_BUSY)

    async def _look(self) -> None:
        self._looks, self._ask_at = True, None
        try:
            await self._ask()
        finally:
            self._looks = False

    async def _ask(self) -> None:
        """Ask once, and find out what its silence means."""
        asked_at = time.monotonic()
        self._speech.ears.async_ask()
        await self._said.wait(self._house.patience.breath)
        if not self._has_heard(asked_at):
            await catch_up()
        if self._has_heard(asked_at):
            self._begin()
            return
        is_there = await self._answers()
        self._unanswered += 1
        self._missed = 0 if is_there else self._missed + 1
        if is_there:
            self._set(reachable=True)
        elif self._missed >= _MISSES and not self._asks_in_time():
            self._set(reachable=False)
        await self._speech.search()
        self._at(self._pause())

    def _has_heard(self, since: float) -> bool:
        return self._was_heard and self._heard_at >= since

    async def _answers(self) -> bool:
        """Whether its address does, touching nothing, and is not another module's by now."""
        address = self._speech.moves.address
        return (
            await self._speech.moves.is_alive(address)
            and not self._speech.moves.is_others(address)
            and not self._has_successor(address)
        )

    def _has_successor(self, address: Address) -> bool:
        """Whether another module was followed to this address: it announced that long ago."""
        return any(
            entry is not self._entry
            and entry.data.get(CONF_HOST) == address.host
            and self._speech.moves.port in {entry.data.get(CONF_PORT), None}
            for entry in self._house.modules
        )

    def _asks_in_time(self) -> bool:
        """Whether it may sleep until it asks for an update again."""
        asked_at = self._desk.rhythm.asked_at
        return asked_at is not None and time.monotonic() < asked_at + self._desk.patience

    def _pause(self) -> float:
        is_certain = self._missed in {0, self._unanswered} or self._missed >= _MISSES
        tries = self._unanswered if is_certain else self._missed
        if tries <= len(_SOON):  # it may have been heard since, which is 0
            return _SOON[tries - 1]
        return _LATER if time.monotonic() - self._heard_at < _HOUR else _CALM


def presence_of(
    hass: HomeAssistant,
    entry: ConfigEntry,
    house: House,
    desk: PullDesk,
    on_change: Callable[[], None],
    *,
    speech: Speech,
    is_busy: Callable[[], bool],
) -> Presence:
    """Return how it is found out whether a module is there."""
    given = hass, entry, house, desk, on_change
    if speech.ears.name is not None:
        return Vigil(*given, speech=speech, is_busy=is_busy)
    asks = TRANSPORT_PULL in entry.data.get(CONF_TRANSPORTS, [])
    return Expected(*given) if asks else Presence(*given)
