"""ESP32 family: header with chip id and revisions, segments, checksum, SHA-256, signature.

After esptool's image reading and ESP-IDF's `esp_app_format.h`, `esp_app_desc.h` and secure boot.
"""

import hashlib
import struct
from typing import Final
import zlib

from ..causes import Cause
from ..exceptions import ImageError
from ..models import AppDescriptor, Chip
from ._content import Content, corrupt, truncated
from ._espressif import DESCRIPTION, DESCRIPTION_AT, EspHeader, checksum_of, walk
from ._sums import Data, has_only_blank_behind

_HEADER: Final = 24
_BOOT_DESCRIPTION: Final = 0x50
_BOOTLOADER_MAX: Final = 0x8000
_ANY_REVISION: Final = 0xFFFF
_SECTOR: Final = 4096
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


def read_esp32(plain: Data, header: EspHeader) -> Content:
    """Check an app image of the ESP32 family."""
    if len(plain) < DESCRIPTION_AT + 256:
        raise truncated("header ends early")
    chip_id, _, lowest, highest = struct.unpack_from("<HBHH", plain, 12)
    segments_end, xor = walk(plain, header, _HEADER, len(plain))
    descriptor = _descriptor(plain)
    if descriptor is None:
        if len(plain) <= _BOOTLOADER_MAX or plain[DESCRIPTION_AT] == _BOOT_DESCRIPTION:
            raise ImageError(Cause.BOOTLOADER_IMAGE)
        raise ImageError(Cause.NOT_FIRMWARE)
    if (chip := _CHIPS.get(chip_id)) is None:
        raise ImageError(Cause.UNKNOWN_CHIP, chip_id=chip_id)
    checksum_at, checksum = checksum_of(plain, segments_end)
    if checksum != xor:
        raise corrupt("checksum")
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


def _descriptor(plain: Data) -> AppDescriptor | None:
    """Return what the app says of itself, in the first bytes of its first segment."""
    magic, version, project, idf = struct.unpack_from("<4s12x32s32s32x32s", plain, DESCRIPTION_AT)
    if magic != DESCRIPTION:
        return None
    return AppDescriptor(project=_text(project), version=_text(version), idf=_text(idf))


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _check_digest(plain: Data, at: int) -> None:
    if len(plain) < at + 32:
        raise truncated("the SHA-256 is missing")
    if hashlib.sha256(memoryview(plain)[:at]).digest() != plain[at : at + 32]:
        raise corrupt("SHA-256")


def _is_signed(plain: Data, end: int) -> bool:
    """Whether a signature of the Arduino core, or a block of secure boot, follows the image."""
    rest = len(plain) - end
    if rest == ARDUINO_SIGNATURE:
        return not has_only_blank_behind(plain, end)
    at = -(-end // _SECTOR) * _SECTOR
    block = plain[at : at + _SECURE_BOOT_BLOCK]
    if len(block) < _SECURE_BOOT_BLOCK or block[0] != _SECURE_BOOT_MAGIC or block[1] not in {2, 3}:
        return False
    (crc,) = struct.unpack_from("<I", block, _SECURE_BOOT_BLOCK - 20)
    return bool(zlib.crc32(block[: _SECURE_BOOT_BLOCK - 20]) == crc)
