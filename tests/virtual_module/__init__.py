"""Simulated ArduinoOTA modules that answer, fail and restart as the hardware does."""

from .chips import Chip, Family
from .config import Generation, ModuleConfig
from .events import Event, EventLog, Seen
from .faults import Fault, FaultPlan
from .http_config import HttpConfig, HttpDialect
from .http_module import HttpModule
from .images import build_filesystem, build_image, gzip_image
from .inspect_image import read_marker
from .module import VirtualModule
from .pull_config import PullConfig, PullMode
from .recorded import PULL_REQUESTS, RecordedRequest
from .sleeper import Sleeper

__all__ = [
    "PULL_REQUESTS",
    "Chip",
    "Event",
    "EventLog",
    "Family",
    "Fault",
    "FaultPlan",
    "Generation",
    "HttpConfig",
    "HttpDialect",
    "HttpModule",
    "ModuleConfig",
    "PullConfig",
    "PullMode",
    "RecordedRequest",
    "Seen",
    "Sleeper",
    "VirtualModule",
    "build_filesystem",
    "build_image",
    "gzip_image",
    "read_marker",
]
