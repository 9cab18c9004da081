"""Installs of one module: begun, carried through, ended, told, and picked up after a crash.

Here live what surrounds the pipeline of `ota/`: who may begin, the journal's notes, the way
back, the probation, the try of a safe state. Never here: bytes on a wire, or what is shown.
"""

from .asked import ASKED, Asked
from .installer import (
    ModuleConfigEntry,
    ModuleInstaller,
    ModuleRuntime,
    is_installing,
)
from .meeting import async_lent, async_meet, async_meet_by_address, async_renamed
from .noted import NotedRun
from .preparation import async_packing_advice
from .recovery import async_abandon
from .rehearsal import Rehearsal, async_rehearse
from .uses import Use, async_uses
from .waiting import async_blocked, expected_seconds, time_windows

__all__ = [
    "ASKED",
    "Asked",
    "ModuleConfigEntry",
    "ModuleInstaller",
    "ModuleRuntime",
    "NotedRun",
    "Rehearsal",
    "Use",
    "async_abandon",
    "async_blocked",
    "async_lent",
    "async_meet",
    "async_meet_by_address",
    "async_packing_advice",
    "async_rehearse",
    "async_renamed",
    "async_uses",
    "expected_seconds",
    "is_installing",
    "time_windows",
]
