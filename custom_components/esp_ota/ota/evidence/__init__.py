"""What is heard of a module, and what it proves.

Here live statements by source and strength, the watch over a restart, and the judgement of an
install. Never here: how a module is asked, except by a probe that is handed in.
"""

from .info_page import (
    SIZE_LIMIT as INFO_SIZE_LIMIT,
    is_another_board,
    is_json_path,
    mac_from,
    version_from,
    with_own_host,
)
from .judgement import judge
from .statements import Statements
from .watch import ModuleWatch, PollWatch, WatchLimits

__all__ = [
    "INFO_SIZE_LIMIT",
    "ModuleWatch",
    "PollWatch",
    "Statements",
    "WatchLimits",
    "is_another_board",
    "is_json_path",
    "judge",
    "mac_from",
    "version_from",
    "with_own_host",
]
