"""What a module says of itself, and whether it is there.

Here live announcements, pull headers, probes that change nothing, and why one stays silent.
Never here: images, or what follows from a fact.
"""

from .bell import Bell
from .datagram import DatagramSocket, catch_up
from .diagnosis import is_translated, why_silent, why_unreachable
from .discovery import (
    DEFAULT_PORTS,
    SERVICE_TYPE,
    WIFI_OTA_PORT,
    chip_from_board,
    chip_from_text,
    facts_from_announcement,
    family_from_port,
    format_mac,
)
from .probe import is_alive, is_listening, is_there
from .pull_request import PullMode, PullRequest
from .rhythm import Rhythm

__all__ = [
    "DEFAULT_PORTS",
    "SERVICE_TYPE",
    "WIFI_OTA_PORT",
    "Bell",
    "DatagramSocket",
    "PullMode",
    "PullRequest",
    "Rhythm",
    "catch_up",
    "chip_from_board",
    "chip_from_text",
    "facts_from_announcement",
    "family_from_port",
    "format_mac",
    "is_alive",
    "is_listening",
    "is_there",
    "is_translated",
    "why_silent",
    "why_unreachable",
]
