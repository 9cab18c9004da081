"""What tells whether equipment was restored: conditions, or what it was before."""

from typing import Protocol

from .watched import Watched


class ReadBack(Protocol):
    """Either of both."""

    @property
    def rests_on(self) -> set[str]:
        """The entities that tell."""

    def unmet(self) -> list[str]:
        """Return what is not as it should be, for the person."""


def is_met(tells: ReadBack) -> bool:
    """Whether all is as it should be right now."""
    return tells.are_true() if isinstance(tells, Watched) else not tells.unmet()
