"""The blocks that the RP2350's boot ROM looks for: a ring, begun in the first 4 KiB.

After `boot/picobin.h` of the Pico SDK: a block is a list of items between two marks, and names how
far the next one is; the last one leads back to the first. The SDK puts one at the beginning and
one behind the end of each image, so an image that is cut off has lost a block.
"""

from dataclasses import dataclass
import struct
from typing import Final

from ..details import Detail
from ..models import Chip
from ._content import corrupt, truncated
from ._sums import Data

_BEGIN: Final = struct.pack("<I", 0xFFFFDED3)
_END: Final = 0xAB123579
_WITHIN: Final = 4096
_LARGEST: Final = 640
_LAST: Final = 0xFF
_IMAGE_DEFINITION: Final = 0x42
_EXECUTABLE: Final = 1
_CHIPS: Final = {0: Chip.RP2040, 1: Chip.RP2350}


@dataclass(frozen=True, slots=True)
class _Block:
    chips: frozenset[Chip]
    """What the image definitions in it are for."""
    link: int
    """Bytes from its beginning to the next one's."""


def chips_of_blocks(plain: Data) -> frozenset[Chip]:
    """Return the chips that the image definitions of a ring are for, none where there is no ring.

    Raises ImageError where the ring is begun and a block of it is missing.
    """
    first = -4
    while (first := plain.find(_BEGIN, first + 4, _WITHIN)) >= 0:
        if first % 4 == 0 and (block := _read(plain, first)) is not None:
            return _around(plain, first, block)
    return frozenset()


def _around(plain: Data, first: int, block: _Block) -> frozenset[Chip]:
    chips, at, seen = block.chips, first + block.link, {first}
    while at not in seen:
        seen.add(at)
        if at + len(_BEGIN) > len(plain):
            raise truncated(Detail.BLOCK_MISSING, at=f"{at:#x}")
        found = _read(plain, at) if at >= 0 else None
        if found is None:
            raise corrupt(Detail.BLOCK_MISSING, at=f"{at:#x}")
        chips, at = chips | found.chips, at + found.link
    return chips


def _read(plain: Data, begin: int) -> _Block | None:
    """Return the block that begins there, None where none does."""
    data = bytes(plain[begin : begin + _LARGEST])
    if data[:4] != _BEGIN:
        return None
    at, chips = 4, set[Chip]()
    while at + 12 <= len(data):
        kind, size, flags = struct.unpack_from("<BBH", data, at)
        words = size | (flags & 0xFF) << 8 if kind & 0x80 else size
        if kind == _LAST:
            link, end = struct.unpack_from("<iI", data, at + 4)
            return _Block(frozenset(chips), link) if end == _END and words == at // 4 - 1 else None
        if kind == _IMAGE_DEFINITION and flags & 0xF == _EXECUTABLE and flags >> 12 & 7 in _CHIPS:
            chips.add(_CHIPS[flags >> 12 & 7])
        if not words:
            return None
        at += words * 4
    return None
