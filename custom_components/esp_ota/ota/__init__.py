"""ESP OTA without Home Assistant: images, the gate, the pipeline and the transports."""

from .discovery import (
    SERVICE_TYPE,
    WIFI_OTA_PORT,
    chip_from_board,
    facts_from_announcement,
    family_from_port,
)
from .exceptions import InstallRefused, LibraryError, OtaError, SafeStateError, SignatureError
from .gate import Candidate, Check, preflight
from .image import MAX_FILE_SIZE, read_image, read_slots
from .install import Install, Limits, Ports, SafeState
from .models import (
    AppDescriptor,
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
    Slot,
    Verdict,
)
from .probe import is_alive
from .signature import read_public_key, verify_signature
from .transport.arduino_ota import ArduinoOtaPush, PushLimits
from .watch import ModuleWatch, WatchLimits

__all__ = [
    "MAX_FILE_SIZE",
    "SERVICE_TYPE",
    "WIFI_OTA_PORT",
    "AppDescriptor",
    "ArduinoOtaPush",
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
    "SignatureError",
    "Slot",
    "Verdict",
    "WatchLimits",
    "chip_from_board",
    "facts_from_announcement",
    "family_from_port",
    "is_alive",
    "preflight",
    "read_image",
    "read_public_key",
    "read_slots",
    "verify_signature",
]
