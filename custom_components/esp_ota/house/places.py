"""Where each stands that waits in the queue of the house, and who tells the cards.

With hundreds that wait all of them move a place up whenever one begins. So places are found anew
the less often the more there are, and told a few at a time: those in front first, then whoever
was told longest ago.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..ota import Line, Standing, Ticket

_PAUSE: Final = 0.25
"""Seconds between two portions."""
_PORTION: Final = 5
"""Cards that are told at once; one costs a state written for each of a module's entities."""
_FRONT: Final = 20
"""Places whose cards go before all others: they are the next ones."""
_PER_SECOND: Final = 400
"""Places that are found each second."""
_LOOK: Final = 1.0
"""Seconds between two looks at what only time changes."""

type Told = Callable[[Standing], None]
"""Called with where a ticket stands, as long as it waits."""


@dataclass(kw_only=True, slots=True)
class _Card:
    tell: Told
    told_at: float = 0.0
    """When it was told last (`loop.time()`)."""


class Places:
    """Of all tickets of one line; nothing is done while nobody stands in it."""

    def __init__(self, hass: HomeAssistant, line: Line) -> None:
        """Nobody waits; `async_changed` is to be called whenever anybody may stand elsewhere."""
        self._loop = hass.loop
        self._line = line
        self._cards: dict[Ticket, _Card] = {}
        self._listeners: list[CALLBACK_TYPE] = []
        self._found: list[tuple[Ticket, Standing]] | None = None
        """Where each stands, None after a change."""
        self._due: deque[tuple[Ticket, Standing]] = deque()
        """Whose cards are yet to be told of that."""
        self._is_untold = False
        """Whether anything has changed since places were found for the cards."""
        self._find_at = self._look_at = 0.0
        """From when on that may be done once more (`loop.time()`)."""
        self._next: asyncio.Handle | None = None
        """The next portion, as long as anybody stands in the queue."""

    @property
    def tickets(self) -> Collection[Ticket]:
        """All that stand in the queue, running or not."""
        return self._cards

    @callback
    def async_add(self, ticket: Ticket, tell: Told) -> None:
        """Tell one from now on."""
        self._cards[ticket] = _Card(tell=tell)

    @callback
    def async_drop(self, ticket: Ticket) -> None:
        """Tell one no more."""
        self._cards.pop(ticket, None)

    @callback
    def async_changed(self) -> None:
        """Take that anybody may stand elsewhere by now."""
        self._found, self._is_untold = None, True
        if self._next is None or not self._cards:
            self._again(0.0)

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener when anything has changed, not more often than places are found."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def standings(self) -> list[tuple[Ticket, Standing]]:
        """Where each stands that waits, in their order."""
        if self._found is None:
            self._found = self._line.standings()
        return self._found

    def _again(self, seconds: float) -> None:
        if self._next is not None:
            self._next.cancel()
        later = self._loop.call_later
        self._next = later(seconds, self._tell) if seconds else self._loop.call_soon(self._tell)

    @callback
    def _tell(self) -> None:
        """Tell what has changed, and go on as long as anybody stands in the queue."""
        now, self._next = self._loop.time(), None
        try:
            if self._cards and now >= self._look_at:
                self._look_at = now + _LOOK
                self._line.look()  # a window may have opened
            if self._is_untold and (now >= self._find_at or not self._cards):
                self._find(now)
            self._tell_some(now)
        finally:  # whatever a card makes of it, all others want to go on
            if self._cards:
                self._again(_PAUSE)

    def _find(self, now: float) -> None:
        """Find out whose place or reason is another now."""
        self._is_untold = False
        found = self.standings
        self._find_at = now + len(found) / _PER_SECOND
        moved = [item for item in found if item[0] in self._cards and item[0].told != item[1]]
        front = [item for item in moved if item[1].place <= _FRONT]
        rest = [item for item in moved if item[1].place > _FRONT]
        rest.sort(key=lambda item: self._cards[item[0]].told_at)
        self._due = deque(front + rest)
        for listener in list(self._listeners):
            listener()

    def _tell_some(self, now: float) -> None:
        """Tell as many as can be told at once."""
        left = _PORTION
        while self._due and left:
            ticket, standing = self._due.popleft()
            if (card := self._cards.get(ticket)) is None or ticket.runs:
                continue
            left -= 1
            ticket.told, card.told_at = standing, now
            card.tell(standing)
