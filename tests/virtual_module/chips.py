"""The chips a virtual module can have, and what the wire shows of each."""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """Which ArduinoOTA library and which flash writer a chip has."""

    ESP8266 = "esp8266"
    ESP32 = "esp32"
    PICO = "pico"


class Chip(StrEnum):
    """A chip by its usual short name."""

    ESP8266 = "esp8266"
    ESP32 = "esp32"
    ESP32S2 = "esp32s2"
    ESP32S3 = "esp32s3"
    ESP32C2 = "esp32c2"
    ESP32C3 = "esp32c3"
    ESP32C5 = "esp32c5"
    ESP32C6 = "esp32c6"
    ESP32C61 = "esp32c61"
    ESP32H2 = "esp32h2"
    ESP32P4 = "esp32p4"
    RP2040 = "rp2040"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChipFacts:
    """What differs from chip to chip; addresses are those of the vendors' linker scripts."""

    family: Family
    port: int
    """UDP port of ArduinoOTA unless the sketch sets another."""
    board: str
    """A common board identifier for the TXT record."""
    image_id: int = 0
    """Chip id at offset 12 of an ESP32 family image."""
    drom: int = 0
    irom: int = 0
    dram: int = 0
    iram: int = 0
    mss: int = 1460
    """Largest TCP segment the module takes: boards.txt, default lwIP variant."""
    window: int = 5840
    """Receive window of the module's lwIP build: four segments, as both cores have it."""
    slot_size: int = 0
    """ESP32: one OTA partition. ESP8266: flash below the filesystem. Pico: size of LittleFS."""
    fs_size: int = 0


def _esp32(image_id: int, board: str, drom: int, irom: int, dram: int, iram: int) -> ChipFacts:
    return ChipFacts(
        family=Family.ESP32,
        port=3232,
        board=board,
        image_id=image_id,
        drom=drom,
        irom=irom,
        dram=dram,
        iram=iram,
        mss=1436,
        window=5744,
        slot_size=0x140000,
        fs_size=0x160000,
    )


CHIPS: dict[Chip, ChipFacts] = {
    Chip.ESP8266: ChipFacts(
        family=Family.ESP8266,
        port=8266,
        board="nodemcuv2",
        irom=0x40201010,
        dram=0x3FFE8000,
        iram=0x40100000,
        mss=536,
        window=2144,
        slot_size=0x200000,
        fs_size=0x1FA000,
    ),
    Chip.ESP32: _esp32(0, "esp32", 0x3F400000, 0x400D0000, 0x3FFBDB60, 0x40080000),
    Chip.ESP32S2: _esp32(2, "esp32s2", 0x3F000000, 0x40080000, 0x3FFC3000, 0x40024000),
    Chip.ESP32S3: _esp32(9, "esp32s3", 0x3C000000, 0x42000000, 0x3FC92000, 0x40374000),
    Chip.ESP32C2: _esp32(12, "esp32c2", 0x3C000000, 0x42000000, 0x3FCA0000, 0x4037C000),
    Chip.ESP32C3: _esp32(5, "esp32c3", 0x3C000000, 0x42000000, 0x3FC8C000, 0x40380000),
    Chip.ESP32C5: _esp32(23, "esp32c5", 0x42000000, 0x42800000, 0x40810000, 0x40800000),
    Chip.ESP32C6: _esp32(13, "esp32c6", 0x42000000, 0x42800000, 0x40810000, 0x40800000),
    Chip.ESP32C61: _esp32(20, "esp32c61", 0x42000000, 0x42800000, 0x40810000, 0x40800000),
    Chip.ESP32H2: _esp32(16, "esp32h2", 0x42000000, 0x42800000, 0x40810000, 0x40800000),
    Chip.ESP32P4: _esp32(18, "esp32p4", 0x40000000, 0x40800000, 0x4FF10000, 0x4FF00000),
    Chip.RP2040: ChipFacts(
        family=Family.PICO,
        port=2040,
        board="rpipicow",
        slot_size=0x80000,
        fs_size=0x80000,
    ),
}
