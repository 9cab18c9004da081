"""Fleets of made-up modules in a real line, updated by a real rollout without a house."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import random

from custom_components.esp_ota.ota import (
    Line,
    Member,
    MemberState,
    Reason,
    RolloutPorts,
    RolloutRun,
    Share,
    Terms,
    Ticket,
    Waits,
    priority_in,
)


@dataclass
class Fleet:
    """Modules, a limit, and how the update of each ends."""

    terms: Terms
    members: Sequence[Member]
    limit: int
    ends: dict[int, MemberState] = field(default_factory=dict)
    begun: list[tuple[int, int, float]] = field(default_factory=list)
    """Who was really updated: index, wave, when."""
    together: int = 0
    noted: list[list[MemberState]] = field(default_factory=list)
    waves: list[tuple[int, bool]] = field(default_factory=list)

    def rollout(
        self,
        states: Sequence[MemberState] = (),
        rests: int = 0,
        clock: Callable[[float], float] = lambda at: at,
    ) -> RolloutRun:
        """Return a rollout in the loop's time; `clock` shows another one on the wall."""
        self._line = Line(self.limit)
        self._tickets: dict[int, Ticket] = {}
        self._running: set[int] = set()
        self._ups: dict[int, asyncio.Future[None]] = {}
        ports = RolloutPorts(
            update=self._update,
            follow=lambda index: self._update(index, 0),
            take_back=self._take_back,
            note=self._note,
            on_wave=lambda wave, ended: self.waves.append((wave, ended)),
            now=lambda: clock(asyncio.get_running_loop().time()),
        )
        known = list(states) or [MemberState.WAITS] * len(self.members)
        self._run = RolloutRun(self.terms, known, ports, rests=rests)
        return self._run

    async def _update(self, index: int, wave: int) -> MemberState:
        member = self.members[index]
        ticket = self._line.join(
            owner=str(index),
            name=member.name,
            priority=priority_in(wave),
            groups=member.groups,
            bar=lambda: Reason(why=Waits.TURN) if self._run.is_held else None,
        )
        self._tickets[index] = ticket
        try:
            try:
                up = self._ups[index] = asyncio.ensure_future(ticket.up())
                await up
            except asyncio.CancelledError:
                return MemberState.WAITS
            loop = asyncio.get_running_loop()
            self.begun.append((index, wave, loop.time()))
            self._running.add(index)
            shared = [key for other in self._running for key in self.members[other].groups]
            assert len(shared) == len(set(shared))
            self.together = max(self.together, len(self._running))
            await asyncio.sleep(member.seconds)
            self._running.discard(index)
            ended = self.ends.get(index, MemberState.UPDATED)
            self._run.ended(index, ended)
            return ended
        finally:
            ticket.leave()

    async def _take_back(self) -> None:
        for index, up in self._ups.items():
            if not self._tickets[index].runs:
                up.cancel()

    async def _note(self) -> None:
        self.noted.append(list(self._run.states))


def random_fleet(seed: int) -> Fleet:
    """Return a fleet of 1 to 60 modules with terms of all kinds."""
    rng = random.Random(seed)
    areas = rng.randint(1, 12)
    members = []
    for number in range(rng.randint(1, 60)):
        area = rng.randrange(areas)
        groups = {f"area {area}": f"Area {area}"} if rng.random() < 0.7 else {}
        seconds = rng.uniform(1, 300)
        members.append(Member(name=f"m{number}", seconds=seconds, groups=groups))
    waves = [
        Share(amount=rng.randint(1, 60), is_percent=True)
        if rng.random() < 0.5
        else Share(amount=rng.randint(1, 20))
        for _ in range(rng.randint(0, 4))
    ]
    terms = Terms(
        canaries=rng.randint(0, 5),
        soak=rng.choice([0.0, rng.uniform(1, 4000)]),
        waves=tuple(waves),
        pause=rng.choice([0.0, rng.uniform(1, 4000)]),
        stop=Share(amount=rng.randint(0, 20), is_percent=rng.random() < 0.5),
    )
    return Fleet(terms=terms, members=members, limit=rng.randint(1, 9))
