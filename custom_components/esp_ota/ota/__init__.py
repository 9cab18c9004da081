"""ESP OTA without Home Assistant: images, the gate, the pipeline and the transports."""

from .checks import ACCEPTABLE, RULES, Candidate, Check, CheckResult, SignatureState
from .discovery import (
    SERVICE_TYPE,
    WIFI_OTA_PORT,
    chip_from_board,
    facts_from_announcement,
    family_from_port,
)
from .exceptions import InstallRefused, LibraryError, OtaError, SafeStateError
from .gate import preflight
from .image import MAX_FILE_SIZE, read_image
from .install import Install, Limits, Ports, SafeState
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
from .packing import Packed, PackingAdvice, PackingReason, may_pack, pack, pack_for
from .probe import is_alive
from .transport.arduino_ota import ArduinoOtaPush, PushLimits
from .watch import ModuleWatch, WatchLimits

__all__ = [
    "ACCEPTABLE",
    "MAX_FILE_SIZE",
    "RULES",
    "SERVICE_TYPE",
    "WIFI_OTA_PORT",
    "ArduinoOtaPush",
    "Candidate",
    "Cause",
    "Check",
    "CheckResult",
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
    "Marker",
    "ModuleFacts",
    "ModuleWatch",
    "OtaError",
    "Packed",
    "PackingAdvice",
    "PackingReason",
    "Payload",
    "Ports",
    "PushLimits",
    "SafeState",
    "SafeStateError",
    "Sighting",
    "SignatureState",
    "Verdict",
    "WatchLimits",
    "chip_from_board",
    "facts_from_announcement",
    "family_from_port",
    "is_alive",
    "may_pack",
    "pack",
    "pack_for",
    "preflight",
    "read_image",
]
