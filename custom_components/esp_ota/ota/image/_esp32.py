"""ESP32 family: header with chip id and revisions, segments, checksum, SHA-256, signature.

After esptool's image reading and ESP-IDF's `esp_app_format.h`, `esp_app_desc.h` and secure boot.
"""

import hashlib
import struct
from typing import Final
import zlib

from ..causes import Cause
from ..details import Detail
from ..exceptions import ImageError
from ..models import AppDescriptor, Chip
from ._content import Content, corrupt, truncated
from ._espressif import DESCRIPTION, DESCRIPTION_AT, EspHeader, Segments, checksum_of, walk
from ._sums import Data, has_only_blank_behind
from ._trailer import looks_random

_HEADER: Final = 24
_BOOTLOADER_SIZES: Final = range(4096, 0x10000 + 1)
"""Boot loaders of ESP-IDF have 8 to 48 KiB; smaller ones, and larger ones, are something else."""
_DESCRIPTION: Final = 256
_ANY_REVISION: Final = 0xFFFF
_SECTOR: Final = 4096
_SECURE_BOOT_1: Final = (68, 68 + 12)
"""A version of 0 and an ECDSA signature; with `--secure-pad` some bytes up to a page of 64 KiB."""
_SECURE_BOOT_BLOCK: Final = 1216
_SECURE_BOOT_MAGIC: Final = 0xE7
ARDUINO_SIGNATURE: Final = 512
"""Bytes that `tools/bin_signing.py` of arduino-esp32 adds, whatever the key."""
_CHIPS: Final = {
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
_FLASH: Final = {
    Chip.ESP32: (range(0x3F400000, 0x3F800000), range(0x400D0000, 0x40400000)),
    Chip.ESP32_S2: (range(0x3F000000, 0x3F3F0000), range(0x40080000, 0x40B80000)),
    Chip.ESP32_P4: (range(0x40000000, 0x4C000000),),
}
_FLASH_OF_OTHERS: Final = (range(0x3C000000, 0x3E000000), range(0x42000000, 0x44000000))
"""Addresses that flash appears at, as esptool's `targets` have them."""


def read_esp32(plain: Data, header: EspHeader) -> Content:
    """Check an app image of the ESP32 family.

    Apps of the Arduino core up to 1.0.4 (ESP-IDF 3.2) do not describe themselves yet.
    """
    if len(plain) < _HEADER:
        raise truncated(Detail.HEADER_CUT)
    chip_id, _, lowest, highest = struct.unpack_from("<HBHH", plain, 12)
    segments = walk(plain, header, _HEADER, len(plain))
    descriptor = _descriptor(plain)
    if (chip := _CHIPS.get(chip_id)) is None:
        if descriptor is None:
            raise ImageError(Cause.NOT_FIRMWARE)
        raise ImageError(Cause.UNKNOWN_CHIP, chip_id=chip_id)
    if not _is_in_flash(segments, chip):
        is_boot_loader = descriptor is None and segments.end in _BOOTLOADER_SIZES
        raise ImageError(Cause.BOOTLOADER_IMAGE if is_boot_loader else Cause.RAM_IMAGE)
    checksum_at, checksum = checksum_of(plain, segments.end)
    if checksum != segments.xor:
        raise corrupt(Detail.CHECKSUM_WRONG)
    end = checksum_at + 1
    if plain[23] == 1:
        _check_digest(plain, end)
        end += 32
    return Content(
        chip=chip,
        end=end,
        signed=_is_signed(plain, end),
        flash_mode=header.flash_mode,
        min_revision=lowest or None,
        max_revision=None if highest in {0, _ANY_REVISION} else highest,
        descriptor=descriptor,
    )


def _is_in_flash(segments: Segments, chip: Chip) -> bool:
    """Whether any of it runs from flash: of a boot loader all is copied to memory."""
    flash = _FLASH.get(chip, _FLASH_OF_OTHERS)
    return any(place in area for place in segments.places for area in flash)


def _descriptor(plain: Data) -> AppDescriptor | None:
    """Return what the app says of itself, in the first bytes of its first segment."""
    if len(plain) < DESCRIPTION_AT + _DESCRIPTION:
        return None
    magic, version, project, idf = struct.unpack_from("<4s12x32s32s32x32s", plain, DESCRIPTION_AT)
    if magic != DESCRIPTION:
        return None
    return AppDescriptor(project=_text(project), version=_text(version), idf=_text(idf))


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _check_digest(plain: Data, at: int) -> None:
    if len(plain) < at + 32:
        raise truncated(Detail.DIGEST_MISSING)
    if hashlib.sha256(memoryview(plain)[:at]).digest() != plain[at : at + 32]:
        raise corrupt(Detail.DIGEST_WRONG)


def _is_signed(plain: Data, end: int) -> bool:
    """Whether a signature of the Arduino core, or one of secure boot, follows the image."""
    rest = len(plain) - end
    if rest == ARDUINO_SIGNATURE:
        return not has_only_blank_behind(plain, end)
    if rest in _SECURE_BOOT_1 and plain[end : end + 4] == bytes(4):
        return looks_random(plain[end + 4 : end + 68])
    at = -(-end // _SECTOR) * _SECTOR
    block = plain[at : at + _SECURE_BOOT_BLOCK]
    if len(block) < _SECURE_BOOT_BLOCK or block[0] != _SECURE_BOOT_MAGIC or block[1] not in {2, 3}:
        return False
    (crc,) = struct.unpack_from("<I", block, _SECURE_BOOT_BLOCK - 20)
    return bool(zlib.crc32(block[: _SECURE_BOOT_BLOCK - 20]) == crc)
