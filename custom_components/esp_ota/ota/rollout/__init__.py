"""A rollout: canaries first, then waves, and an end as soon as too many fail.

Here live its order, its forecast and its run, which all ask one function what comes next. Never
here: what an update is, where anything is written down, or who is told.
"""

from .course import (
    AllEnded,
    MemberState,
    Share,
    Stop,
    Terms,
    next_step,
    wave_of,
    waves_of,
)
from .forecast import NEVER, Foreseen, Member, foresee, priority_in
from .run import RolloutPorts, RolloutRun

__all__ = [
    "NEVER",
    "AllEnded",
    "Foreseen",
    "Member",
    "MemberState",
    "RolloutPorts",
    "RolloutRun",
    "Share",
    "Stop",
    "Terms",
    "foresee",
    "next_step",
    "priority_in",
    "wave_of",
    "waves_of",
]
