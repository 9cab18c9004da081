"""One line for all that wait: so many at once, and never two of one group.

Who is served next is found anew whenever something may have changed: the first in the line that
asks for its turn, whose groups are free, and whom nothing else bars. Who is passed over keeps the
place, and whoever waits for a group has it before those behind.

Hundreds may wait for a window, and each one that comes, goes or is moved is a reason to look: a
window that was closed is asked for again by `look` alone, which somebody has to call now and then.
"""

import asyncio
from bisect import insort
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
import time
from typing import Final, Protocol, Self

from .standing import Priority, Reason, Standing, Waits

TURN: Final = Reason(why=Waits.TURN)
CHECK: Final = Reason(why=Waits.CHECK)

type Bar = Callable[[], Reason | None]
"""Returns what forbids to begin right now, None for nothing."""
type Look = Callable[[], Awaitable[float | None]]
"""Called by who waits; returns in how many seconds again. What it raises ends the waiting."""


async def _nothing() -> None:
    return None


class Called(Protocol):
    """What waits for a turn: a future, or the step of a forecast."""

    def done(self) -> bool:
        """Whether the turn was given."""

    def set_result(self, result: None, /) -> None:
        """Give the turn."""


class Ticket:
    """One that waits or runs; made by `Line.join`, and in it until `leave`.

    It asks for its turn as long as `up` is awaited. As a context manager it is the turn itself.
    """

    def __init__(
        self,
        line: Line,
        *,
        owner: str,
        name: str,
        priority: Priority,
        order: float,
        groups: Mapping[str, str],
        bar: Bar,
    ) -> None:
        """Belong to a line; `groups` are keys and names of what only one may be of at a time."""
        self._line = line
        self.owner = owner
        self.name = name
        self.priority = priority
        self.order = order
        self.groups = groups
        self.bar = bar
        self.urgent_until = 0.0
        """Until when its module is awake (`time.monotonic()`), and it goes before all others."""
        self.runs = False
        self.held: Reason | None = CHECK
        """Why it does not ask for its turn."""
        self.told: Standing | None = None
        """What was said last of where it stands; for who tells."""
        self.closed: Reason | None = None
        """That its window was closed when that was asked last."""
        self._called: Called | None = None

    @property
    def key(self) -> tuple[int, float]:
        """What the line is sorted by."""
        return self.priority, self.order

    @property
    def is_urgent(self) -> bool:
        """Whether it cannot wait."""
        return self.urgent_until > 0.0 and self.urgent_until > time.monotonic()

    @property
    def asks(self) -> bool:
        """Whether it would run at once."""
        return self._called is not None and not self._called.done()

    def ask(self, called: Called) -> None:
        """Ask for the turn, which is given by `called`."""
        self.held = self.closed = None
        self._called = called

    async def up(self, look: Look = _nothing) -> None:
        """Return when it may run; from then on it counts as one that runs."""
        if self.runs:
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ask(called)
        try:
            self._line.look_on()
            while not called.done():
                await asyncio.wait({called}, timeout=await look())
        except BaseException:
            self.step_back(TURN)  # it may have been called in the same moment
            raise
        finally:
            self._called = None

    def step_back(self, reason: Reason) -> None:
        """Ask for nothing for a while, and let others run; the place is kept."""
        self.held = reason
        self._line.end(self)

    def call(self) -> None:
        """Have `up` return; for the line."""
        assert self._called is not None
        self.runs = True
        self._called.set_result(None)

    def leave(self) -> None:
        """Be in the line no more, running or not."""
        self._line.leave(self)

    async def __aenter__(self) -> Self:
        """Take the turn, unless it was given already."""
        await self.up()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Give the turn to others."""
        self.step_back(TURN)


class Line:
    """All tickets of one house."""

    def __init__(self, limit: int, on_change: Callable[[], None] = lambda: None) -> None:
        """Let so many run at once; `on_change` is called when anybody may stand elsewhere."""
        self._limit = limit
        self._on_change = on_change
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._last = 0.0

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        """Hold at once for who waits, and take nothing from who runs."""
        self._limit = limit
        self.look_on()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @property
    def running(self) -> list[Ticket]:
        """Those whose turn it is."""
        return list(self._running)

    @property
    def waiting(self) -> list[Ticket]:
        """All others, in their order."""
        urgent = [ticket for ticket in self._waiting if ticket.is_urgent]
        if not urgent:
            return list(self._waiting)
        return urgent + [ticket for ticket in self._waiting if not ticket.is_urgent]

    def join(
        self,
        *,
        owner: str,
        name: str,
        priority: Priority = Priority.REST,
        order: float | None = None,
        groups: Mapping[str, str] | None = None,
        bar: Bar = lambda: None,
    ) -> Ticket:
        """Return a new ticket behind its equals; `order` is what one had in another life."""
        if order is None:
            order = self._last + 1
        self._last = max(self._last, order)
        ticket = Ticket(
            self,
            owner=owner,
            name=name,
            priority=priority,
            order=order,
            groups=groups or {},
            bar=bar,
        )
        insort(self._waiting, ticket, key=lambda item: item.key)
        self._on_change()
        return ticket

    def keep_behind(self, order: float) -> None:
        """Let nobody who comes have an order up to this: somebody else has it noted."""
        self._last = max(self._last, order)

    def take(self, ticket: Ticket, instead_of: Ticket | None = None) -> None:
        """Let one run at once, whoever else does: it has begun already, perhaps as another."""
        if instead_of is not None:
            ticket.groups = {**instead_of.groups, **ticket.groups}
            instead_of.runs = False
            self._running.remove(instead_of)
        self._waiting.remove(ticket)
        self._running.append(ticket)
        ticket.runs = True
        self._on_change()

    def end(self, ticket: Ticket) -> None:
        """Take a turn back; the ticket waits again at its place."""
        if ticket.runs:
            ticket.runs = False
            self._running.remove(ticket)
            insort(self._waiting, ticket, key=lambda item: item.key)
        self.look_on()

    def leave(self, ticket: Ticket) -> None:
        """Forget a ticket."""
        for tickets in (self._running, self._waiting):
            if ticket in tickets:
                tickets.remove(ticket)
        ticket.runs = False
        self.look_on()

    def move(self, ticket: Ticket, place: int) -> None:
        """Put one that waits at a place, counted from 1, among the others that wait."""
        others = [item for item in self._waiting if item is not ticket]
        at = min(max(place, 1), len(others) + 1) - 1
        before = others[at - 1] if at else None
        behind = others[at] if at < len(others) else None
        if before and behind and before.priority == behind.priority:
            ticket.priority, ticket.order = before.priority, (before.order + behind.order) / 2
        elif behind:
            ticket.priority, ticket.order = behind.priority, behind.order - 1
        elif before:
            ticket.priority, ticket.order = before.priority, before.order + 1
            self._last = max(self._last, ticket.order)
        others.insert(at, ticket)
        self._waiting = others
        self.look_on()

    def look(self) -> None:
        """Call whoever may run now; windows may have opened."""
        for ticket in self._waiting:
            ticket.closed = None
        self.look_on()

    def look_on(self) -> None:
        """Call whoever may run now, where no time has passed."""
        busy = self._busy() if len(self._running) < self._limit else None
        for ticket in self.waiting if busy is not None else ():
            if not ticket.asks:
                continue
            assert busy is not None
            if ticket.groups and _shared(ticket, busy) is not None:
                busy |= ticket.groups.keys()
            elif self._bar(ticket) is None:
                busy |= ticket.groups.keys()
                self._waiting.remove(ticket)
                self._running.append(ticket)
                ticket.call()
                if len(self._running) >= self._limit:
                    break
        self._on_change()

    def _busy(self) -> set[str]:
        """Return what those that run have of what only one may have."""
        return {key for ticket in self._running for key in ticket.groups}

    def _bar(self, ticket: Ticket) -> Reason | None:
        """Return what forbids it to begin besides its groups."""
        if ticket.closed is None:
            reason = ticket.bar()
            if reason is None or reason.why is not Waits.WINDOW:
                return reason
            ticket.closed = reason
        return ticket.closed

    def standings(self) -> list[tuple[Ticket, Standing]]:
        """Return where each stands that waits, in their order."""
        found, busy = [], self._busy()
        for place, ticket in enumerate(self.waiting, 1):
            reason = ticket.held
            if reason is None and (name := _shared(ticket, busy)) is not None:
                reason = _waits_for(name)
                busy |= ticket.groups.keys()
            elif reason is None:
                reason = self._bar(ticket) or TURN
            told = ticket.told  # mostly it stands where it stood
            if told is None or told.place != place or told.reason != reason:
                told = Standing(place=place, reason=reason)
            found.append((ticket, told))
        return found


def _shared(ticket: Ticket, busy: set[str]) -> str | None:
    """Return the name of the first of its groups that somebody has."""
    for key, name in ticket.groups.items():
        if key in busy:
            return name
    return None


@lru_cache(maxsize=256)
def _waits_for(name: str) -> Reason:
    return Reason(why=Waits.GROUP, what=name)
