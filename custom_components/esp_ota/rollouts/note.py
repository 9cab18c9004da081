"""What is kept of a rollout: who takes part, on which terms, and how far it has come."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NotRequired, TypedDict, cast

from ..ota import MemberState, Share, Terms
from ..stored import fits


class RolloutState(StrEnum):
    """Where a rollout stands."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    """Too many failed."""
    CANCELLED = "cancelled"


_MOST: Final = 1_000_000
"""Nobody has more modules."""
OPEN: Final = {RolloutState.PLANNED, RolloutState.RUNNING, RolloutState.PAUSED}


class MemberNote(TypedDict):
    """One module of a rollout."""

    entry_id: str
    module: str
    sha256: str
    version: str
    before: str | None
    state: str
    cause: NotRequired[str | None]
    sentence: NotRequired[str]
    """How its update ended, as the person reads it."""
    seconds: NotRequired[int]


class LeftOut(TypedDict):
    """One module that takes no part, and why."""

    module: str
    reason: str
    sentence: str


class TermsNote(TypedDict):
    """`Terms` as they are stored; seconds, and numbers or percents as text."""

    canaries: int
    soak: float
    waves: list[str]
    pause: float
    stop: str


class RolloutNote(TypedDict):
    """One rollout."""

    id: str
    state: str
    firmware: str
    version: str
    """As it was asked for: a version, or `newest`."""
    chosen: bool
    """Whether a version was named, which may be an older one."""
    user: str | None
    began: str
    ended: str | None
    is_told: NotRequired[bool]
    """Whether its end was told; missing where nobody noted that."""
    terms: TermsNote
    ways: list[str] | None
    """The transports that may be used, None for all."""
    window: dict[str, Any] | None
    """`start`, `end` and `days`, as the queue has it; None for none."""
    members: list[MemberNote]
    left_out: list[LeftOut]
    rests: int
    rest_ends: float | None


def share_of(text: str) -> Share:
    """Return a share from `3` or `25%`; raises ValueError for all else."""
    number = float(text.removesuffix("%"))
    if not 0 <= number <= _MOST:
        raise ValueError(text)
    return Share(amount=number, is_percent=text.endswith("%"))


def terms_of(stored: TermsNote) -> Terms:
    """Return the terms of a rollout; raises ValueError for what cannot be read."""
    return Terms(
        canaries=stored["canaries"],
        soak=float(stored["soak"]),
        waves=tuple(share_of(text) for text in stored["waves"]),
        pause=float(stored["pause"]),
        stop=share_of(stored["stop"]),
    )


def states_of(note: RolloutNote) -> list[MemberState]:
    """Return how each member stands."""
    return [MemberState(member["state"]) for member in note["members"]]


def readable(item: Any) -> RolloutNote | None:
    """Return a stored rollout, None for what makes no sense."""
    if not fits(item, RolloutNote):
        return None
    note = cast("RolloutNote", item)
    try:
        terms_of(note["terms"])
        states_of(note)
        RolloutState(note["state"])
    except ValueError, OverflowError:
        return None
    return note


def counts(members: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many members stand where."""
    return {str(state): sum(m["state"] == state for m in members) for state in MemberState}
