"""ESP8266: the boot stage (eboot) in the first sector, the sketch behind it.

After `tools/elf2bin.py`, `tools/signing.py` and `bootloaders/eboot` of esp8266/Arduino.
"""

import struct
from typing import Final

from ..causes import Cause
from ..details import Detail
from ..exceptions import ImageError
from ..models import Chip
from ._content import Content, corrupt, truncated
from ._espressif import MAGIC, EspHeader, checksum_of, walk
from ._sums import Data, crc_msb_first, pieces, xor_of
from ._trailer import trailer_at

_EBOOT_SIZE: Final = 0x1000
_PADDING: Final = b"\xaa" * 4
_LENGTH_AT: Final = _EBOOT_SIZE + 16
_SKETCH_AT: Final = _LENGTH_AT + 8
_MEMORY: Final = (0x3FF, 0x401)
"""Upper bits of addresses in data and instruction memory; flash appears from 0x40200000 on."""
_BOOT_LOADER_SIZES: Final = range(512, _EBOOT_SIZE + 1)
"""eboot has 2.6 KiB, rBoot 1 to 3; what is smaller than that boots nothing."""
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
    _check_eboot(plain, eboot)
    sketch = EspHeader.read(plain, _EBOOT_SIZE)
    segments = walk(plain, sketch, _EBOOT_SIZE + 8, len(plain))
    checksum_at, checksum = checksum_of(plain, segments.end)
    end = checksum_at + 1
    _check_sums(plain, end, segments.xor ^ checksum)
    return Content(
        chip=Chip.ESP8266,
        end=end,
        signed=trailer_at(plain) == end,
        flash_size=_FLASH.get(eboot.flash_size_code),
        flash_mode=eboot.flash_mode,
    )


def _check_eboot(plain: Data, eboot: EspHeader) -> None:
    """Refuse what has no boot stage in its first sector: nothing could install it."""
    if _is_all(plain, eboot):
        is_boot_loader = len(plain) in _BOOT_LOADER_SIZES
        raise ImageError(Cause.BOOTLOADER_IMAGE if is_boot_loader else Cause.RAM_IMAGE)
    if len(plain) > _EBOOT_SIZE and plain[_EBOOT_SIZE] != MAGIC:
        if plain[_EBOOT_SIZE - len(_PADDING) : _EBOOT_SIZE] != _PADDING:
            raise ImageError(Cause.FOREIGN_LAYOUT)
        raise corrupt(Detail.NO_HEADER, at=f"{_EBOOT_SIZE:#x}")
    walk(plain, eboot, 8, min(len(plain), _EBOOT_SIZE))


def _is_all(plain: Data, header: EspHeader) -> bool:
    """Whether the first image is all there is: then no sketch follows, and none was cut off."""
    try:
        segments = walk(plain, header, 8, len(plain))
        end, checksum = checksum_of(plain, segments.end)
    except ImageError:
        return False
    in_memory = all(place >> 20 in _MEMORY for place in segments.places)
    return end + 1 == len(plain) and checksum == segments.xor and in_memory


def _check_sums(plain: Data, end: int, difference: int) -> None:
    """Check the XOR checksum, and length and CRC where the core that built it wrote them.

    They go where older cores have code, after the checksum was taken over zeros.
    `difference` is what the checksum is off when they are counted in.
    """
    length, crc = struct.unpack_from("<II", plain, _LENGTH_AT)
    without = difference == xor_of(plain, _LENGTH_AT, _SKETCH_AT)
    if length != end and (difference == 0 or not without):
        if difference:
            raise corrupt(Detail.CHECKSUM_WRONG)
        return
    if not without:
        raise corrupt(Detail.CHECKSUM_WRONG)
    if length > len(plain):
        raise truncated(Detail.BYTES_MISSING, size=len(plain), expected=length)
    if length != end or _crc(plain, length) != crc:
        raise corrupt(Detail.CRC_WRONG)


def _crc(plain: Data, length: int) -> int:
    """Return the CRC that eboot computes: over all but the words of length and CRC."""
    return crc_msb_first(
        (
            *pieces(plain, 0, _LENGTH_AT),
            bytes(_SKETCH_AT - _LENGTH_AT),
            *pieces(plain, _SKETCH_AT, length),
        )
    )
