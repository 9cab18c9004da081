"""Firmware images as the Arduino tool chains build them, byte for byte plausible.

After tools/elf2bin.py of the ESP8266 core, esptool's image formats, and arduino-pico's linker.
"""

from functools import lru_cache
import gzip
import hashlib
import random
import struct
import zlib

from .checksums import crc32_msb_first, xor_checksum
from .chips import CHIPS, Chip, ChipFacts, Family
from .content import code_like, marker, place

SECTOR = 4096
DEFAULT_SIZE = 96 * 1024

FLASH_MODES = {"qio": 0, "qout": 1, "dio": 2, "dout": 3}
_MIB = 1024 * 1024
_ESP8266_SIZES = {
    _MIB // 2: 0,
    _MIB // 4: 1,
    _MIB: 2,
    2 * _MIB: 3,
    4 * _MIB: 4,
    8 * _MIB: 8,
    16 * _MIB: 9,
}
_ESP8266_UNIQUE = 43
"""Of 64 bytes of code: gzip leaves 72 % of such an image, and 71 % of nine real ones (median)."""
_ESP32_SIZES = {_MIB << code: code for code in range(8)}

type Segment = tuple[int, bytes]


@lru_cache(maxsize=512)
def build_image(
    chip: Chip | str,
    *,
    name: str = "garden-valve",
    version: str = "1.0.0",
    size: int = DEFAULT_SIZE,
    seed: int = 0,
    marker: bool = True,
    flash_mode: str = "dio",
    flash_size: int = 4 * _MIB,
    descriptor: tuple[str, str] | None = None,
) -> bytes:
    """Return a sketch image of `size` bytes, rounded down to 16.

    The same arguments give the same bytes. `marker` puts the `ESP_OTA_FW` text in;
    `descriptor` is (project, version) of an ESP32 sketch that brings its own.
    """
    chip = Chip(chip)
    facts = CHIPS[chip]
    source = random.Random(f"{chip}/{name}/{version}/{seed}")
    text = _marker_text(name, version) if marker else b""
    mode = FLASH_MODES[flash_mode]
    match facts.family:
        case Family.ESP8266:
            return _build_esp8266(facts, text, size, source, mode, _ESP8266_SIZES[flash_size])
        case Family.ESP32:
            about = descriptor or ("arduino-lib-builder", "esp-idf: v5.5.1")
            return _build_esp32(facts, text, size, source, mode, _ESP32_SIZES[flash_size], about)
        case Family.PICO:
            return _build_rp2040(text, size, source)


@lru_cache(maxsize=64)
def build_filesystem(size: int = 64 * 1024, *, seed: int = 0) -> bytes:
    """Return a LittleFS image: its magic in the first two blocks, then file-like content."""
    source = random.Random(f"littlefs/{seed}")
    data = code_like(size, source)
    data[size & ~(SECTOR - 1) :] = b""
    for block in (0, SECTOR):
        # Revision, tag and name, tag and geometry; each tag is XORed with the one before.
        commit = struct.pack(
            "<I4s8s4s", 1 + block // SECTOR, b"\xf0\x0f\xff\xf7", b"littlefs", b"\x2f\xe0\0\x10"
        )
        commit += struct.pack("<6I", 0x20000, SECTOR, len(data) // SECTOR, 32, 0x7FFFFFFF, 1022)
        commit += (0x20100018 ^ 0x500FFC04).to_bytes(4)
        commit += struct.pack("<I", zlib.crc32(commit) ^ 0xFFFFFFFF)
        data[block : block + len(commit)] = commit
    return bytes(data)


@lru_cache(maxsize=64)
def gzip_image(image: bytes) -> bytes:
    """Return the image as one gzip member without a time stamp."""
    return gzip.compress(image, 9, mtime=0)


def _marker_text(name: str, version: str) -> bytes:
    return marker(name, version)


def _segments(parts: list[Segment]) -> bytes:
    return b"".join(struct.pack("<II", address, len(data)) + data for address, data in parts)


def _close(header: bytes, parts: list[Segment]) -> bytes:
    """Append segments and the checksum, which is the last byte of a 16-byte block."""
    image = header + _segments(parts)
    image += bytes(15 - len(image) % 16)
    checksum = 0xEF
    for _, data in parts:
        checksum = xor_checksum(data, checksum)
    return image + bytes([checksum])


def _build_esp8266(
    facts: ChipFacts, text: bytes, size: int, source: random.Random, mode: int, size_code: int
) -> bytes:
    """Return eboot's sector and the application, tied together by length and CRC."""
    options = bytes([mode, size_code << 4])
    eboot: list[Segment] = [
        (0x4010F000, bytes(code_like(2448, source))),
        (0x4010FA00, bytes(code_like(136, source))),
    ]
    boot = _close(b"\xe9" + bytes([len(eboot)]) + options + struct.pack("<I", 0x4010F000), eboot)
    boot += b"\xaa" * (SECTOR - len(boot))

    iram, data = bytes(code_like(3072, source)), code_like(1024, source)
    # The application is an 8-byte header, three segment heads and a checksum byte, in 16s.
    room = (size & ~15) - SECTOR - 8 - 3 * 8 - 1 - len(iram) - len(data) - 7
    if room < len(text) + 64:
        raise ValueError(f"{size} bytes are too few for an ESP8266 image")
    irom = code_like(room, source, _ESP8266_UNIQUE)
    irom[0:8] = bytes(8)
    if text:
        place(data, text, source)
    parts: list[Segment] = [
        (facts.irom, bytes(irom)),
        (facts.iram, iram),
        (facts.dram, bytes(data)),
    ]
    head = b"\xe9" + bytes([len(parts)]) + options + struct.pack("<I", facts.iram + 0x80)
    image = bytearray(boot + _close(head, parts))
    struct.pack_into("<II", image, SECTOR + 16, len(image), crc32_msb_first(bytes(image)))
    return bytes(image)


def _build_esp32(
    facts: ChipFacts,
    text: bytes,
    size: int,
    source: random.Random,
    mode: int,
    size_code: int,
    about: tuple[str, str],
) -> bytes:
    """Return an application with descriptor, checksum and appended SHA-256."""
    project, version = about
    description = struct.pack(
        "<II8x32s32s16s16s32s32s",
        0xABCD5432,
        0,
        version.encode(),
        project.encode(),
        b"12:00:00",
        b"Jan  1 2026",
        b"v5.5.1",
        source.randbytes(32),
    ).ljust(256, b"\0")
    dram, iram = bytes(code_like(4096, source)), bytes(code_like(8192, source))
    room = (size & ~15) - 24 - 4 * 8 - len(dram) - len(iram) - 16 - 32
    if room < len(text) + 2 * len(description):
        raise ValueError(f"{size} bytes are too few for an ESP32 image")
    drom_size = room // 4 & ~3
    rodata = code_like(drom_size - len(description), source)
    if text:
        place(rodata, text, source)
    drom = description + bytes(rodata)
    # Mapped segments keep their place within a 64 kB page, in the file as in memory.
    drom_at = facts.drom + 24 + 8
    irom_at = facts.irom + (24 + 4 * 8 + len(drom) + len(dram) + len(iram)) % 0x10000
    irom = bytes(code_like(room - drom_size, source))
    parts: list[Segment] = [
        (drom_at, drom),
        (facts.dram, dram),
        (facts.iram, iram),
        (irom_at, irom),
    ]
    head = struct.pack(
        "<BBBBIB3xHBHH4xB",
        0xE9,
        len(parts),
        mode,
        size_code << 4 | 0xF,
        facts.iram + 0x100,
        0xEE,
        facts.image_id,
        0,
        0,
        0xFFFF,
        1,
    )
    image = _close(head, parts)
    return image + hashlib.sha256(image).digest()


def _build_rp2040(text: bytes, size: int, source: random.Random) -> bytes:
    """Return a boot stage with its CRC, the OTA stage's vectors and the application.

    Every boot stage of the pico-sdk 2.1 begins with `push {lr}` (`boot2_*.S`).
    """
    boot = b"\x00\xb5" + bytes(code_like(250, source))
    boot += struct.pack("<I", crc32_msb_first(boot))
    vectors = struct.pack("<II", 0x20042000, 0x100001F7) + struct.pack("<I", 0x100001C3) * 46
    rest = code_like((size & ~15) - len(boot) - len(vectors), source)
    if text:
        place(rest, text, source)
    return boot + vectors + bytes(rest)
