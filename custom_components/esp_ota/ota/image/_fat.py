"""FAT: what its boot sector asks for.

Its two signature bytes alone turn up in any data; the parameters must make sense too.
"""

import struct
from typing import Final

from ..details import Detail
from ._content import truncated
from ._sums import Data

_AT: Final = (0, 4096)
"""Wear levelling of the ESP32 keeps one sector of its own in front."""
_SECTORS: Final = (512, 1024, 2048, 4096)


def is_fat(plain: Data) -> bool:
    """Whether an image is a FAT; raises ImageError where it is cut off."""
    for at in _AT:
        if (size := _size(plain, at)) is not None:
            if len(plain) < at + size:
                raise truncated(Detail.BYTES_MISSING, size=len(plain), expected=at + size)
            return True
    return False


def _size(plain: Data, at: int) -> int | None:
    """Return the bytes a FAT boot sector asks for, None where there is none."""
    if plain[at + 510 : at + 512] != b"\x55\xaa" or plain[at] not in b"\xeb\xe9":
        return None
    sector, cluster, reserved, fats = struct.unpack_from("<HBHB", plain, at + 11)
    small, media, fat_small = struct.unpack_from("<HBH", plain, at + 19)
    large, fat_large = struct.unpack_from("<II", plain, at + 32)
    sectors, fat = small or large, fat_small or fat_large
    sane = (
        sector in _SECTORS
        and cluster.bit_count() == 1
        and reserved >= 1
        and fats in {1, 2}
        and media >= 0xF0
        and 0 < fat * fats + reserved < sectors
    )
    return sectors * sector if sane else None
