"""Parts of a flash that are written over a cable only, told by what they begin with.

After ESP-IDF's `esp_flash_partitions.h` (OTA data), `nvs_page.hpp` (NVS), `gen_esp32part.py` and
`espsecure.py digest_secure_bootloader`.
"""

import struct
from typing import Final
import zlib

from ..causes import Cause
from ..exceptions import ImageError
from ._espressif import MAGIC
from ._partitions import find_table
from ._sums import Data

_SECTOR: Final = 0x1000
_TABLE_SIZE: Final = _SECTOR
_OTA_DATA_SIZE: Final = 2 * _SECTOR
_OTA_DATA: Final = struct.Struct("<28xI")
_NVS: Final = struct.Struct("<II20xI")
_NVS_STATES: Final = frozenset({0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8})
_DIGEST: Final = 192
"""Bytes of the boot loader's digest and its random start, in front of it with secure boot 1."""
_BOOT_LOADERS_AT: Final = (0x1000, 0x2000)


def refuse_part(plain: Data) -> None:
    """Raise ImageError with the kind of part it is."""
    if len(plain) <= _TABLE_SIZE and plain[:2] == b"\xaa\x50" and find_table(plain):
        raise ImageError(Cause.PARTITION_TABLE)
    if len(plain) <= _OTA_DATA_SIZE and any(_is_ota_data(plain, at) for at in (0, _SECTOR)):
        raise ImageError(Cause.OTA_DATA)
    if len(plain) % _SECTOR == 0 and _is_nvs(plain):
        raise ImageError(Cause.SETTINGS_IMAGE)
    if any(_has_boot_loader(plain, at) for at in _BOOT_LOADERS_AT):
        raise ImageError(Cause.BOOTLOADER_IMAGE)


def _is_ota_data(plain: Data, at: int) -> bool:
    if len(plain) < at + _OTA_DATA.size:
        return False
    (crc,) = _OTA_DATA.unpack_from(plain, at)
    return bool(crc == zlib.crc32(plain[at : at + 4], 0xFFFFFFFF))


def _is_nvs(plain: Data) -> bool:
    """Whether the first page has the header of one that is in use."""
    state, _, crc = _NVS.unpack_from(plain)
    return state in _NVS_STATES and bool(crc == zlib.crc32(plain[4:28], 0xFFFFFFFF))


def _has_boot_loader(plain: Data, at: int) -> bool:
    """Whether an Espressif image stands where chips look for it, with nothing in front."""
    if len(plain) <= at or plain[at] != MAGIC:
        return False
    begin = 0 if plain[0] == 0xFF else _DIGEST
    return plain.count(0xFF, begin, at) == at - begin
