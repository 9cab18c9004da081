"""RP2040 and RP2350: raw flash contents without a header.

After boot2 of the RP2040's boot ROM, the image definition of the RP2350's, the vector table of
the Cortex-M, and the linker script of arduino-pico.
"""

import struct
from typing import Final

from ..models import Chip
from ._content import Content
from ._sums import Data, crc_msb_first, pieces
from ._trailer import likely_trailer_at

_BOOT2: Final = 252
_RAM: Final = range(0x20000000 + 1, 0x20082000 + 1)
_FLASH_AT: Final = 0x10000000
_BLOCK_WITHIN: Final = 4096
_BLOCK: Final = struct.pack("<I", 0xFFFFDED3)
_IMAGE_TYPE: Final = 0x42
_CHIPS: Final = {0: Chip.RP2040, 1: Chip.RP2350}
_LAYOUT_AT: Final = 0x2FF0
_EEPROM: Final = 4096
_FLASH_SIZES: Final = frozenset(1 << bit for bit in range(18, 25))


def read_rp2(plain: Data) -> Content | None:
    """Return the facts of a Pico image, None when nothing says that it is one."""
    if (chip := _chip(plain)) is None:
        return None
    end = likely_trailer_at(plain)
    return Content(
        chip=chip,
        end=len(plain) if end is None else end,
        signed=end is not None,
        flash_size=_flash_size(plain),
    )


def _chip(plain: Data) -> Chip | None:
    """Tell the chip from the boot2 stage, the image definition, or the vector table."""
    if len(plain) < 512:
        return None
    (boot2_crc,) = struct.unpack_from("<I", plain, _BOOT2)
    if crc_msb_first(pieces(plain, 0, _BOOT2)) == boot2_crc:
        return Chip.RP2040
    if (chip := _defined_chip(plain)) is not None:
        return chip
    stack, reset = struct.unpack_from("<II", plain, 0)
    if stack in _RAM and _FLASH_AT <= reset < _FLASH_AT + len(plain):
        return Chip.RP2350
    return None


def _defined_chip(plain: Data) -> Chip | None:
    """Return the chip that an image definition names, which the RP2350's boot ROM looks for."""
    at = plain.find(_BLOCK, 0, _BLOCK_WITHIN)
    if at < 0 or at % 4 or len(plain) < at + 8:
        return None
    item, words, flags = struct.unpack_from("<BBH", plain, at + 4)
    executable = flags & 0xF == 1
    return (
        _CHIPS.get(flags >> 12 & 7) if (item, words, executable) == (_IMAGE_TYPE, 1, True) else None
    )


def _flash_size(plain: Data) -> int | None:
    """Return the flash that arduino-pico's linker was told of; it leaves the map in the image.

    The sketch, the filesystem, and one sector that stands in for an EEPROM, which ends the flash.
    """
    if len(plain) < _LAYOUT_AT + 16:
        return None
    begin, end, eeprom, room = struct.unpack_from("<IIII", plain, _LAYOUT_AT)
    size = eeprom - _FLASH_AT + _EEPROM
    is_map = begin == _FLASH_AT + room and begin <= end <= eeprom
    return size if is_map and size in _FLASH_SIZES else None
