"""The words of the domain: chips, image facts, modules, stages, verdicts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .causes import Cause

type ProgressCallback = Callable[[int, int], None]
"""Called with (bytes the module's TCP stack acknowledged, bytes in all)."""


class ChipFamily(StrEnum):
    """Chips that share one boot loader, one image layout and one OTA protocol."""

    ESP8266 = "esp8266"
    ESP32 = "esp32"
    RP2 = "rp2"


class Chip(StrEnum):
    """A chip that Arduino sketches run on; the value is its name in options and stores."""

    ESP8266 = "esp8266"
    ESP32 = "esp32"
    ESP32_S2 = "esp32s2"
    ESP32_S3 = "esp32s3"
    ESP32_C2 = "esp32c2"
    ESP32_C3 = "esp32c3"
    ESP32_C5 = "esp32c5"
    ESP32_C6 = "esp32c6"
    ESP32_C61 = "esp32c61"
    ESP32_H2 = "esp32h2"
    ESP32_H4 = "esp32h4"
    ESP32_P4 = "esp32p4"
    RP2040 = "rp2040"
    RP2350 = "rp2350"

    @property
    def family(self) -> ChipFamily:
        """The family, which is certain even where the exact chip is not."""
        if self is Chip.ESP8266:
            return ChipFamily.ESP8266
        return ChipFamily.RP2 if self.startswith("rp2") else ChipFamily.ESP32


class ImageKind(StrEnum):
    """What the bytes are meant to replace."""

    SKETCH = "sketch"
    FILESYSTEM = "filesystem"


class FilesystemType(StrEnum):
    """What a filesystem image is laid out as."""

    LITTLEFS = "littlefs"
    SPIFFS = "spiffs"
    FAT = "fat"


class FlashMode(StrEnum):
    """How the flash chip is wired and read; with a wrong one in its header nothing boots."""

    QIO = "qio"
    QOUT = "qout"
    DIO = "dio"
    DOUT = "dout"


class InstallStage(StrEnum):
    """Where an install stands; one after the other, some may be passed in no time."""

    CHECKING = "checking"
    QUEUED = "queued"
    MAKING_SAFE = "making_safe"
    SENDING = "sending"
    RESTARTING = "restarting"
    VERIFYING = "verifying"
    RESTORING = "restoring"
    DONE = "done"


class Verdict(StrEnum):
    """What an install ended as. Only `verified` and `unverified` are good news."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"

    @property
    def is_success(self) -> bool:
        """Whether the caller of an install may carry on."""
        return self in {Verdict.VERIFIED, Verdict.UNVERIFIED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """Facts read from the bytes of one image; the bytes themselves are kept elsewhere."""

    kind: ImageKind
    chip: Chip | None
    """None for filesystem images, which no chip's mark is in."""
    size: int
    """Bytes of the file as it is sent, packed if it is packed."""
    md5: str
    """Lower-case hex of the file as it is sent."""
    sha256: str
    packed: bool = False
    """gzip, which only the ESP8266 boot loader (core 2.7) and the Pico unpack."""
    plain_size: int
    plain_md5: str
    """MD5 of the unpacked image without a signature: what a module reports as its sketch MD5."""
    staged_from: int | None = None
    """Lowest flash offset at which an ESP8266 may stage the packed image: below it unpacking
    would overwrite what is not read yet. None for what is not packed, or was read by 0.1.0."""
    flash_size: int | None = None
    """Bytes of flash the header asks for; None where the header has no such field."""
    flash_mode: FlashMode | None = None
    """What the header says; None where there is no such field."""
    min_revision: int | None = None
    """Oldest chip revision an ESP32 image runs on, major * 100 + minor; None: any."""
    max_revision: int | None = None
    """Newest one; None: any."""
    descriptor: AppDescriptor | None = None
    """What an ESP32 app says of itself; in most Arduino builds it is about the core instead."""
    filesystem: FilesystemType | None = None
    """The layout of a filesystem image."""
    filesystem_size: int | None = None
    """Bytes of the area it is made for; its file may end where nothing is used behind."""
    filesystem_version: str | None = None
    """Of a LittleFS's layout on disk, like `2.1`."""
    filesystem_block: int | None = None
    """Bytes of a LittleFS's blocks; None for others, and where nobody looked."""
    filesystem_longest_name: int | None = None
    """Bytes that a LittleFS lets a file's name have; None for others, and where nobody looked."""
    signed: bool = False
    """Whether a signature trailer (ESP8266, Pico) or block (ESP32) is at its end."""
    marker: Marker | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AppDescriptor:
    """Name and versions in an ESP32 app's description (`esp_app_desc_t`)."""

    project: str
    version: str
    idf: str
    """ESP-IDF that the core was built with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A place for a sketch, as a partition table names it."""

    name: str
    size: int
    ota: bool
    """Whether updates go there; else it is for the serial cable only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Marker:
    """Name and version that a sketch states in its own image (`ESP_OTA_FW:name:version;`)."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True, weakref_slot=True)
class Payload:
    """What a transport carries: the bytes and the facts the invitation states."""

    data: bytes
    kind: ImageKind
    md5: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleFacts:
    """What is known of a module before an install; None means nobody said."""

    name: str
    host: str
    port: int
    family: ChipFamily | None = None
    chip: Chip | None = None
    mac: str | None = None
    """`aa:bb:cc:dd:ee:ff`."""
    board: str | None = None
    auth_required: bool | None = None
    firmware: str | None = None
    version: str | None = None
    sketch_md5: str | None = None
    """MD5 of the running image, which is that of the unpacked `.bin`."""
    sketch_size: int | None = None
    slot_size: int | None = None
    """Bytes a new sketch may have."""
    slot_stated: bool = False
    """Whether what runs states `slot_size` itself; else it is typed or concluded."""
    staged_low: bool = False
    """Whether an image may come by an update page: nobody tells it the size, so an ESP8266
    stages in all of the free space, right above the sketch that runs."""
    flash_size: int | None = None
    """Bytes of the real flash chip."""
    flash_mode: FlashMode | None = None
    """In the header of what runs."""
    core_version: str | None = None
    """Release of the Arduino core that the running sketch was built with, like `3.1.2`."""
    signature_required: bool | None = None
    """Whether what runs takes signed images only."""
    filesystem_area: int | None = None
    """Bytes of the area for files in the partition table that an ESP32 was flashed with."""
    filesystem_sha256: str | None = None
    """Content of the file system image that we installed last."""
    pin: str | None = None
    """The version, or the range of versions, that alone it may get."""
    held_until: str | None = None
    """Until when it gets nothing, as people read a time."""
    takes_prereleases: bool | None = True
    """None where nobody has said: what runs decides."""


class EvidenceSource(StrEnum):
    """Where a statement about the running firmware came from, strongest first.

    A request with the secret that all modules of the house know is no stronger than what anybody
    can announce.
    """

    __hash__ = str.__hash__  # `Enum` hashes its name in Python, and these are keys

    PULL_MD5 = "pull_md5"
    INFO_URL = "info_url"
    TXT = "txt"
    SHARED_PULL_MD5 = "shared_pull_md5"
    ENTITY = "entity"
    PULL_VERSION = "pull_version"
    ASSUMED = "assumed"

    def is_stronger(self, than: EvidenceSource) -> bool:
        """Whether this source is to be believed where the two differ."""
        order = list(EvidenceSource)
        return order.index(self) < order.index(than)


class Sighting(NamedTuple):
    """One statement about what a module runs, and when it was heard; made with each request."""

    source: EvidenceSource
    at: float
    """`time.monotonic()` of the moment."""
    firmware: str | None = None
    version: str | None = None
    sketch_md5: str | None = None
    mac: str | None = None


class Delivery(StrEnum):
    """How a transport's send ended when it did not fail."""

    ACCEPTED = "accepted"
    """The module said that it has the image and took it."""
    UNCONFIRMED = "unconfirmed"
    """Every byte arrived, the module's answer did not: the evidence decides."""
    RESTARTED = "restarted"
    """The same, and the module was seen to have restarted since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallProgress:
    """What the card shows of a running install."""

    stage: InstallStage
    sent: int = 0
    total: int = 0
    waits_for: str | None = None
    """Name of what it waits for: modules whose equipment it shares, or its group."""
    why: str | None = None
    """Why it waits in the queue, and does not run."""
    place: int | None = None
    """Where it stands in the queue, counted from 1."""

    @property
    def percent(self) -> int | None:
        """Whole percent while sending, None in every other stage."""
        if self.stage is not InstallStage.SENDING or not self.total or not self.sent:
            return None
        return self.sent * 100 // self.total


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallResult:
    """What one install ended as."""

    verdict: Verdict
    cause: Cause | None = None
    facts: dict[str, str] = field(default_factory=dict)
    """Placeholders of the cause's sentence."""
    version: str | None = None
    """The version the module states after the restart, if it states one."""
    by_sum: bool = False
    """Whether the sum of what runs says that it is something else, and not a name alone."""
    transport: str | None = field(default=None, compare=False)
    """Name of the transport that was used last."""
    of_files: bool = field(default=False, compare=False)
    """Whether it was a file system image alone, of which no module says which one it has."""
    files_incomplete: bool = False
    """Whether the module has a part of a file system image now, beside what it ran before."""
    not_safe: str = ""
    """Which conditions of the safe state broke when there was nothing left that could be stopped;
    empty where none was seen to."""
    restore_unread: bool = False
    """Whether the equipment was restored, and nothing can tell that it was."""
    restore_error: Cause | None = None
    restore_facts: dict[str, str] = field(default_factory=dict)
