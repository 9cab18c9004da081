"""Files that are images, and files that are not, made from fixed seeds.

`python -m tests.corpus FOLDER` writes them to look at; `cases()` is what tests use.
"""

from .bad import BAD
from .case import Case
from .good import GOOD

__all__ = ["BAD", "GOOD", "Case", "cases"]


def cases() -> list[Case]:
    """Return all of them, the good ones first."""
    return [*GOOD, *BAD]
