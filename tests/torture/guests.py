"""Modules that another integration updates: they outlive Home Assistant; their truth is here."""

import asyncio
from collections.abc import Callable
import time
from typing import Any

from .history import History, Seen
from .plan import GUEST, NEW, OLD, GuestPlan, ModulePlan
from .valve import Valve

type Answer = Callable[[str | None, str | None], None]
"""Called when the call of its integration ends: with how, and with what it says."""


class GuestOutside:
    """One guest with its valve, and what is written down of them."""

    neighbour = None
    sleeper = None
    shouting = None

    def __init__(
        self, plan: ModulePlan, valve: Valve, history: History, on_says: Callable[[str], None]
    ) -> None:
        """`on_says` is called with its name when its entity says something else from now on."""
        assert plan.guest is not None
        self.plan = plan
        self.valve = valve
        self.history = history
        self.noted: Callable[[], str | None] = lambda: None
        self._manner: GuestPlan = plan.guest
        self._on_says = on_says
        self._runs = OLD
        self._is_away = self._is_busy = False
        self._work: asyncio.Task[None] | None = None
        self._coming: asyncio.Task[None] | None = None
        self._saw("up", version=OLD)

    @property
    def says(self) -> dict[str, Any]:
        """What its update entity says."""
        return {
            "installed": self._runs,
            "latest": NEW,
            "in_progress": self._is_busy,
            "available": not self._is_away,
        }

    def start_of_home_assistant(self) -> dict[str, Any]:
        """Return what Home Assistant sees first; some integrations come late."""
        if not self._manner.late_after_start:
            return self.says
        self._coming = asyncio.create_task(self._come_late())
        return {**self.says, "available": False}

    async def _come_late(self) -> None:
        await asyncio.sleep(self._manner.late_after_start)
        self._show()

    @property
    def rests(self) -> bool:
        """Whether nothing is about to happen here by itself."""
        return self._work is None or self._work.done() or self._manner.fault == "never_ends"

    def call(self, answer: Answer) -> None:
        """Be told to install; `answer` is called when the call of its integration is to end."""
        fault = self._manner.fault
        if fault == "refuses":
            answer("refused", "not in this weather")
            return
        self._saw("first_byte", noted=self.noted())
        if fault == "raises":
            self._saw("torn")
            answer("failed", "no route to host")
        elif fault == "does_nothing":
            self._saw("torn")
            answer(None, None)
        elif self._work is None or self._work.done():
            self._work = asyncio.create_task(self._flash(answer))

    async def _flash(self, answer: Answer) -> None:
        manner = self._manner
        if not manner.blocks:
            answer(None, None)
        self._is_busy = True
        self._show()
        await asyncio.sleep(manner.seconds)
        if manner.fault == "never_ends":
            await asyncio.Event().wait()
        self._is_busy, self._is_away = False, True
        became = "0.9.0" if manner.fault == "other_version" else NEW
        self._saw("installed", version=became)
        self._saw("restarted")
        self._show()
        if manner.fault == "stays_away":
            return
        await asyncio.sleep(manner.away)
        self._runs, self._is_away = became, False
        self._saw("booted", version=became)
        self._show()
        if manner.blocks:
            late = manner.fault == "raises_late"
            answer("failed" if late else None, "timed out" if late else None)

    def lost_its_home(self) -> None:
        """Home Assistant has died: what it was sending is torn in two."""
        is_sending = self._is_busy and self._manner.is_sent
        if is_sending and self._work is not None and not self._work.done():
            self._work.cancel()
            self._is_busy = False
            self._saw("torn")

    def _show(self) -> None:
        self._on_says(self.plan.name)

    def _saw(self, name: str, **details: Any) -> None:
        self.history.module.append(Seen(at=time.monotonic(), name=name, details=details))

    def reached(self, point: str) -> None:
        """Guests stay where they are."""

    async def settle_move(self) -> None:
        """Nor do they come from anywhere."""

    def sample(self) -> None:
        """Nobody sees how much they have taken in."""

    def end(self) -> None:
        """Do nothing any more."""
        for task in (self._work, self._coming):
            if task is not None:
                task.cancel()


def is_guest(plan: ModulePlan) -> bool:
    """Whether another integration updates it."""
    return plan.door == GUEST
