"""When each module of a rollout would begin and end, if all went well."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from ..queue import Line, Priority, Reason, Ticket, Waits
from .course import CANARIES, Begin, MemberState, Rest, Terms, next_step

NEVER: Final = float("inf")
_CLOSED: Final = Reason(why=Waits.WINDOW)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One module of a rollout."""

    name: str
    seconds: float
    """What its update is taken to last."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Keys and names of what only one may be of at a time."""
    opens: Callable[[float], float] = lambda at: at
    """Returns from when on it may begin, at a time or later (seconds); `NEVER` for never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """When a member is updated, in seconds from the beginning; `NEVER` where no window lets it."""

    index: int
    wave: int
    begins: float
    ends: float


class _Call:
    """What a ticket of a forecast waits with."""

    def __init__(self) -> None:
        self._is_called = False

    def done(self) -> bool:
        return self._is_called

    def set_result(self, _result: None) -> None:
        self._is_called = True


def priority_in(wave: int) -> Priority:
    """Return who of a rollout goes before whom in the queue of the house."""
    return Priority.CANARY if wave == CANARIES else Priority.REST


def foresee(
    terms: Terms,
    members: Sequence[Member],
    *,
    limit: int,
    states: Sequence[MemberState] = (),
    rests: int = 0,
) -> list[Foreseen]:
    """Return the order in which members begin, by the rules of the queue and of the rollout.

    `states` and `rests` are how far it has come.
    """
    return _Forecast(terms, members, limit, states, rests).run()


class _Forecast:
    """One run in which every update takes what it is taken to last, and ends well."""

    def __init__(
        self,
        terms: Terms,
        members: Sequence[Member],
        limit: int,
        states: Sequence[MemberState],
        rests: int,
    ) -> None:
        self._terms, self._members = terms, members
        self._line = Line(max(1, limit))
        self._states = list(states) or [MemberState.WAITS] * len(members)
        self._rests = rests
        self._now = 0.0
        self._tickets: dict[Ticket, tuple[int, int]] = {}
        """Those that wait: which member, of which wave."""
        self._ends: list[tuple[float, int, Ticket]] = []
        self._found: list[Foreseen] = []

    def run(self) -> list[Foreseen]:
        for index, state in enumerate(self._states):
            if state is MemberState.BEGUN:
                self._join(index, CANARIES)
        while True:
            match next_step(self._terms, self._states, self._rests):
                case Begin(wave=wave, members=indices):
                    for index in indices:
                        self._states[index] = MemberState.BEGUN
                        self._join(index, wave)
                case Rest(seconds=seconds):
                    self._now += seconds
                    self._rests += 1
                case _ if self._tickets or self._ends:
                    self._go_on()
                case _:
                    return self._found

    def _join(self, index: int, wave: int) -> None:
        member = self._members[index]
        ticket = self._line.join(
            owner=str(index),
            name=member.name,
            priority=priority_in(wave),
            groups=member.groups,
            bar=lambda: _CLOSED if member.opens(self._now) > self._now else None,
        )
        ticket.ask(_Call())
        self._tickets[ticket] = index, wave

    def _go_on(self) -> None:
        """Let begin who may, and go to the next end, or to where the next one may begin."""
        self._line.look()
        for ticket in self._line.running:
            if ticket in self._tickets:
                self._begin(ticket)
        opens = self._next_opening()
        if self._ends and self._ends[0][0] <= opens:
            self._now, index, ticket = heappop(self._ends)
            self._states[index] = MemberState.UPDATED
            self._line.leave(ticket)
        elif opens < NEVER:
            self._now = opens
        else:
            self._give_up()

    def _next_opening(self) -> float:
        """Return when a window opens next of one that waits for nothing else."""
        found = (self._members[index].opens(self._now) for index, _ in self._tickets.values())
        return min((at for at in found if at > self._now), default=NEVER)

    def _give_up(self) -> None:
        """Say of all that wait that no window lets them begin, and go on without them."""
        for ticket, (index, wave) in list(self._tickets.items()):
            self._found.append(Foreseen(index=index, wave=wave, begins=NEVER, ends=NEVER))
            self._states[index] = MemberState.UPDATED
            self._line.leave(ticket)
        self._tickets.clear()

    def _begin(self, ticket: Ticket) -> None:
        index, wave = self._tickets.pop(ticket)
        ends = self._now + self._members[index].seconds
        self._found.append(Foreseen(index=index, wave=wave, begins=self._now, ends=ends))
        heappush(self._ends, (ends, index, ticket))
