"""The one way of an install: check, queue, make safe, send, restart, verify, restore.

Here live its stages, what it needs from outside, and what it ends as. Never here: a concrete
transport, or Home Assistant; both are handed in.
"""

from .carry import carry_through
from .pipeline import Pipeline
from .ports import Limits, Part, Ports, SafeState, Turn
from .restoring import Restoring, restore
from .verdicts import goes_back, leaves_open

__all__ = [
    "Limits",
    "Part",
    "Pipeline",
    "Ports",
    "Restoring",
    "SafeState",
    "Turn",
    "carry_through",
    "goes_back",
    "leaves_open",
    "restore",
]
