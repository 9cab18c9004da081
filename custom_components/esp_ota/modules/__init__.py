"""One module each: what is known of it, who said so, and how its last install ended.

Here live the coordinator that all entities read, and the evidence a person named. Never here:
anything that changes a module or its equipment.
"""

from .coordinator import ModuleCoordinator
from .named_evidence import async_info_version
from .names import async_rename
from .outcome import Outcome, Press, async_outcome, async_tell
from .skipped import Skipped
from .withheld import withheld

__all__ = [
    "ModuleCoordinator",
    "Outcome",
    "Press",
    "Skipped",
    "async_info_version",
    "async_outcome",
    "async_rename",
    "async_tell",
    "withheld",
]
