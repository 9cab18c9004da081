"""RP2040 and RP2350: raw flash contents without a header.

After boot2 of the RP2040's boot ROM, the image definition of the RP2350's, the vector table of
the Cortex-M, and the linker script of arduino-pico.

Neither length nor checksum is in an image for the RP2040: one that is cut off looks like another.
"""

import struct
from typing import Final

from ..causes import Cause
from ..details import Detail
from ..exceptions import ImageError
from ..models import Chip
from ._blocks import chips_of_blocks
from ._content import Content, corrupt
from ._sums import Data, crc_msb_first, pieces
from ._trailer import likely_trailer_at

_BOOT2: Final = 252
_SMALLEST: Final = 512
_RAM: Final = range(0x20000000 + 1, 0x20082000 + 1)
_FLASH_AT: Final = 0x10000000
_FLASH: Final = range(_FLASH_AT, _FLASH_AT + (16 << 20))
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
    """Tell the chip from what its boot ROM looks for; None for what is no Pico's image.

    Raises ImageError for one that no boot ROM would start, or whose end is missing.
    """
    if len(plain) < _SMALLEST:
        return None
    (boot2_crc,) = struct.unpack_from("<I", plain, _BOOT2)
    if crc_msb_first(pieces(plain, 0, _BOOT2)) == boot2_crc:
        return Chip.RP2040
    if Chip.RP2350 in chips_of_blocks(plain):
        return Chip.RP2350
    if _has_vectors(plain, _BOOT2 + 4):
        raise corrupt(Detail.BOOT_STAGE_DAMAGED)
    if _has_vectors(plain, 0):
        raise ImageError(Cause.PICO_LAYOUT)
    return None


def _has_vectors(plain: Data, at: int) -> bool:
    """Whether a vector table begins there: a stack in memory, and code in flash."""
    stack, reset, fault = struct.unpack_from("<II4xI", plain, at)
    return stack in _RAM and all(code in _FLASH and code & 1 for code in (reset, fault))


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
