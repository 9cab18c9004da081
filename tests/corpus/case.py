"""What a file of the corpus is, and the small changes that make one of another."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One file; it is made only when somebody wants it."""

    name: str
    make: Callable[[], bytes]
    problem: str | None = None
    """The slug it must be refused with, None for a good one."""
    kind: str | None = None
    chip: str | None = None

    @property
    def file(self) -> str:
        """A file name that says nothing about firmware, version and kind."""
        return f"{self.name.replace(' ', '_')}.case.bin"


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Return a copy with some bytes exchanged; `at` may count from the end."""
    at %= len(data)
    return data[:at] + new + data[at + len(new) :]


def flipped(data: bytes, at: int) -> bytes:
    """Return a copy with one bit turned."""
    at %= len(data)
    return patched(data, at, bytes([data[at] ^ 0x10]))
