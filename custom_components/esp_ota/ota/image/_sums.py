"""Checksums of images, taken piece by piece: memory does not grow with the image."""

from collections.abc import Iterable, Iterator
import hashlib
from typing import Final
import zlib

type Data = bytes | bytearray

_PIECE: Final = 64 * 1024
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def pieces(data: Data, begin: int, end: int) -> Iterator[memoryview]:
    """Yield a range in pieces that are looked at, not copied."""
    view = memoryview(data)
    for at in range(begin, end, _PIECE):
        yield view[at : min(at + _PIECE, end)]


def has_only_blank_behind(data: Data, end: int) -> bool:
    """Whether nothing follows but blank flash or zeros."""
    return len(data) - end in {data.count(0xFF, end), data.count(0, end)}


def xor_of(data: Data, begin: int, end: int) -> int:
    """XOR all bytes of a range, by folding large integers instead of looping over bytes."""
    value, width = 0, _PIECE * 8
    for piece in pieces(data, begin, end):
        value ^= int.from_bytes(piece)
    while width > 8:
        width //= 2
        value = (value >> width) ^ (value & ((1 << width) - 1))
    return value


def crc_msb_first(parts: Iterable[bytes | memoryview]) -> int:
    """CRC-32 with the most significant bit first and no final XOR, as boot ROMs compute it.

    It is zlib's CRC of the bit-reversed bytes, reversed and complemented.
    """
    value = 0
    for part in parts:
        value = zlib.crc32(bytes(part).translate(_REVERSED), value)
    return int(f"{value ^ 0xFFFFFFFF:032b}"[::-1], 2)


def md5_of(data: Data | memoryview) -> str:
    """Return the MD5, which modules compare; nothing here is trusted because of it."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
