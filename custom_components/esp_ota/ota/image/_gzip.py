"""Unpack gzip as the boot stages do, never further than the largest flash."""

from dataclasses import dataclass
from typing import Final
import zlib

from ..causes import Cause
from ..details import Detail
from ..exceptions import ImageError
from ._content import corrupt, truncated
from ._sums import Data
from ._trailer import trailer_at

GZIP: Final = b"\x1f\x8b"
_BLOCK: Final = 4096
_STEP: Final = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpacked:
    """The content of one gzip member."""

    plain: Data
    signed: bool
    """Whether a signature follows it."""
    staged_from: int
    """Flash offset from which on it may be staged, see `_staged_from`."""


def unpack(data: bytes, limit: int) -> Unpacked:
    """Return the content of one gzip member.

    Boot stages trust the last four bytes as the size, so nothing else may follow. What comes in
    is bounded and so is what comes out; that bounds the time as well.
    """
    unpacker = zlib.decompressobj(wbits=31)
    plain, taken, made = bytearray(), 0, list[int]()
    view = memoryview(data)
    try:
        while taken < len(data) and not unpacker.eof:
            block = rest = view[taken : taken + _BLOCK]
            while rest and not unpacker.eof:
                plain += unpacker.decompress(rest, _STEP)
                rest = unpacker.unconsumed_tail  # type: ignore[assignment]
                if len(plain) > limit:
                    raise ImageError(Cause.OVERSIZED_FILE, size=f">{limit}", limit=limit)
            taken += len(block) - len(unpacker.unused_data)
            made.append(len(plain))
    except zlib.error as err:
        raise corrupt(Detail.GZIP_DAMAGED) from err
    if not unpacker.eof:
        raise truncated(Detail.GZIP_CUT)
    if taken not in {len(data), trailer_at(data)}:
        raise corrupt(Detail.GZIP_FOLLOWED)
    return Unpacked(plain=plain, signed=taken < len(data), staged_from=_staged_from(made))


def _staged_from(made: list[int]) -> int:
    """Return the lowest flash offset at which eboot unpacks it without losing unread bytes.

    `made` is how much could be unpacked of the first block, of the first two, and so on. As
    `eboot.c` (3.1.2) copies: it reads a block of 4096 bytes when it has used up the one before,
    and erases a sector of its target, from offset 0 upwards, before it unpacks what goes there.
    Where n blocks were read when the sector at k * 4096 is erased, that may be the place of one
    of these n blocks, or of none.
    """
    lowest, read = 0, 1
    for sector in range(-(-made[-1] // _BLOCK)):
        while made[read - 1] < sector * _BLOCK:
            read += 1
        if read < len(made):
            lowest = max(lowest, sector - read + 1)
    return lowest * _BLOCK
