"""RP2040 and RP2350: raw flash contents without a header.

After boot2 of the RP2040's boot ROM and the vector table of the Cortex-M.
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


def read_rp2(plain: Data) -> Content | None:
    """Return the facts of a Pico image, None when nothing says that it is one."""
    if (chip := _chip(plain)) is None:
        return None
    end = likely_trailer_at(plain)
    return Content(chip=chip, end=len(plain) if end is None else end, signed=end is not None)


def _chip(plain: Data) -> Chip | None:
    """Tell RP2040 from its boot2 stage, RP2350 from its vector table."""
    if len(plain) < 512:
        return None
    (boot2_crc,) = struct.unpack_from("<I", plain, _BOOT2)
    if crc_msb_first(pieces(plain, 0, _BOOT2)) == boot2_crc:
        return Chip.RP2040
    stack, reset = struct.unpack_from("<II", plain, 0)
    if stack in _RAM and _FLASH_AT <= reset < _FLASH_AT + len(plain):
        return Chip.RP2350
    return None
