"""ESP8266: the boot stage (eboot) in the first sector, the sketch behind it.

After `tools/elf2bin.py`, `tools/signing.py` and `bootloaders/eboot` of esp8266/Arduino.
"""

import struct
from typing import Final

from ..models import Chip
from ._content import Content, corrupt, truncated
from ._espressif import EspHeader, checksum_of, walk
from ._sums import Data, crc_msb_first, pieces, xor_of
from ._trailer import trailer_at

_EBOOT_SIZE: Final = 0x1000
_LENGTH_AT: Final = _EBOOT_SIZE + 16
_SKETCH_AT: Final = _LENGTH_AT + 8
_FLASH: Final = {
    0: 512 * 1024,
    1: 256 * 1024,
    2: 1024 * 1024,
    3: 2048 * 1024,
    4: 4096 * 1024,
    8: 8192 * 1024,
    9: 16384 * 1024,
}


def read_esp8266(plain: Data, eboot: EspHeader) -> Content:
    """Check eboot and the sketch behind it."""
    walk(plain, eboot, 8, min(len(plain), _EBOOT_SIZE))
    sketch = EspHeader.read(plain, _EBOOT_SIZE)
    segments_end, xor = walk(plain, sketch, _EBOOT_SIZE + 8, len(plain))
    checksum_at, checksum = checksum_of(plain, segments_end)
    length, crc = struct.unpack_from("<II", plain, _LENGTH_AT)
    # elf2bin writes both words after the XOR checksum was taken over zeros.
    xor ^= xor_of(plain, _LENGTH_AT, _SKETCH_AT) if length else 0
    if checksum != xor:
        raise corrupt("checksum")
    end = length or checksum_at + 1
    if length:
        if length > len(plain):
            raise truncated(f"{len(plain)} of {length} bytes")
        if _crc(plain, length) != crc:
            raise corrupt("CRC-32")
    return Content(
        chip=Chip.ESP8266,
        end=end,
        signed=trailer_at(plain) == end,
        flash_size=_FLASH.get(eboot.flash_size_code),
        flash_mode=eboot.flash_mode,
    )


def _crc(plain: Data, length: int) -> int:
    """Return the CRC that eboot computes: over all but the words of length and CRC."""
    return crc_msb_first(
        (
            *pieces(plain, 0, _LENGTH_AT),
            bytes(_SKETCH_AT - _LENGTH_AT),
            *pieces(plain, _SKETCH_AT, length),
        )
    )
