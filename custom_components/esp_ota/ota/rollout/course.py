"""What a rollout does next: the one function that its plan and its run both ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

CANARIES: Final = 0
"""The number of the wave of the canaries."""


class MemberState(StrEnum):
    """Where one module of a rollout stands."""

    WAITS = "waits"
    BEGUN = "begun"
    """In the queue, or being updated."""
    UPDATED = "updated"
    FAILED = "failed"
    """Its equipment was touched, or it got an image, and it did not end well."""
    REFUSED = "refused"
    """Nothing was done to it: it is away, something forbids it, the image is not its."""
    CANCELLED = "cancelled"
    """Somebody ended its update."""


PASSED_BY: Final = {MemberState.REFUSED, MemberState.CANCELLED}
"""They prove nothing of an image; another one has to be the canary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A number of modules, or a part of all of them."""

    amount: float
    is_percent: bool = False

    def of(self, count: int) -> float:
        """Return how many that are of so many."""
        return self.amount * count / 100 if self.is_percent else self.amount


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How a rollout goes on, and when it stops."""

    canaries: int = 1
    """Modules that must have been updated before any other begins; one at least."""
    soak: float = 0.0
    """Seconds after the canaries."""
    waves: tuple[Share, ...] = ()
    """The sizes of the waves behind the canaries, the last one again and again; none: all."""
    pause: float = 0.0
    """Seconds after each wave."""
    stop: Share = Share(amount=0)
    """More failures than this end it; a canary that fails ends it in any case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begin:
    """Have these begin, in this order (indices)."""

    wave: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait until one of those that have begun has ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """A wave has ended; wait so many seconds, then count one rest more."""

    wave: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Too many failed: nothing begins any more."""

    is_canary: bool


@dataclass(frozen=True, slots=True)
class AllEnded:
    """Nothing is left to begin."""


type Step = Begin | WaitFor | Rest | Stop | AllEnded


def waves_of(terms: Terms, states: Sequence[MemberState]) -> list[range]:
    """Return which members belong to each wave, the canaries first.

    The canaries are as many in front as it takes until enough of them count.
    """
    count, wanted = len(states), max(1, terms.canaries)
    end = counted = 0
    while end < count and counted < wanted:
        counted += states[end] not in PASSED_BY
        end += 1
    found, sizes = [range(end)], list(terms.waves)
    while end < count:
        size = count if not sizes else max(1, ceil(sizes[0].of(count)))
        if len(sizes) > 1:
            sizes.pop(0)
        found.append(range(end, min(end + size, count)))
        end += size
    return found


def wave_of(terms: Terms, states: Sequence[MemberState], index: int) -> int:
    """Return the wave of a member."""
    return next(n for n, wave in enumerate(waves_of(terms, states)) if index in wave)


def next_step(terms: Terms, states: Sequence[MemberState], rests: int) -> Step:
    """Return what comes next, from how each member stands and how many rests there were."""
    waves = waves_of(terms, states)
    failed = [index for index, state in enumerate(states) if state is MemberState.FAILED]
    if any(index in waves[CANARIES] for index in failed):
        return Stop(is_canary=True)
    if len(failed) > terms.stop.of(len(states)):
        return Stop(is_canary=False)
    for number, wave in enumerate(waves):
        waiting = tuple(index for index in wave if states[index] is MemberState.WAITS)
        if waiting and number > rests:
            seconds = terms.soak if number - 1 == CANARIES else terms.pause
            return Rest(wave=number - 1, seconds=seconds)
        if waiting:
            return Begin(wave=number, members=waiting)
        if any(states[index] is MemberState.BEGUN for index in wave):
            return WaitFor()
    return AllEnded()
