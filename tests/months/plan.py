"""What a seed decides before anything runs: the modules of a house and its calendar."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, override
from zoneinfo import ZoneInfo

from tests.e2e.garden import Equipment
from tests.virtual_module import Chip

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
FIRST: Final = "1.0.0"
"""What runs on every module when it is switched on for the first time."""
ZONE: Final = "Africa/Casablanca"
"""Its clocks go back and forward within five weeks: on 15 February at three, on 22 March at two."""

ANNOUNCES, PULLS, PAGE, SILENT = "announces", "pulls", "page", "silent"
"""How a module is heard: by mDNS, by its requests, or not at all (with a page, or without)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModulePlan:
    """One module."""

    name: str
    """Its host name at first, and the name of its firmware."""
    number: int
    """Of its address and of its MAC."""
    way: str
    chip: Chip = Chip.ESP8266
    password: str | None = None
    says: bool = True
    """Whether its announcement says what it runs."""
    says_mac: bool = True
    interval: float = 5 * MINUTE
    """Between two requests of one that pulls."""
    sleeps: bool = False
    equipment: Equipment | None = None
    night: str | None = None
    """The time of its automation."""
    fails: bool = False
    """Whether each transfer to it fails, after it has taken all."""
    source: str = "folder"
    """Where its releases come from: `folder`, `list` or `build`."""
    added_after: float = 0.0
    """Seconds from the start until a person adds it."""

    @property
    def host(self) -> str:
        """Its address at first."""
        return f"127.0.0.{10 + self.number}"

    @property
    def mac(self) -> str:
        """Its MAC."""
        return f"5c:cf:7f:00:00:{10 + self.number:02x}"

    @property
    def shown_as(self) -> str:
        """What Home Assistant calls it when it is discovered."""
        if self.way != PULLS:
            return self.name
        return f"esp8266-{self.mac.replace(':', '')[6:]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """Something that happens."""

    at: float
    """Seconds from the start."""
    kind: str
    """A method of `acts.Acts`."""
    module: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        """Say it in a line of the calendar."""
        more = " ".join(f"{key}={value}" for key, value in self.details.items())
        return " ".join(filter(None, (self.kind, self.module, more)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One house."""

    seed: str
    days: float
    start: datetime
    modules: tuple[ModulePlan, ...]
    acts: tuple[Act, ...]

    @property
    def begins(self) -> float:
        """When it starts, in seconds since 1970."""
        return self.start.astimezone(UTC).timestamp()

    @property
    def ends(self) -> float:
        """When it is over, in seconds since 1970."""
        return self.begins + self.days * DAY


def clock_text(at: float) -> str:
    """Return a moment as the clocks of the house show it."""
    return datetime.fromtimestamp(at, ZoneInfo(ZONE)).strftime("%m-%d %H:%M:%S%z")
