"""One module each: what is known of it, who said so, and how its last install ended.

Here live the coordinator that all entities read, and the evidence a person named. Never here:
anything that changes a module or its equipment.
"""

from .coordinator import ModuleCoordinator
from .device import async_settle_identity, identity_of, page_of
from .named_evidence import async_info_version
from .names import async_rename
from .outcome import Outcome, Press, async_outcome, async_tell
from .skipped import Skipped
from .state import ModuleState
from .withheld import withheld

__all__ = [
    "ModuleCoordinator",
    "ModuleState",
    "Outcome",
    "Press",
    "Skipped",
    "async_info_version",
    "async_outcome",
    "async_rename",
    "async_settle_identity",
    "async_tell",
    "identity_of",
    "page_of",
    "withheld",
]
