"""What happened in one run, as it was seen from outside: plain values that checks look at."""

from dataclasses import dataclass, field
from typing import Any, Self

from .plan import ModulePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Something inside the module."""

    at: float
    """Seconds of the machine's monotonic clock, as everywhere here."""
    name: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What the valve was told, by the action that Home Assistant ran."""

    at: float
    position: str
    life: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What Home Assistant knew of the valve from then on; None while there was none of it."""

    at: float
    value: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What Home Assistant said that the update ended as."""

    at: float
    life: int
    verdict: str
    cause: str | None
    restore_error: str | None = None
    not_safe: str | None = None
    same_life: bool = True
    """Whether Update was pressed in the life that told it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pressed:
    """One press of Update."""

    at: float
    life: int
    again: bool
    """While another one ran."""
    answered: bool = False
    error: str | None = None
    """The key of the error that the caller got."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Died:
    """The end of a life that something went on after."""

    at: float
    life: int
    how: str
    point: str | None
    note: dict[str, Any] | None
    """What the journal on disk said of this module's install then."""

    @property
    def stage(self) -> str | None:
        """The stage that the journal knew."""
        return str(self.note["stage"]) if self.note else None

    @property
    def is_crash(self) -> bool:
        """Whether it was a `kill -9`."""
        return self.how != "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A named point of the queue that an install of the module came to."""

    at: float
    life: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Bytes of the image that the module had taken in by then."""

    at: float
    taken: int


@dataclass(kw_only=True, slots=True)
class History:
    """One run."""

    number: int
    plan: ModulePlan
    module: list[Seen] = field(default_factory=list)
    neighbour: list[Seen] = field(default_factory=list)
    """What happened inside the module that took over its address."""
    impostor: list[Seen] = field(default_factory=list)
    """What happened inside somebody who said to be the module."""
    moved_at: float | None = None
    """When it was moved, or somebody began to say so."""
    commands: list[Command] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    presses: list[Pressed] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    deaths: list[Died] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    """When an install was begun, had its turn, and gave it back."""
    in_rollout: bool = False
    """Whether a rollout updates it, which nobody presses, and which may begin it again."""
    world_was_late: float = 0.0
    """Seconds after which its valve heard of an order, at most: on a busy machine the torture's own
    process may be late, and then nobody lies who says that the valve did not move in time."""
    shares_valve: bool = False
    """Whether another module switches the same valve."""
    cancels: list[float] = field(default_factory=list)
    reloads: list[float] = field(default_factory=list)
    valve_ends: str = "open"
    """Where the valve really stands at the end."""
    left_open: dict[str, Any] | None = None
    """What the journal says of it at the end."""
    card: dict[str, Any] | None = None
    """What the card shows at the end."""
    ended_in_time: bool = True
    image_size: int = 0
    version_at_end: str | None = None
    """What the module runs when everything has settled; None when it is off or a brick."""

    def times(self, *names: str) -> list[float]:
        """Return when something happened inside the module."""
        return [seen.at for seen in self.module if seen.name in names]

    def marked(self, *names: str) -> list[Mark]:
        """Return when its installs came to a point of the queue."""
        return [mark for mark in self.marks if mark.name in names]

    @property
    def installs(self) -> int:
        """How many installs there were at most; only a rollout may begin another one."""
        return max(1, len(self.marked("begun"))) if self.in_rollout else 1

    def running_at(self, at: float) -> str | None:
        """Return the version that the module ran then, None while it ran none."""
        version: str | None = None
        for seen in self.module:
            if seen.at > at:
                break
            if seen.name in {"up", "booted"}:
                version = seen.details.get("version")
            elif seen.name in {"restarted", "died", "bricked", "asleep"}:
                version = None
        return version

    def ran_within(self, begin: float, end: float) -> set[str | None]:
        """Return all versions that ran at some moment of this time."""
        changes = [seen.at for seen in self.module if begin < seen.at <= end]
        return {self.running_at(at) for at in (begin, *changes, end)}

    def shown_at(self, at: float) -> str | None:
        """Return what Home Assistant knew of the valve then."""
        value = None
        for shown in self.shown:
            if shown.at > at:
                break
            value = shown.value
        return value

    def held_all(self, begin: float, end: float) -> set[str | None]:
        """Return all that Home Assistant knew of the valve within this time."""
        return {self.shown_at(begin)} | {
            shown.value for shown in self.shown if begin < shown.at <= end
        }

    @classmethod
    def begun(cls, number: int, plan: ModulePlan) -> Self:
        """Return a run of which nothing is known yet."""
        return cls(number=number, plan=plan)
