"""What a rollout asks of an install, also of one that goes on after a restart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..house import InstallNote
from ..ota import InstallResult, Priority, Reason
from .turn import Turn

ASKED: Final[HassKey[dict[str, Asked]]] = HassKey(f"{DOMAIN}_asked")
"""By entry id, or key of a guest, as long as a rollout has it begun."""

type Sentence = Callable[[], str | None]
"""Returns how an update has ended, as people read it."""


class Run(Protocol):
    """What a rollout sees of an update: of a module, or of a guest."""

    note: InstallNote
    turn: Turn
    result: InstallResult
    """What it ended as."""
    is_put_aside: bool
    """Whether it ended in the middle, for the next start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a rollout asks of an install."""

    rollout: str
    """Its id."""
    sha256: str
    """Of what is installed; an install of something else is not the rollout's."""
    priority: Priority
    ways: list[str] | None
    """The transports that may be used, None for all."""
    window: dict[str, Any] | None
    """One that has to be open beside the module's own."""
    gate: Callable[[], Reason | None]
    """Returns why it may not begin, although it is its turn."""
    on_end: Callable[[Run, Sentence], None]
    """Called when it has ended, or was put aside."""
    on_over: Callable[[bool], None]
    """Called with True when its turn is over, and with False when it goes on waiting."""

    def put_into(self, run: Run, sentence: Sentence) -> None:
        """Have it hold, after a restart as well."""
        turn = run.turn
        turn.priority, turn.gate, turn.on_over = self.priority, self.gate, self.on_over
        turn.on_leave = lambda: self.on_end(run, sentence)
        run.note["rollout"] = self.rollout
        if self.ways is not None:
            run.note["ways"] = self.ways
        if self.window is not None:
            run.note["window"] = self.window
