"""A module that another integration updates: what proves its update, and how long that is awaited.

Here live the steps around an update that somebody else carries out. Never here: how it is carried
out, or anything that is sent to a module.
"""

from .proof import GuestLimits, GuestState, is_offered, keeps_from
from .step import GuestPorts, GuestStep

__all__ = [
    "GuestLimits",
    "GuestPorts",
    "GuestState",
    "GuestStep",
    "is_offered",
    "keeps_from",
]
