"""When each module of a rollout would begin and end, if all went well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from ..queue import Line, Priority, Ticket
from .course import CANARIES, Begin, MemberState, Rest, Terms, next_step


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One module of a rollout."""

    name: str
    seconds: float
    """What its update is taken to last."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Keys and names of what only one may be of at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """When a member is updated, in seconds from the beginning."""

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
        )
        ticket.ask(_Call())
        self._tickets[ticket] = index, wave

    def _go_on(self) -> None:
        """Let begin who may, and go to the next end, or to where the next one may begin."""
        self._line.look()
        for ticket in self._line.running:
            if ticket in self._tickets:
                self._begin(ticket)
        if self._ends:
            self._now, index, ticket = heappop(self._ends)
            self._states[index] = MemberState.UPDATED
            self._line.leave(ticket)

    def _begin(self, ticket: Ticket) -> None:
        index, wave = self._tickets.pop(ticket)
        ends = self._now + self._members[index].seconds
        self._found.append(Foreseen(index=index, wave=wave, begins=self._now, ends=ends))
        heappush(self._ends, (ends, index, ticket))
