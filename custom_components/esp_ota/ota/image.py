"""Read the facts of an image from its bytes, and refuse what has no business on a module.

Layouts: `tools/elf2bin.py` and `bootloaders/eboot` of esp8266/Arduino, esptool's image
reading and ESP-IDF's `esp_app_format.h`, boot2 of the RP2040 boot ROM. No length in a file is
trusted; any bytes give facts or an `ImageError`.
"""

from dataclasses import dataclass
import hashlib
import re
import struct
from typing import Final
import zlib

from .exceptions import ImageError
from .models import Cause, Chip, Image, ImageKind, Marker

MAX_FILE_SIZE: Final = 32 * 1024 * 1024
"""No supported module has more flash, so nothing larger can be an image for one."""

_MAGIC: Final = 0xE9
_GZIP: Final = b"\x1f\x8b"
_APP_DESCRIPTOR: Final = 0xABCD5432
_PARTITION_TABLE: Final = b"\xaa\x50"
_PARTITION_TABLE_MD5: Final = b"\xeb\xeb"
_PARTITION_TABLE_AT: Final = 0x8000
_BOOTLOADER_MAX: Final = 0x8000
_EBOOT_SIZE: Final = 0x1000
_ESP8266_FLASH: Final = {
    0: 512 * 1024,
    1: 256 * 1024,
    2: 1024 * 1024,
    3: 2048 * 1024,
    4: 4096 * 1024,
    8: 8192 * 1024,
    9: 16384 * 1024,
}
_ESP32_CHIPS: Final = {
    0: Chip.ESP32,
    2: Chip.ESP32_S2,
    5: Chip.ESP32_C3,
    9: Chip.ESP32_S3,
    12: Chip.ESP32_C2,
    13: Chip.ESP32_C6,
    16: Chip.ESP32_H2,
    18: Chip.ESP32_P4,
    20: Chip.ESP32_C61,
    23: Chip.ESP32_C5,
    28: Chip.ESP32_H4,
}
_MARKER: Final = re.compile(rb"ESP_OTA_FW:([A-Za-z0-9][\w.+-]{0,63}):([\w][\w.+-]{0,63});")
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FOREIGN: Final = (
    (b"\x7fELF", Cause.ELF_FILE),
    (b"UF2\n", Cause.UF2_FILE),
)


def read_image(data: bytes) -> Image:
    """Return the facts of one sketch image.

    Raises ImageError with the cause when the bytes are not an image a module can run.
    """
    if not data:
        raise ImageError(Cause.EMPTY_FILE)
    if len(data) > MAX_FILE_SIZE:
        raise ImageError(Cause.OVERSIZED_FILE, size=len(data), limit=MAX_FILE_SIZE)
    packed = data.startswith(_GZIP)
    plain = _unpack(data) if packed else data
    chip, flash_size = _recognise(plain)
    return Image(
        kind=ImageKind.SKETCH,
        chip=chip,
        size=len(data),
        md5=_md5(data),
        sha256=hashlib.sha256(data).hexdigest(),
        packed=packed,
        plain_size=len(plain),
        plain_md5=_md5(plain),
        flash_size=flash_size,
        marker=_find_marker(plain),
    )


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _find_marker(plain: bytes) -> Marker | None:
    """Return the first marker, which a sketch states with one `const char[]`."""
    if found := _MARKER.search(plain):
        return Marker(name=found[1].decode("ascii", "replace"), version=found[2].decode())
    return None


def _unpack(data: bytes) -> bytes:
    """Unpack one gzip member; the boot loader trusts its last four bytes as the size."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, MAX_FILE_SIZE)
    except zlib.error as err:
        raise ImageError(Cause.CORRUPT_IMAGE, detail=f"gzip: {err}") from err
    if unpacker.unconsumed_tail:
        raise ImageError(Cause.OVERSIZED_FILE, size=f">{MAX_FILE_SIZE}", limit=MAX_FILE_SIZE)
    if not unpacker.eof:
        raise ImageError(Cause.TRUNCATED_IMAGE, detail="gzip ends early")
    if unpacker.unused_data:
        raise ImageError(Cause.CORRUPT_IMAGE, detail="bytes behind the gzip trailer")
    return plain


def _recognise(plain: bytes) -> tuple[Chip, int | None]:
    """Return the chip an image is for and the flash size its header asks for."""
    _refuse_foreign(plain)
    if _is_merged(plain):
        raise ImageError(Cause.MERGED_IMAGE)
    if plain[0] == _MAGIC:
        header = _EspHeader.read(plain, 0)
        if header.is_esp8266:
            return Chip.ESP8266, _check_esp8266(plain, header)
        return _check_esp32(plain, header), None
    if chip := _rp2_chip(plain):
        return chip, None
    if _is_filesystem(plain):
        raise ImageError(Cause.FILESYSTEM_IMAGE)
    raise ImageError(Cause.NOT_FIRMWARE)


def _refuse_foreign(plain: bytes) -> None:
    """Refuse files of other kinds by how they begin, so that the person hears which."""
    if not plain:
        raise ImageError(Cause.EMPTY_FILE)
    for magic, cause in _FOREIGN:
        if plain.startswith(magic):
            raise ImageError(cause)
    text = plain[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        raise ImageError(Cause.HTML_PAGE)
    if re.match(rb":[0-9A-Fa-f]{10}", text):
        raise ImageError(Cause.HEX_FILE)


def _is_merged(plain: bytes) -> bool:
    """Whether boot loader, partition table and app are one file, as for a serial cable.

    The two bytes turn up in sketches by chance; a table goes on with a second entry or its MD5.
    """
    entry, second = (plain[at : at + 2] for at in (_PARTITION_TABLE_AT, _PARTITION_TABLE_AT + 32))
    table = entry == _PARTITION_TABLE and second in {_PARTITION_TABLE, _PARTITION_TABLE_MD5}
    return table and (plain[0] == _MAGIC or plain[:16] == b"\xff" * 16)


def _is_filesystem(plain: bytes) -> bool:
    """LittleFS names itself in block 0 or 1; FAT has its boot signature."""
    return (
        plain[8:16] == b"littlefs"
        or plain[4104:4112] == b"littlefs"
        or plain[510:512] == b"\x55\xaa"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _EspHeader:
    """The eight bytes every Espressif image begins with."""

    segments: int
    flash_size_code: int
    entry: int
    at: int

    @classmethod
    def read(cls, data: bytes, at: int) -> _EspHeader:
        if len(data) < at + 8:
            raise ImageError(Cause.TRUNCATED_IMAGE, detail="header ends early")
        magic, segments, _mode, size_and_speed, entry = struct.unpack_from("<BBBBI", data, at)
        if magic != _MAGIC:
            raise ImageError(Cause.CORRUPT_IMAGE, detail=f"no image header at {at:#x}")
        return cls(segments=segments, flash_size_code=size_and_speed >> 4, entry=entry, at=at)

    @property
    def is_esp8266(self) -> bool:
        """The entry point lies in the ESP8266's instruction RAM, where no ESP32 has any."""
        return self.entry >> 16 == 0x4010


def _walk(data: bytes, header: _EspHeader, first: int) -> tuple[int, int]:
    """Walk the segments from `first`; return where they end and the XOR of their bytes."""
    if not 1 <= header.segments <= 16:
        raise ImageError(Cause.CORRUPT_IMAGE, detail=f"{header.segments} segments")
    at, xor = first, 0xEF
    for _ in range(header.segments):
        if at + 8 > len(data):
            raise ImageError(Cause.TRUNCATED_IMAGE, detail="a segment header is missing")
        (length,) = struct.unpack_from("<I", data, at + 4)
        at += 8
        if at + length > len(data):
            raise ImageError(Cause.TRUNCATED_IMAGE, detail="a segment ends behind the file")
        xor ^= _xor(data[at : at + length])
        at += length
    return at, xor


def _checksum_at(segments_end: int) -> int:
    """Return where the checksum is: last in the 16-byte block behind the segments."""
    return segments_end | 15


def _xor(data: bytes) -> int:
    """XOR all bytes, by folding one large integer instead of looping over bytes."""
    value, width = int.from_bytes(data), 8
    while width < len(data) * 8:
        width *= 2
    while width > 8:
        width //= 2
        value = (value >> width) ^ (value & ((1 << width) - 1))
    return value


def _check_esp8266(plain: bytes, eboot: _EspHeader) -> int | None:
    """Check eboot and the app behind it; return the flash size the header asks for."""
    _walk(plain[:_EBOOT_SIZE], eboot, 8)
    app = _EspHeader.read(plain, _EBOOT_SIZE)
    end, xor = _walk(plain, app, _EBOOT_SIZE + 8)
    checksum_at = _checksum_at(end)
    if checksum_at >= len(plain):
        raise ImageError(Cause.TRUNCATED_IMAGE, detail="the checksum is missing")
    length, crc = struct.unpack_from("<II", plain, _EBOOT_SIZE + 16)
    # elf2bin writes both words after the XOR checksum was taken over zeros.
    xor ^= _xor(plain[_EBOOT_SIZE + 16 : _EBOOT_SIZE + 24]) if length else 0
    if plain[checksum_at] != xor:
        raise ImageError(Cause.CORRUPT_IMAGE, detail="checksum")
    if length:
        if length > len(plain):
            raise ImageError(Cause.TRUNCATED_IMAGE, detail=f"{len(plain)} of {length} bytes")
        if _crc_esp8266(plain[:length]) != crc:
            raise ImageError(Cause.CORRUPT_IMAGE, detail="CRC-32")
    return _ESP8266_FLASH.get(eboot.flash_size_code)


def _crc_esp8266(data: bytes) -> int:
    """CRC-32 as eboot computes it: most significant bit first, no final XOR, words zeroed.

    It is zlib's CRC of the bit-reversed bytes, reversed and complemented.
    """
    at = _EBOOT_SIZE + 16
    blanked = data[:at] + bytes(8) + data[at + 8 :]
    value = zlib.crc32(blanked.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)


def _check_esp32(plain: bytes, header: _EspHeader) -> Chip:
    """Check an app image of the ESP32 family and return its chip."""
    if len(plain) < 24 + 8 + 256:
        raise ImageError(Cause.TRUNCATED_IMAGE, detail="header ends early")
    (chip_id,) = struct.unpack_from("<H", plain, 12)
    (descriptor,) = struct.unpack_from("<I", plain, 32)
    end, xor = _walk(plain, header, 24)
    if descriptor != _APP_DESCRIPTOR:
        if len(plain) <= _BOOTLOADER_MAX:
            raise ImageError(Cause.BOOTLOADER_IMAGE)
        raise ImageError(Cause.NOT_FIRMWARE)
    if (chip := _ESP32_CHIPS.get(chip_id)) is None:
        raise ImageError(Cause.UNKNOWN_CHIP, chip_id=chip_id)
    checksum_at = _checksum_at(end)
    if checksum_at >= len(plain):
        raise ImageError(Cause.TRUNCATED_IMAGE, detail="the checksum is missing")
    if plain[checksum_at] != xor:
        raise ImageError(Cause.CORRUPT_IMAGE, detail="checksum")
    if plain[23] == 1:
        digest_at = checksum_at + 1
        digest = plain[digest_at : digest_at + 32]
        if len(digest) < 32:
            raise ImageError(Cause.TRUNCATED_IMAGE, detail="the SHA-256 is missing")
        if hashlib.sha256(plain[:digest_at]).digest() != digest:
            raise ImageError(Cause.CORRUPT_IMAGE, detail="SHA-256")
    return chip


def _rp2_chip(plain: bytes) -> Chip | None:
    """Tell RP2040 from its boot2 stage, RP2350 from its vector table; they have no header."""
    if len(plain) < 512:
        return None
    (boot2_crc,) = struct.unpack_from("<I", plain, 252)
    if _crc_msb_first(plain[:252]) == boot2_crc:
        return Chip.RP2040
    stack, reset = struct.unpack_from("<II", plain, 0)
    if 0x20000000 < stack <= 0x20082000 and 0x10000000 <= reset < 0x10000000 + len(plain):
        return Chip.RP2350
    return None


def _crc_msb_first(data: bytes) -> int:
    """CRC-32 with the most significant bit first and no final XOR, as the boot ROM does."""
    value = zlib.crc32(data.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)
