"""ESP OTA without Home Assistant: images, the gate, the pipeline and the transports."""

from .discovery import (
    SERVICE_TYPE,
    WIFI_OTA_PORT,
    chip_from_board,
    facts_from_announcement,
    family_from_port,
)
from .exceptions import InstallRefused, LibraryError, OtaError, SafeStateError, SourceError
from .fetch import CallBudget, fetch, fetch_text, read_chunks
from .gate import Candidate, Check, preflight
from .github import parse_releases
from .image import MAX_FILE_SIZE, read_image
from .install import Install, Limits, Ports, SafeState
from .listing import Listed, Listing, chip_from_text
from .manifest import parse_manifest
from .models import (
    Cause,
    Chip,
    ChipFamily,
    Delivery,
    EvidenceSource,
    FilesystemType,
    FlashMode,
    Image,
    ImageKind,
    InstallProgress,
    InstallResult,
    InstallStage,
    Marker,
    ModuleFacts,
    Payload,
    Sighting,
    Verdict,
)
from .probe import is_alive
from .public_key import is_public_key
from .transport.arduino_ota import ArduinoOtaPush, PushLimits
from .watch import ModuleWatch, WatchLimits

__all__ = [
    "MAX_FILE_SIZE",
    "SERVICE_TYPE",
    "WIFI_OTA_PORT",
    "ArduinoOtaPush",
    "CallBudget",
    "Candidate",
    "Cause",
    "Check",
    "Chip",
    "ChipFamily",
    "Delivery",
    "EvidenceSource",
    "FilesystemType",
    "FlashMode",
    "Image",
    "ImageKind",
    "Install",
    "InstallProgress",
    "InstallRefused",
    "InstallResult",
    "InstallStage",
    "LibraryError",
    "Limits",
    "Listed",
    "Listing",
    "Marker",
    "ModuleFacts",
    "ModuleWatch",
    "OtaError",
    "Payload",
    "Ports",
    "PushLimits",
    "SafeState",
    "SafeStateError",
    "Sighting",
    "SourceError",
    "Verdict",
    "WatchLimits",
    "chip_from_board",
    "chip_from_text",
    "facts_from_announcement",
    "family_from_port",
    "fetch",
    "fetch_text",
    "is_alive",
    "is_public_key",
    "parse_manifest",
    "parse_releases",
    "preflight",
    "read_chunks",
    "read_image",
]
