"""The rules that hold for a house after its days, each judged from outside by what was written down.

Each check yields what speaks against its rule; its name is what a violation is called.
"""

from collections.abc import Callable, Iterator
from typing import Final

from .history import History
from .truth import nothing_is_untrue_for_long

type Check = Callable[[History], Iterator[str]]

CHECKS: Final[tuple[Check, ...]] = (nothing_is_untrue_for_long,)


def violations(run: History) -> list[str]:
    """Return all that speaks against any rule."""
    return [
        f"{check.__name__.replace('_', ' ')}: {complaint}"
        for check in CHECKS
        for complaint in check(run)
    ]
