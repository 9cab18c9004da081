"""One install's place in the queue of the house: what it waits for, and what the card says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from ..house import InstallNote
from ..modules import ModuleCoordinator
from ..ota import (
    InstallProgress,
    InstallStage,
    OtaError,
    Priority,
    Reason,
    Standing,
    Ticket,
    Waits,
)

_SIGN_OF_LIFE = Reason(why=Waits.SIGN_OF_LIFE)


def priority_of(note: InstallNote) -> Priority:
    """Return who goes before whom, where nobody said it."""
    if "replaces" in note:
        return Priority.ROLLBACK
    return Priority.PRESS if note.get("user") is not None else Priority.REST


class Turn:
    """A `Turn` of the pipeline, from the press to the end."""

    def __init__(
        self,
        coordinator: ModuleCoordinator,
        note: InstallNote,
        on_told: Callable[[InstallProgress], None],
    ) -> None:
        """Take an install; it stands nowhere before `join`."""
        self._coordinator = coordinator
        self._note = note
        self._on_told = on_told
        self._ticket: Ticket | None = None

    @property
    def ticket(self) -> Ticket:
        """Its ticket."""
        assert self._ticket is not None
        return self._ticket

    def join(self, *, is_open: bool = False) -> None:
        """Stand in the queue, where the journal says; `is_open` for a module that has its image."""
        queued = self._note.get("queued")
        priority = Priority(queued["priority"]) if queued else priority_of(self._note)
        self._ticket = self._coordinator.house.queue.async_join(
            self._coordinator.config_entry,
            priority=Priority.OPEN if is_open else priority,
            order=queued["order"] if queued else None,
            on_told=self._tell,
        )
        self.write()

    def write(self) -> None:
        """Put into the note where it stands."""
        ticket = self.ticket
        if ticket.priority is not Priority.OPEN:
            self._note["queued"] = {"priority": int(ticket.priority), "order": ticket.order}

    @property
    def is_waiting(self) -> bool:
        """Whether it has a place that can be changed."""
        return self._ticket is not None and not self._ticket.runs

    def move(self, place: int) -> None:
        """Stand at another place, counted from 1."""
        self._coordinator.house.queue.async_move(self.ticket, place)
        self.write()

    def leave(self) -> None:
        """Make room; it has ended."""
        if self._ticket is not None:
            self._coordinator.house.queue.async_leave(self._ticket)

    def wait_for_life(self) -> None:
        """Ask for no turn before the module speaks."""
        self.ticket.held = _SIGN_OF_LIFE

    def wait_for_equipment(self, names: str) -> None:
        """Give the turn to others meanwhile."""
        self.ticket.step_back(Reason(why=Waits.EQUIPMENT, what=names))

    async def up(self) -> None:
        """Return when it is its turn."""
        await self.ticket.up()

    async def __aenter__(self) -> Self:
        """Wait for the turn, unless it is there already."""
        await self.ticket.up()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Let others run."""
        await self.ticket.__aexit__()

    def may_wait(self, err: OtaError) -> bool:  # noqa: ARG002 - not yet
        """Whether a better time is waited for."""
        return False

    async def better_time(self, err: OtaError) -> None:
        """Raise it: nothing is waited for."""
        raise err

    # What the card says

    def shown(self, progress: InstallProgress) -> InstallProgress:
        """Return a progress with the place in the queue, where that is what it is about."""
        told = self._ticket.told if self._ticket else None
        if progress.stage is not InstallStage.QUEUED or told is None:
            return progress
        reason = told.reason
        return replace(progress, place=told.place, why=reason.why, waits_for=reason.what or None)

    def _tell(self, _standing: Standing) -> None:
        self._on_told(self.shown(InstallProgress(stage=InstallStage.QUEUED)))
