"""ESP OTA without Home Assistant: images, the gate, the pipeline and the transports."""

from .carry import (
    carry_through,
)
from .causes import (
    Cause,
)
from .checks import (
    ACCEPTABLE,
    RULES,
    Candidate,
    Check,
    CheckResult,
    SignatureState,
)
from .discovery import (
    DEFAULT_PORTS,
    SERVICE_TYPE,
    WIFI_OTA_PORT,
    chip_from_board,
    chip_from_text,
    facts_from_announcement,
    family_from_port,
)
from .ending import (
    goes_back,
)
from .exceptions import (
    InstallRefused,
    LibraryError,
    OtaError,
    SafeStateError,
    SignatureError,
    SourceError,
    VerifyError,
)
from .fetch import (
    Account,
    CallBudget,
    Text,
    fetch_text,
    open_url,
    read_chunks,
)
from .gate import (
    preflight,
)
from .github import (
    parse_releases,
)
from .image import (
    MAX_FILE_SIZE,
    read_image,
    read_marker,
    read_slots,
)
from .info_page import (
    SIZE_LIMIT as INFO_SIZE_LIMIT,
    is_json_path,
    version_from,
)
from .install import (
    Install,
)
from .knowledge import (
    ModuleKnowledge,
)
from .listing import (
    Listed,
    Listing,
    web_address,
)
from .manifest import (
    parse_manifest,
)
from .models import (
    AppDescriptor,
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
from .packing import (
    Packed,
    PackingAdvice,
    PackingReason,
    may_pack,
    pack,
    pack_for,
)
from .ports import (
    Limits,
    Part,
    Ports,
    SafeState,
)
from .probe import (
    is_alive,
    is_listening,
)
from .pull_request import (
    PullMode,
    PullRequest,
)
from .signature import (
    read_public_key,
    verify_signature,
)
from .slot import (
    SlotKnowledge,
    SlotSource,
)
from .statements import (
    Statements,
)
from .transport import (
    Transport,
)
from .transport.arduino_ota import (
    ArduinoOtaPush,
    PushLimits,
)
from .transport.http_pull import (
    Download,
    HttpPull,
    PullDesk,
    PullLimits,
)
from .transport.http_upload import (
    HttpUpload,
    UploadDialect,
    UploadLimits,
    recognise,
)
from .watch import (
    ModuleWatch,
    PollWatch,
    WatchLimits,
)

__all__ = [
    "ACCEPTABLE",
    "DEFAULT_PORTS",
    "INFO_SIZE_LIMIT",
    "MAX_FILE_SIZE",
    "RULES",
    "SERVICE_TYPE",
    "WIFI_OTA_PORT",
    "Account",
    "AppDescriptor",
    "ArduinoOtaPush",
    "CallBudget",
    "Candidate",
    "Cause",
    "Check",
    "CheckResult",
    "Chip",
    "ChipFamily",
    "Delivery",
    "Download",
    "EvidenceSource",
    "FilesystemType",
    "FlashMode",
    "HttpPull",
    "HttpUpload",
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
    "ModuleKnowledge",
    "ModuleWatch",
    "OtaError",
    "Packed",
    "PackingAdvice",
    "PackingReason",
    "Part",
    "Payload",
    "PollWatch",
    "Ports",
    "PullDesk",
    "PullLimits",
    "PullMode",
    "PullRequest",
    "PushLimits",
    "SafeState",
    "SafeStateError",
    "Sighting",
    "SignatureError",
    "SignatureState",
    "Slot",
    "SlotKnowledge",
    "SlotSource",
    "SourceError",
    "Statements",
    "Text",
    "Transport",
    "UploadDialect",
    "UploadLimits",
    "Verdict",
    "VerifyError",
    "WatchLimits",
    "carry_through",
    "chip_from_board",
    "chip_from_text",
    "facts_from_announcement",
    "family_from_port",
    "fetch_text",
    "goes_back",
    "is_alive",
    "is_json_path",
    "is_listening",
    "may_pack",
    "open_url",
    "pack",
    "pack_for",
    "parse_manifest",
    "parse_releases",
    "preflight",
    "read_chunks",
    "read_image",
    "read_marker",
    "read_public_key",
    "read_slots",
    "recognise",
    "verify_signature",
    "version_from",
    "web_address",
]
