"""What all modules share while Home Assistant runs: the house, its journal, its queue, its ears.

Here live the one `House` of a Home Assistant, the journal on disk, the queue of all installs, mDNS
announcements and the polls of modules. Never here: one module's state, or one install's steps.
"""

from .announcements import Announcements, Claim
from .history import Past
from .house import HOUSE, House, async_make_house_entry
from .install_note import InstallNote, restored_result, stored_result
from .journal import Failure, JournalError
from .memory import Ended, Remembered
from .newcomers import async_newcomers
from .pace import Pace
from .pollers import new_secret
from .queue import Queue
from .roster import free_unique_id, may_have_mac, owner_of_mac

__all__ = [
    "HOUSE",
    "Announcements",
    "Claim",
    "Ended",
    "Failure",
    "House",
    "InstallNote",
    "JournalError",
    "Pace",
    "Past",
    "Queue",
    "Remembered",
    "async_make_house_entry",
    "async_newcomers",
    "free_unique_id",
    "may_have_mac",
    "new_secret",
    "owner_of_mac",
    "restored_result",
    "stored_result",
]
