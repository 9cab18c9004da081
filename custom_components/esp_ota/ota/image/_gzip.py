"""Unpack gzip as the boot stages do, never further than the largest flash."""

from typing import Final
import zlib

from ..causes import Cause
from ..exceptions import ImageError
from ._content import corrupt, truncated
from ._sums import Data, pieces
from ._trailer import trailer_at

GZIP: Final = b"\x1f\x8b"
_STEP: Final = 256 * 1024


def unpack(data: bytes, limit: int) -> tuple[Data, bool]:
    """Return the content of one gzip member, and whether a signature follows it.

    Boot stages trust the last four bytes as the size, so nothing else may follow. What comes in
    is bounded and so is what comes out; that bounds the time as well.
    """
    unpacker = zlib.decompressobj(wbits=31)
    plain, taken = bytearray(), 0
    try:
        for piece in pieces(data, 0, len(data)):
            rest: bytes | memoryview = piece
            while rest and not unpacker.eof:
                plain += unpacker.decompress(rest, _STEP)
                rest = unpacker.unconsumed_tail
                if len(plain) > limit:
                    raise ImageError(Cause.OVERSIZED_FILE, size=f">{limit}", limit=limit)
            taken += len(piece) - len(unpacker.unused_data)
            if unpacker.eof:
                break
    except zlib.error as err:
        raise corrupt(f"gzip: {err}") from err
    if not unpacker.eof:
        raise truncated("gzip ends early")
    if taken not in {len(data), trailer_at(data)}:
        raise corrupt("bytes behind the gzip trailer")
    return plain, taken < len(data)
