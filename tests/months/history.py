"""What happened in a house, as it was seen from outside: plain values that checks look at."""

from dataclasses import asdict, dataclass, field
import json
from pathlib import Path
from typing import Any

from .plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """Something inside a module."""

    at: float
    """Seconds since 1970 on the house's clock, as everywhere here."""
    module: str
    event: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One module at one moment: what is true, and what Home Assistant shows."""

    at: float
    module: str
    there_since: float | None
    """Since when it could be reached; None while it could not."""
    gone_at: float | None
    last_asked: float | None
    """When a module that pulls asked last."""
    runs: str | None
    added_at: float | None
    """When it was added; None while Home Assistant only knows it as discovered, or not."""
    home_since: float
    """Since when this Home Assistant runs."""
    installed: str | None = None
    """What its card shows as installed; None when there is no card."""
    latest: str | None = None
    busy: bool = False
    """Whether an install of it runs."""
    reachable: str | None = None
    last_seen: float | None = None
    verdict: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """Somebody asks for an update: a person, or an automation."""

    at: float
    module: str
    by: str
    version: str | None = None
    """What was asked for, None for the newest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What Home Assistant told that an install ended as."""

    at: float
    module: str
    verdict: str
    cause: str | None
    version: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What Home Assistant takes, once a day."""

    at: float
    entries: int
    """Modules that were added then."""
    values: dict[str, float]
    """By name: memory, tasks, timers, listeners, sockets, files."""
    storage: int
    """Bytes of ESP OTA in `.storage`."""
    releases: int
    """In the library."""
    rows: dict[str, float]
    """A day, that the recorder has written of each module lately."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Something that a person set up, and what was found of it later."""

    at: float
    what: str
    wanted: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the log."""

    at: float
    level: str
    logger: str
    text: str


@dataclass(kw_only=True, slots=True)
class History:
    """One house."""

    plan: Plan
    happened: list[Happened] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    released: list[tuple[float, str]] = field(default_factory=list)
    """When which version of all firmware came out."""
    skipped: list[tuple[float, str, str]] = field(default_factory=list)
    """When which module's person has skipped which version."""
    added: list[tuple[float, str]] = field(default_factory=list)
    """When a person added which module."""
    cut_off: list[tuple[float, float]] = field(default_factory=list)
    """From when to when there was no network."""
    presses: list[Press] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    equipment: list[tuple[float, str, str | None, str]] = field(default_factory=list)
    """When it was looked at, which, its state, and the state it works in."""
    said: list[Said] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Acts that could not be played."""
    ended_at: float = 0.0


def write(run: History, path: Path) -> None:
    """Keep all of it, a line each, to look at."""
    with path.open("w") as file:
        for kind in ("happened", "looks", "presses", "ended", "figures", "kept"):
            for item in getattr(run, kind):
                file.write(json.dumps({"kind": kind, **asdict(item)}, default=str) + "\n")
