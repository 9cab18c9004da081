"""What a seed decides before anything runs: modules, their faults, valves, presses, and deaths."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

OLD, NEW = "1.0.0", "1.1.0"
PUSH, PULL, UPLOAD = "arduino_ota", "http_pull", "http_upload"
GUEST: Final = "guest"
"""The door of a module that another integration updates."""
PER_HOUSE: Final = 6
PER_REAL_HOUSE: Final = 4
"""Fewer: each house has deaths of its own, and a real run takes longer."""

WAITS: Final = {
    "answer": 0.8,
    "auth_answer": 2.0,
    "callback": 1.2,
    "stall": 1.2,
    "result": 0.8,
    "restart": 0.5,
    "retry_pause": 0.2,
    "watch_interval": 0.05,
    "request": 1.0,
    "offer": 3.0,
    "hold": 2.5,
    "go": 1.5,
    "back": 6.5,
    "evidence": 6.5,
    "evidence_unlikely": 0.4,
    "again": 1.5,
    "minute": 0.4,
    "breath": 1.4,
    "doubt": 1.8,
    "pause": 0.4,
    "look_again": 0.3,
    "invitation": 8.0,
    "spare": 8.0,
    "slowest": 16 * 1024.0,
    "guest_quiet": 4.0,
    "guest_in_progress": 5.0,
    "guest_failed": 1.0,
    "guest_all": 20.0,
}
"""Seconds that Home Assistant waits in a torture; a real one is more patient (`house.Patience`).

`slowest` are bytes a second: with `spare`, an image of 64 KiB may take 12 s.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mood:
    """A while in which a valve's entity says something of its own."""

    after: float
    """Seconds since the valve was last told to close."""
    seconds: float
    says: str
    """`unavailable`, `unknown`, or a position that is a lie."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValvePlan:
    """How one valve behaves."""

    lag: float = 0.05
    """Seconds from the command to the movement's end."""
    report: float = 0.02
    """Seconds until Home Assistant is told of it."""
    answers_at_once: bool = True
    """The action returns before the valve has moved, as most do."""
    jams: tuple[str, ...] = ()
    """Positions it does not reach."""
    refuses: tuple[str, ...] = ()
    """Positions whose action raises."""
    hangs: tuple[str, ...] = ()
    """Positions whose action never returns."""
    moods: tuple[Mood, ...] = ()
    late_after_start: float = 0.0
    """Seconds for which its entity is unavailable after each start of Home Assistant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A power cut after which the router lends the module another address."""

    point: str
    """Where the update is then."""
    swaps: bool
    """Whether a neighbour that takes any image gets the old one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Impostor:
    """Somebody who says to be the module, at an address of its own, and takes whatever comes."""

    point: str
    """Where the update is when it begins to."""
    kind: str
    """`mac`: with its MAC; `name`: with its name alone; `goodbye`: after a goodbye in its name;
    `swap`: with its MAC, and it says that another module has the address of the real one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sleep:
    """A module that is away most of the time; what it is doing keeps it awake."""

    asleep: float
    """Seconds of each sleep."""
    awake: float
    """Seconds for which it can be asked then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestPlan:
    """How the integration of a guest updates it."""

    blocks: bool
    """Whether its call ends when all is over only."""
    is_sent: bool
    """Whether Home Assistant itself sends the image, so that its death tears that in two."""
    seconds: float
    """For which it says to be in progress."""
    away: float
    """For which it restarts then."""
    late_after_start: float = 0.0
    """Seconds for which its entity is unavailable after each start of Home Assistant."""
    fault: str | None = None
    """`raises`, `refuses`, `does_nothing`, `never_ends`, `stays_away`, `other_version`, or
    `raises_late`: an error at the end, although it was updated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModulePlan:
    """One run: a module, its valve, and what the person does."""

    name: str
    door: str
    config: Mapping[str, Any]
    """For the virtual module."""
    dialect: str | None
    faults: Mapping[str, int | None]
    valve: ValvePlan
    options: Mapping[str, Any]
    """Of its config entry."""
    press_at: float
    again_after: float | None = None
    """Seconds until the second press, which must be refused."""
    cancel_after: float | None = None
    reload_after: float | None = None
    moves: Move | None = None
    impostor: Impostor | None = None
    evil: str | None = None
    """What it does that no sketch does, one of `evil.KINDS` for its door."""
    sleep: Sleep | None = None
    area: str | None = None
    """Of the modules of an area one is updated at a time."""
    guest: GuestPlan | None = None
    shares: str | None = None
    """Whose valve it switches besides that one; its plan of the valve is the same."""

    @property
    def valve_name(self) -> str:
        """The name of the valve that it switches."""
        return self.shares or self.name

    @property
    def firmware(self) -> str:
        """The name of its firmware."""
        return f"valve-{self.config['chip']}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """How one life of Home Assistant ends, if nothing is done before."""

    kind: str
    """`point`, `random` or `stop`."""
    point: str | None = None
    module: str | None = None
    nth: int = 1
    after: float = 0.0
    """Seconds after the first press, of later lives after their beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Full:
    """A while in which the disk takes no store of ours."""

    after: float
    """Seconds after the first press."""
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutPlan:
    """One firmware for some modules of the house, and what the person does to it."""

    members: tuple[str, ...]
    canaries: int
    soak: float
    """Seconds after the canaries."""
    waves: tuple[str, ...]
    pause: float
    """Seconds after each wave."""
    stop: str
    """More failures than this end it."""
    start_at: float
    opens_in: float | None = None
    """Seconds from its start until its window opens."""
    pause_after: float | None = None
    """Seconds from its start until the person pauses it; it is resumed by `resume_after`."""
    resume_after: float = 1.0
    cancel_after: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HousePlan:
    """One house: some modules at once, and the deaths of its Home Assistant."""

    seed: str
    number: int
    modules: tuple[ModulePlan, ...]
    deaths: tuple[Death, ...]
    parallel: int
    release_after: float | None = None
    """Seconds until a release is uploaded beside all this."""
    full: tuple[Full, ...] = ()
    """Only in a house that nobody kills: what is not on disk then, the next life cannot know."""
    rollout: RolloutPlan | None = None
    opens_at: tuple[float, ...] = ()
    """Seconds after the first press at which the window of the house opens, closes, opens …; it
    stays open in the end. Without any there is no window."""
    waits: Mapping[str, float] = field(default_factory=lambda: dict(WAITS))

    @property
    def members(self) -> tuple[str, ...]:
        """The modules that are updated by the rollout, which nobody presses."""
        return self.rollout.members if self.rollout else ()

    def told(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)
