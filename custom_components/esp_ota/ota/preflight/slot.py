"""How large a sketch a module takes: who said so, and whom to believe.

ArduinoOTA never tells the free space. Pull headers and TXT records do; else it is read from a
partition table, typed in, or concluded from what the module refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from ..causes import Cause
from ..models import ChipFamily
from .packing import SECTOR


class SlotSource(StrEnum):
    """Who said how large the slot is; the value is its name in stores and diagnostics."""

    __hash__ = str.__hash__  # `Enum` hashes its name in Python, and these are keys

    PULL = "pull"
    TXT = "txt"
    TYPED = "typed"
    MERGED = "merged"
    """Partition table of a merged image of the same firmware."""
    REFUSAL = "refusal"
    """An image that the module refused: the slot is smaller than that."""


SLOT_REFUSALS: Final = frozenset({Cause.NO_SPACE, Cause.BAD_SIZE})
"""What a module says to a sketch that is larger than its slot; ESP32 cores call it bad."""
_STATED: Final = frozenset({SlotSource.PULL, SlotSource.TXT})


@dataclass(kw_only=True, slots=True)
class SlotKnowledge:
    """One statement about the slot."""

    size: int
    """Bytes a sketch may have at most."""
    source: SlotSource
    at: float
    """When it was said last: seconds since the epoch, so that it can be kept."""
    sketch_size: int | None = None
    """Of the running sketch, where the same statement tells it: only together they say where
    an ESP8266's file system begins."""

    @property
    def stated(self) -> bool:
        """Whether the running sketch itself said so, so that it can be calculated with."""
        return self.source in _STATED

    @classmethod
    def from_refusal(cls, image_size: int, family: ChipFamily | None, at: float) -> Self:
        """Conclude what a refused image leaves: an ESP8266 counts in sectors, others in bytes."""
        size = image_size - 1
        if family is ChipFamily.ESP8266:
            size -= size % SECTOR
        return cls(size=max(size, 0), source=SlotSource.REFUSAL, at=at)

    @classmethod
    def from_stored(cls, stored: Any) -> Self | None:
        """Return what was stored, None where it is not understood."""
        try:
            return cls(
                size=int(stored["size"]),
                source=SlotSource(stored["source"]),
                at=float(stored["at"]),
            )
        except KeyError, TypeError, ValueError:
            return None


def believed(statements: Iterable[SlotKnowledge]) -> SlotKnowledge | None:
    """Return the statement to believe.

    What runs knows best, the newest of it. Then the person, who must be able to correct what was
    concluded; a try that the module refuses costs nothing. A refusal counts where nobody said
    anything, and where it came after a statement and contradicts it.
    """
    newest = {item.source: item for item in sorted(statements, key=lambda item: item.at)}
    stated = [item for item in newest.values() if item.stated]
    best = max(stated, key=lambda item: item.at, default=None)
    if best is None and (typed := newest.get(SlotSource.TYPED)):
        return typed
    best = best or newest.get(SlotSource.MERGED)
    refusal = newest.get(SlotSource.REFUSAL)
    if refusal and (best is None or (refusal.at > best.at and refusal.size < best.size)):
        return refusal
    return best


def outlives_sketch(knowledge: SlotKnowledge, family: ChipFamily | None) -> bool:
    """Whether a statement still holds once another sketch runs: an ESP32's slots are fixed.

    The others stage in what the running sketch, or its files, leave free.
    """
    concluded = knowledge.stated or knowledge.source is SlotSource.REFUSAL
    return family is ChipFamily.ESP32 or not concluded
