"""What happened to a house's rollout and to all of its queue, as it was seen from outside."""

from dataclasses import dataclass, field
from typing import Any, Final

from .history import History
from .plan import HousePlan

ENDED: Final = {"done", "stopped", "cancelled"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that was said or done of the rollout or of the window."""

    at: float
    life: int
    name: str
    """`asked`; `pause`, `resume` or `cancel`, as the person asked for it and as `… answered`; what
    was told of the rollout, as `told …`; `on disk …`, where it stood when a life began; the
    window: `window open`, `window closed`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What Home Assistant had of the machine at a moment."""

    at: float
    pid: int
    memory: int
    """Bytes that are resident."""
    files: int
    """Open files and sockets."""


@dataclass(kw_only=True, slots=True)
class Story:
    """One house's."""

    plan: HousePlan
    runs: list[History] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    lives: list[tuple[float, float]] = field(default_factory=list)
    """When each life began and ended."""
    taken: list[Taken] = field(default_factory=list)
    """What each life had of the machine, since it had started."""
    error: str | None = None
    """Why no rollout was begun, the last time somebody asked for one."""
    note: dict[str, Any] | None = None
    """What is on disk of the rollout in the end."""
    report: dict[str, Any] | None = None
    """What `rollout_report` answers in the end."""

    def run_of(self, name: str) -> History:
        """Return the run of a module."""
        return next(run for run in self.runs if run.plan.name == name)

    @property
    def members(self) -> list[History]:
        """The runs of the modules that took part, in the order of the rollout."""
        return [self.run_of(item["module"]) for item in self.note["members"]] if self.note else []

    def times(self, *names: str) -> list[float]:
        """Return when something was said or done."""
        return [moment.at for moment in self.moments if moment.name in names]

    def life_at(self, at: float) -> int:
        """Return the number of the life in which a moment lies, or of the last before it."""
        begun = [number for number, (begin, _) in enumerate(self.lives) if begin <= at]
        return begun[-1] if begun else 0
