"""The person of a house: presses, changes their mind, and rolls out, all as the plan says."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from .config import last_rollout
from .conversation import Conversation
from .garden import Garden
from .images import beside
from .plan import HousePlan
from .story import ENDED

_RESUMES: Final = 0.5
"""Seconds after a start until a rollout is resumed that was paused in an earlier life."""
_ITS_OWN: Final = {"members", "start_at", "pause_after", "resume_after", "cancel_after", "stop"}
"""What of a rollout's plan is not a field of the action."""


class Person:
    """One house's, over all its lives."""

    def __init__(
        self,
        plan: HousePlan,
        garden: Garden,
        talk: Conversation,
        place: Path,
        living: Callable[[], int | None],
    ) -> None:
        """`living` returns the number of the life that can be asked for something."""
        self._plan = plan
        self._garden = garden
        self._talk = talk
        self._place = place
        self._living = living
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, life: int) -> None:
        """Do what is to be done in this life, which has started."""
        self._press_all()
        if not life:
            self._garden.stir()
            for full in self._plan.full:
                self._later(full.after, "fill", lasts=full.seconds)
            for number, seconds in enumerate(self._plan.opens_at):
                self._window(seconds, is_open=not number % 2)
            if self._plan.release_after is not None:
                path = self._place / "beside.bin"
                path.write_bytes(beside())
                self._later(self._plan.release_after, "release", path=str(path))
        self._roll_out()

    def end(self) -> None:
        """Do nothing any more."""
        for task in self._tasks:
            task.cancel()

    def _press_all(self) -> None:
        """Press Update wherever it was not pressed before, and no rollout does it."""
        for name, outside in self._garden.modules.items():
            plan, is_member = outside.plan, name in self._plan.members
            if outside.history.presses or (is_member and outside.history.marks):
                continue
            if not is_member:
                self._later(plan.press_at, "press", module=name, number=0)
            for seconds, do, more in (
                (plan.again_after, "press", {"number": 1, "again": True}),
                (plan.cancel_after, "cancel", {}),
                (plan.reload_after, "reload", {}),
            ):
                if seconds is not None:
                    self._later(plan.press_at + seconds, do, module=name, **more)

    def _roll_out(self) -> None:
        """Begin the rollout unless it is on disk, and go on with one that was paused."""
        if (plan := self._plan.rollout) is None:
            return
        note = last_rollout(self._place / "config")
        if note is not None:
            if note["state"] == "paused":
                self._later(_RESUMES, "rollout", action="resume")
            return
        terms = {key: value for key, value in asdict(plan).items() if key not in _ITS_OWN}
        terms["stop_when_more_than"] = plan.stop
        guests = [name for name in plan.members if name in self._garden.guests]
        members = [name for name in plan.members if name not in guests]
        if members:
            terms["firmware"] = self._garden.modules[members[0]].plan.firmware
        self._later(plan.start_at, "roll_out", terms=terms, members=members, guests=guests)
        if plan.pause_after is not None:
            at = plan.start_at + plan.pause_after
            self._later(at, "rollout", action="pause")
            self._later(at + plan.resume_after, "rollout", action="resume")
        if plan.cancel_after is not None:
            self._later(plan.start_at + plan.cancel_after, "rollout", action="cancel")

    @property
    def rollout_rests(self) -> bool:
        """Whether nothing comes of the rollout any more."""
        if self._plan.rollout is None:
            return True
        if (note := last_rollout(self._place / "config")) is None:
            return "start_rollout" in self._talk.answered
        return note["state"] in ENDED

    def _window(self, seconds: float, *, is_open: bool) -> None:
        """Open or close the window of the house, whoever lives then."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            self._talk.set_window(is_open=is_open)

        self._tasks.add(asyncio.create_task(wait()))

    def _later(self, seconds: float, do: str, **content: object) -> None:
        life = self._living()

        async def wait() -> None:
            await asyncio.sleep(seconds)
            if life is not None and self._living() == life:
                self._talk.note(f"do {do}", **content)
                self._talk.tell(do, **content)

        self._tasks.add(asyncio.create_task(wait()))
