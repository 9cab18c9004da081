"""The valves of a house: they move late, lie, jam, refuse, hang and have moods."""

import asyncio
from collections.abc import Callable
from typing import Any

from .plan import ValvePlan


class Valve:
    """One valve: where it stands, what its entity says, and how it obeys."""

    def __init__(self, plan: ValvePlan, say: Callable[[str], None]) -> None:
        """Stand open, as the garden is watered."""
        self._plan = plan
        self._say = say
        self.stands = "open"
        self._reported = "open"
        self._mood: str | None = None
        self._work: set[asyncio.Task[None]] = set()

    @property
    def says(self) -> str:
        """What its entity says."""
        return self._mood or self._reported

    @property
    def rests(self) -> bool:
        """Whether it neither moves nor is about to speak."""
        return not self._work

    def start_of_home_assistant(self) -> str:
        """Return what Home Assistant sees first; some entities come late."""
        if not self._plan.late_after_start:
            return self.says
        self._do(self._come_late())
        return "unavailable"

    async def _come_late(self) -> None:
        await asyncio.sleep(self._plan.late_after_start)
        self._say(self.says)

    def command(self, position: str, answer: Callable[[str | None], None]) -> None:
        """Obey, or not; `answer` is called when the action is to return, with its error."""
        self._do(self._obey(position, answer))
        if position == "closed":
            for mood in self._plan.moods:
                self._do(self._be_moody(mood.after, mood.seconds, mood.says))

    async def _obey(self, position: str, answer: Callable[[str | None], None]) -> None:
        plan = self._plan
        if position in plan.refuses:
            answer(f"the valve does not go {position}")
            return
        if plan.answers_at_once and position not in plan.hangs:
            answer(None)
        await asyncio.sleep(plan.lag)
        if position not in plan.jams:
            self.stands = position
        if not plan.answers_at_once and position not in plan.hangs:
            answer(None)
        await asyncio.sleep(plan.report)
        self._report()

    def _report(self) -> None:
        if self._reported != self.stands:
            self._reported = self.stands
            self._say(self.says)

    async def _be_moody(self, after: float, seconds: float, says: str) -> None:
        await asyncio.sleep(after)
        self._mood = says
        self._say(self.says)
        await asyncio.sleep(seconds)
        self._mood = None
        self._say(self.says)

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def end(self) -> None:
        """Do nothing any more."""
        for task in self._work:
            task.cancel()
