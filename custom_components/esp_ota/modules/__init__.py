"""One module each: what is known of it, who said so, and how its last install ended.

Here live the coordinator that all entities read, and the evidence a person named. Never here:
anything that changes a module or its equipment.
"""

from .bounds import async_set_bound, shown_bounds, stored_bound
from .coordinator import ModuleCoordinator
from .device import async_settle_identity, identity_of, is_usable, page_of
from .files import offered_files, releases_of_files
from .named_evidence import async_info_version
from .names import async_rename
from .outcome import Outcome, Press, async_outcome, async_tell
from .skipped import Skipped
from .state import ModuleState
from .withheld import not_offered, withheld

__all__ = [
    "ModuleCoordinator",
    "ModuleState",
    "Outcome",
    "Press",
    "Skipped",
    "async_info_version",
    "async_outcome",
    "async_rename",
    "async_set_bound",
    "async_settle_identity",
    "async_tell",
    "identity_of",
    "is_usable",
    "not_offered",
    "offered_files",
    "page_of",
    "releases_of_files",
    "shown_bounds",
    "stored_bound",
    "withheld",
]
