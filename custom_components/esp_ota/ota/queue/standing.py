"""The words of a queue: who goes first, and what is waited for."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Who goes before whom; among equals who came first."""

    OPEN = 0
    """Its module has the image already: Home Assistant died meanwhile."""
    ROLLBACK = 1
    CANARY = 2
    PRESS = 3
    """One person pressed."""
    REST = 4
    """Automations, and rollouts behind their canaries."""


class Waits(StrEnum):
    """What an install in the queue waits for."""

    CHECK = "check"
    """Its images are looked at, and whether the module is there."""
    TURN = "turn"
    """Others run, as many as may at once."""
    GROUP = "group"
    """Another one of its group runs."""
    EQUIPMENT = "equipment"
    """Another one runs, or is not restored yet, that rests on the same equipment."""
    WINDOW = "window"
    SIGN_OF_LIFE = "sign_of_life"
    CONDITION = "condition"
    """Something forbids it now."""
    PAUSE = "pause"
    """The module did not answer; it is asked again after a while."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """What is waited for, with the name of it where it has one."""

    why: Waits
    what: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where an install stands in the queue: its place, counted from 1, and why it waits."""

    place: int
    reason: Reason
