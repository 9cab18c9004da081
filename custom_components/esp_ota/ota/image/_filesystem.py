"""Recognise filesystem images: LittleFS by its superblock, FAT by its boot sector, SPIFFS by shape.

After littlefs' SPEC.md, the FAT boot sector, and the page layout of pellepl/spiffs. Only what
is at the beginning of each block is looked at: the files inside are nobody's business here.
"""

from collections.abc import Callable
from dataclasses import dataclass
import struct
from typing import Final
import zlib

from ..causes import Cause
from ..exceptions import ImageError
from ..models import FilesystemType
from ._sums import Data

_LITTLEFS: Final = b"littlefs"
_LITTLEFS_AT: Final = (0, *(1 << bit for bit in range(8, 17)))
"""Where the first two blocks may begin: the second one shows where its size ends."""
_LITTLEFS_BLOCK: Final = range(128, 1024 * 1024 + 1)
_LITTLEFS_CRC: Final = 0x500
_SUPERBLOCK: Final = 44
_SMALLEST_COUNT: Final = 2
_BLANK: Final = b"\xff" * 16
_FAT_AT: Final = (0, 4096)
"""Wear levelling of the ESP32 keeps one sector of its own in front."""
_FAT_SECTORS: Final = (512, 1024, 2048, 4096)
_SPIFFS_PAGE: Final = 256
_SPIFFS_BLOCKS: Final = (4096, 8192, 65536)
"""Page and block sizes that the Arduino cores and their upload tools use."""
_SPIFFS_MAGIC: Final = 0x0529 ^ _SPIFFS_PAGE
_SPIFFS_FREE: Final = 0xFFFF
_SPIFFS_INDEX: Final = 0x8000


def filesystem_of(plain: Data) -> FilesystemType | None:
    """Return which filesystem an image certainly is, None when nothing says that it is one.

    Raises ImageError when it is one that is cut off or damaged.
    """
    if _is_littlefs(plain):
        return FilesystemType.LITTLEFS
    if _is_fat(plain):
        return FilesystemType.FAT
    if _is_spiffs(plain, _has_file):
        return FilesystemType.SPIFFS
    return None


def may_be_spiffs(plain: Data) -> bool:
    """Whether an image that somebody calls a filesystem is an empty SPIFFS without a mark."""
    return _is_spiffs(plain, lambda spiffs: any(spiffs.listed(0)))


def _truncated(plain: Data, size: int) -> ImageError:
    return ImageError(Cause.TRUNCATED_IMAGE, detail=f"{len(plain)} of {size} bytes")


# LittleFS


def _is_littlefs(plain: Data) -> bool:
    """Check the superblock, of which there are two, in the first and the second block.

    Every sketch that uses LittleFS has its name somewhere: behind the first bytes only a whole
    superblock counts, unless nothing stands in front of it.
    """
    found = [at for at in _LITTLEFS_AT if plain[at + 8 : at + 16] == _LITTLEFS]
    if any(_is_superblock(plain, at) for at in found):
        return True
    if found and (found[0] == 0 or plain[:16] == _BLANK):
        raise ImageError(Cause.CORRUPT_IMAGE, detail="superblock")
    return False


def _is_superblock(plain: Data, at: int) -> bool:
    """Whether a superblock is whole; raises ImageError when the file is not as long as it says."""
    if len(plain) < at + _SUPERBLOCK:
        if at == 0:
            raise ImageError(Cause.TRUNCATED_IMAGE, detail="the superblock ends early")
        return False
    block, count = struct.unpack_from("<II", plain, at + 24)
    if block not in _LITTLEFS_BLOCK or count < _SMALLEST_COUNT or at not in {0, block}:
        return False
    if at == 0 and len(plain) < block * count:
        raise _truncated(plain, block * count)
    if not _is_committed(plain, at, min(at + block, len(plain))):
        return False
    if len(plain) < block * count:
        raise _truncated(plain, block * count)
    if len(plain) > block * count:
        detail = f"{len(plain)} bytes for a filesystem of {block * count}"
        raise ImageError(Cause.CORRUPT_IMAGE, detail=detail)
    return True


def _is_committed(plain: Data, at: int, end: int) -> bool:
    """Walk the tags of a metadata block to the first CRC: each is XORed with the one before."""
    place, before = at + 4, 0xFFFFFFFF
    while place + 8 <= end:
        tag = int.from_bytes(plain[place : place + 4]) ^ before
        if tag >> 31:
            return False
        place += 4
        if tag >> 20 & 0x780 == _LITTLEFS_CRC:
            (crc,) = struct.unpack_from("<I", plain, place)
            return bool(zlib.crc32(memoryview(plain)[at:place]) ^ 0xFFFFFFFF == crc)
        length = tag & 0x3FF
        place += 0 if length == 0x3FF else length  # which marks a deleted entry
        before = tag
    return False


# FAT


def _is_fat(plain: Data) -> bool:
    for at in _FAT_AT:
        if (size := _fat_size(plain, at)) is not None:
            if len(plain) < at + size:
                raise _truncated(plain, at + size)
            return True
    return False


def _fat_size(plain: Data, at: int) -> int | None:
    """Return the bytes a FAT boot sector asks for, None where there is none.

    Its two signature bytes alone turn up in any data; the parameters must make sense too.
    """
    if plain[at + 510 : at + 512] != b"\x55\xaa" or plain[at] not in b"\xeb\xe9":
        return None
    sector, cluster, reserved, fats = struct.unpack_from("<HBHB", plain, at + 11)
    small, media, fat_small = struct.unpack_from("<HBH", plain, at + 19)
    large, fat_large = struct.unpack_from("<II", plain, at + 32)
    sectors, fat = small or large, fat_small or fat_large
    sane = (
        sector in _FAT_SECTORS
        and cluster.bit_count() == 1
        and reserved >= 1
        and fats in {1, 2}
        and media >= 0xF0
        and 0 < fat * fats + reserved < sectors
    )
    return sectors * sector if sane else None


# SPIFFS


@dataclass(frozen=True, slots=True)
class _Spiffs:
    """The bytes, read as blocks of one size."""

    plain: Data
    block: int

    @property
    def blocks(self) -> int:
        return len(self.plain) // self.block

    @property
    def entries(self) -> int:
        """Pages of a block that its first page or pages list."""
        return self.block // _SPIFFS_PAGE - self.lookup // _SPIFFS_PAGE

    @property
    def lookup(self) -> int:
        """Bytes of the pages that list the others."""
        needed = self.block // _SPIFFS_PAGE * 2
        return -(-needed // _SPIFFS_PAGE) * _SPIFFS_PAGE

    def listed(self, number: int) -> tuple[int, ...]:
        """Return which object each page of a block belongs to, as the block itself lists it."""
        return struct.unpack_from(f"<{self.entries}H", self.plain, number * self.block)

    def page(self, number: int, entry: int) -> int:
        return number * self.block + self.lookup + entry * _SPIFFS_PAGE

    def mark(self, number: int) -> int:
        """Return what a block states instead of its second last entry, where that is built in."""
        (mark,) = struct.unpack_from("<H", self.plain, number * self.block + self.lookup - 4)
        return int(mark)

    @property
    def is_marked(self) -> bool:
        """Whether every block states the magic, with or without the blocks that follow it."""
        return all(
            self.mark(number) in {_SPIFFS_MAGIC, _SPIFFS_MAGIC ^ (self.blocks - number) & 0xFFFF}
            for number in range(self.blocks)
        )


def _is_spiffs(plain: Data, convinces: Callable[[_Spiffs], bool]) -> bool:
    """Compare what each block lists with what its pages say of themselves."""
    for block in _SPIFFS_BLOCKS:
        spiffs = _Spiffs(plain, block)
        if not spiffs.blocks or not _agrees(spiffs):
            continue
        if (stated := _stated_blocks(spiffs)) is not None:
            raise _truncated(plain, stated * block)
        if spiffs.is_marked or convinces(spiffs):
            if len(plain) % block:
                detail = f"{len(plain)} bytes are no whole number of blocks"
                raise ImageError(Cause.TRUNCATED_IMAGE, detail=detail)
            return True
    return False


def _agrees(spiffs: _Spiffs) -> bool:
    for number in range(spiffs.blocks):
        for entry, owner in enumerate(spiffs.listed(number)):
            if owner in {0, _SPIFFS_FREE}:
                continue
            page = spiffs.page(number, entry)
            if int.from_bytes(spiffs.plain[page : page + 2], "little") != owner:
                return False
    return True


def _has_file(spiffs: _Spiffs) -> bool:
    """Whether a page describes a file: the first of its index, with a size and a name."""
    for number in range(spiffs.blocks):
        for entry, owner in enumerate(spiffs.listed(number)):
            if owner & _SPIFFS_INDEX and owner != _SPIFFS_FREE:
                page = spiffs.page(number, entry)
                span, kind = struct.unpack_from("<2xH8xB", spiffs.plain, page)
                name = spiffs.plain[page + 13 : page + 45].partition(b"\0")[0]
                if span == 0 and kind == 1 and name.startswith(b"/") and name.isascii():
                    return True
    return False


def _stated_blocks(spiffs: _Spiffs) -> int | None:
    """Return how many blocks the marks promise where more are promised than there are."""
    if spiffs.blocks < 2:
        return None
    first, second = (spiffs.mark(number) ^ _SPIFFS_MAGIC for number in (0, 1))
    return first if first == second + 1 and first > spiffs.blocks else None
