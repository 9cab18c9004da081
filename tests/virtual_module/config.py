"""What a virtual module is, before it is switched on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .chips import CHIPS, Chip, ChipFacts, Family
from .faults import ONLY_ON, Fault
from .pull_config import PullConfig, PullMode

_CALLED_ON: Mapping[PullMode, frozenset[Family]] = {
    PullMode.VERSION: frozenset({Family.ESP8266}),
    PullMode.LITTLEFS: frozenset({Family.ESP32}),
}


class Generation(StrEnum):
    """How an ESP32 core authenticates, or how an ESP8266 of 2015 took updates."""

    LEGACY = "legacy"
    """MD5 challenge, cores up to 3.3.0."""
    PBKDF2 = "pbkdf2"
    """PBKDF2 challenge, cores from 3.3.1."""
    CLASSIC = "classic"
    """ESP8266 of July 2015: the example `DNS_SD_Arduino_OTA` on the Update library."""
    CLASSIC_FIRST = "classic_first"
    """The same example as it was first, on `ESP.updateSketch()`: it never says a word."""


CLASSICS = frozenset({Generation.CLASSIC, Generation.CLASSIC_FIRST})


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleConfig:
    """A module on the bench: its hardware, its sketch, its network and its faults."""

    chip: Chip = Chip.ESP8266
    generation: Generation = Generation.PBKDF2
    """ESP32, and an ESP8266 that is a classic."""
    core: str = "3.1.2"
    """ESP8266 only: version of the Arduino core the running sketch was built with."""
    host: str = "127.0.0.1"
    port: int = 0
    """UDP port; 0 takes a free one and keeps it over restarts."""
    hostname: str | None = None
    board: str | None = None
    mac: str = "5c:cf:7f:a1:b2:c3"
    password: str | None = None
    password_hash: str | None = None
    """What the sketch gave to `setPasswordHash()`, used as it is."""
    image: bytes | None = None
    """The running sketch; without one an image with version 1.0.0 is built."""
    fs_image: bytes = b""
    flash_mode: str | None = None
    """ESP8266: the only mode its flash chip works in, such as "dout"; None works in all."""
    slot_size: int | None = None
    """Room for sketches, see `ChipFacts.slot_size`."""
    fs_size: int | None = None
    fs_command: int = 100
    """The one command beside 0 that the sketch takes; newest ESP32 cores may want 101."""
    mss: int | None = None
    window: int | None = None
    """Bytes of TCP window; 0 leaves both to the operating system."""
    sector_time: float = 0.0
    """Seconds to erase and write 4 kB. Never scaled."""
    tick: float = 0.001
    """Seconds of the library's pause between looks at the connection. Never scaled."""
    loop_time: float = 0.01
    """Seconds between two calls of `ArduinoOTA.handle()`."""
    auth_time: float = 0.3
    """Seconds an ESP32 takes for 10,000 rounds of PBKDF2: an estimate, not measured."""
    offline_time: float | None = None
    """Seconds from reset to the sketch running again; None follows chip and image size."""
    time_scale: float = 1.0
    """Scales what the module takes its time for."""
    limit_scale: float = 1.0
    """Scales what the host must keep to, such as one second to the first byte."""
    faults: Collection[Fault] | Mapping[Fault, int | None] = ()
    fault_at: float = 0.5
    """Where in the payload a mid-transfer fault strikes, 0 to 1."""
    slow_sector_time: float = 0.4
    late_reply_time: float = 3.0
    """Never scaled."""
    slow_restart_time: float = 60.0
    wrong_version: str = "0.0.1"
    crash_time: float = 20.0
    revive_after: float | None = None
    """Seconds from SILENT_DEATH to power's return; None waits for `power_cycle()`."""
    advertise: bool = False
    txt_firmware: bool = True
    """Whether the sketch adds `fw_name`, `fw_version` and `mac` to its TXT record."""
    txt_mac: bool = True
    """Whether `mac` is among them."""
    pull: PullConfig | None = None
    """How the sketch asks for updates, if it does."""
    txt_flash: bool = False
    """ESP8266: whether it adds what tells that a packed image can be unpacked."""
    interfaces: tuple[str, ...] = ("127.0.0.1",)
    """Addresses the mDNS responder joins on."""

    def __post_init__(self) -> None:
        """Refuse what no hardware can be."""
        object.__setattr__(self, "chip", Chip(self.chip))
        object.__setattr__(self, "generation", Generation(self.generation))
        if self.classic and (self.family is not Family.ESP8266 or self.locked or self.txt_flash):
            raise ValueError("sketches of 2015 ran on an ESP8266, and knew no password")
        if self.classic and Fault.NO_RESTART in self.faults:
            raise ValueError("sketches of 2015 always restart")
        for fault in self.faults:
            if self.facts.family not in ONLY_ON.get(Fault(fault), frozenset(Family)):
                raise ValueError(f"no {self.chip} can have {fault}")
        for step in self.pull.steps if self.pull is not None else ():
            if self.facts.family not in _CALLED_ON.get(step, frozenset(Family)):
                raise ValueError(f"no {self.chip} asks for {step}")
        if self.password is not None and self.password_hash is not None:
            raise ValueError("a sketch has a password or its hash, not both")

    @property
    def facts(self) -> ChipFacts:
        """What is known of the chip."""
        return CHIPS[self.chip]

    @property
    def family(self) -> Family:
        """Which library the module runs."""
        return self.facts.family

    @property
    def classic(self) -> bool:
        """Whether the sketch is older than the ArduinoOTA library."""
        return self.generation in CLASSICS

    @property
    def core_version(self) -> tuple[int, ...]:
        """The core's version, to be compared."""
        if self.classic:
            return (1, 6, 5)
        return tuple(int(part) for part in self.core.split("."))

    @property
    def locked(self) -> bool:
        """Whether the sketch asks for a password; an empty one has a hash like any other."""
        return self.password is not None or bool(self.password_hash)

    @property
    def name(self) -> str:
        """The host name: the sketch's own, or the library's default."""
        if self.hostname is not None:
            return self.hostname
        if self.classic:
            return "esp8266-ota"
        digits = self.mac.replace(":", "").lower()
        match self.family:
            case Family.ESP8266:
                return f"esp8266-{digits[6:]}"
            case Family.ESP32:
                return f"esp32-{digits}"
            case Family.PICO:
                return f"pico-e660{digits}"
