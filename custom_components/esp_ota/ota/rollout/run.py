"""One rollout from its first canary to its end, by ports to whatever updates modules."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .course import (
    AllEnded,
    Begin,
    MemberState,
    Rest,
    Step,
    Stop,
    Terms,
    WaitFor,
    next_step,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutPorts:
    """What a rollout needs of the house."""

    update: Callable[[int, int], Awaitable[MemberState]]
    """Updates a member (index, wave) and returns how it ended; `WAITS` if it was taken back."""
    follow: Callable[[int], Awaitable[MemberState]]
    """Returns how an update ends that had begun before a restart."""
    take_back: Callable[[], Awaitable[None]]
    """Takes those out of the queue that have not begun there."""
    note: Callable[[], Awaitable[None]]
    """Writes down where it stands; raises nothing."""
    on_wave: Callable[[int, bool], None]
    """Called with a wave that begins, and with one that has ended (True)."""
    now: Callable[[], float]
    """The clock on the wall (seconds)."""


class RolloutRun:
    """One life of a rollout: until its end, until it is paused, or until Home Assistant stops."""

    def __init__(
        self,
        terms: Terms,
        states: Sequence[MemberState],
        ports: RolloutPorts,
        *,
        rests: int = 0,
        rest_ends: float | None = None,
    ) -> None:
        """Go on from where the journal says that it stands."""
        self._terms, self._ports = terms, ports
        self.states = list(states)
        self.rests = rests
        self.rest_ends = rest_ends
        """Until when it rests (clock on the wall), while it does."""
        self.is_held = False
        """Whether nobody may begin any more, of those in the queue neither."""
        self._changed = asyncio.Event()
        self._updates: set[asyncio.Task[None]] = set()

    async def run(self) -> Step | None:
        """Return why it has ended, `Stop` or `AllEnded`; None when it was halted.

        What has begun by then has ended.
        """
        for index, state in enumerate(self.states):
            if state is MemberState.BEGUN:
                self._carry(index, self._ports.follow(index))
        try:
            step = await self._until_over()
            self.is_held = self.is_held or isinstance(step, Stop)
            await self._ports.note()
            if step is not None:
                await self._ports.take_back()
            while self._updates:
                await asyncio.wait(self._updates)
            return step
        finally:
            for task in self._updates:
                task.cancel()

    async def halt(self) -> None:
        """Let nothing begin any more; what waits in the queue is taken out of it."""
        self.is_held = True
        self._changed.set()
        await self._ports.take_back()

    def ended(self, index: int, state: MemberState) -> None:
        """Take how a member ended, before the queue gives its turn to the next one."""
        self.states[index] = state
        if isinstance(next_step(self._terms, self.states, self.rests), Stop):
            self.is_held = True
        self._changed.set()

    async def _until_over(self) -> Step | None:
        while True:
            step = next_step(self._terms, self.states, self.rests)
            if self.is_held and not isinstance(step, Stop):
                return None
            match step:
                case Begin():
                    await self._begin(step)
                case Rest():
                    await self._rest(step)
                case WaitFor():
                    self._changed.clear()
                    await self._changed.wait()
                case Stop() | AllEnded():
                    return step

    async def _begin(self, step: Begin) -> None:
        """Write down who begins before anybody does: after a crash nobody is updated twice."""
        for index in step.members:
            self.states[index] = MemberState.BEGUN
        await self._ports.note()
        if self.is_held:
            for index in step.members:
                self.states[index] = MemberState.WAITS
            return
        self._ports.on_wave(step.wave, False)  # noqa: FBT003 - a port
        for index in step.members:
            self._update(index, step.wave)
            await asyncio.sleep(0)  # a wave may have hundreds

    def _update(self, index: int, wave: int) -> None:
        """Have one updated, unless it was halted while others of its wave began."""
        if self.is_held:
            self.states[index] = MemberState.WAITS
        else:
            self._carry(index, self._ports.update(index, wave))

    def _carry(self, index: int, work: Awaitable[MemberState]) -> None:
        async def carry() -> None:
            self.states[index] = await work
            self._changed.set()
            await self._ports.note()

        task = asyncio.ensure_future(carry())
        self._updates.add(task)
        task.add_done_callback(self._updates.discard)

    async def _rest(self, step: Rest) -> None:
        """Wait for what is left; over a restart by the clock on the wall, which may jump else."""
        if self.rest_ends is None:
            self._ports.on_wave(step.wave, True)  # noqa: FBT003 - a port
            self.rest_ends = self._ports.now() + step.seconds
            await self._ports.note()
        left = min(self.rest_ends - self._ports.now(), step.seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left)):
                while not self.is_held:
                    self._changed.clear()
                    await self._changed.wait()
        if not self.is_held:
            self.rest_ends = None
            self.rests += 1
