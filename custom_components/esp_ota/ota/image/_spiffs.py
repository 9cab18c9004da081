"""SPIFFS, told by its shape: each block lists its pages, and each page says the same of itself.

After the layout of pellepl/spiffs. Only what is at the beginning of each block is looked at: the
files inside are nobody's business here.
"""

from collections.abc import Callable
from dataclasses import dataclass
import struct
from typing import Final

from ..details import Detail
from ._content import truncated
from ._sums import Data, has_only_blank_behind

_PAGE: Final = 256
_BLOCKS: Final = (4096, 8192, 65536)
"""Page and block sizes that the Arduino cores and their upload tools use."""
_SECTOR: Final = 4096
_MAGIC: Final = 0x0529 ^ _PAGE
_FREE: Final = 0xFFFF
_INDEX: Final = 0x8000


def is_spiffs(plain: Data) -> bool:
    """Whether an image is a SPIFFS: it has a mark in every block, or a file.

    Raises ImageError where it is cut off.
    """
    return _is_spiffs(plain, _has_file)


def may_be_spiffs(plain: Data) -> bool:
    """Whether an image that somebody calls a filesystem is an empty SPIFFS without a mark."""
    return _is_spiffs(plain, lambda spiffs: any(spiffs.listed(0)))


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
        return self.block // _PAGE - self.lookup // _PAGE

    @property
    def lookup(self) -> int:
        """Bytes of the pages that list the others."""
        needed = self.block // _PAGE * 2
        return -(-needed // _PAGE) * _PAGE

    def listed(self, number: int) -> tuple[int, ...]:
        """Return which object each page of a block belongs to, as the block itself lists it."""
        return struct.unpack_from(f"<{self.entries}H", self.plain, number * self.block)

    def page(self, number: int, entry: int) -> int:
        return number * self.block + self.lookup + entry * _PAGE

    def mark(self, number: int) -> int:
        """Return what a block states instead of its second last entry, where that is built in."""
        (mark,) = struct.unpack_from("<H", self.plain, number * self.block + self.lookup - 4)
        return int(mark)

    @property
    def is_marked(self) -> bool:
        """Whether every block states the magic, with or without the blocks that follow it."""
        return all(
            self.mark(number) in {_MAGIC, _MAGIC ^ (self.blocks - number) & 0xFFFF}
            for number in range(self.blocks)
        )


def _is_spiffs(plain: Data, convinces: Callable[[_Spiffs], bool]) -> bool:
    """Compare what each block lists with what its pages say of themselves."""
    for block in _BLOCKS:
        spiffs = _Spiffs(plain, block)
        if not spiffs.blocks or not _agrees(spiffs):
            continue
        if (stated := _stated_blocks(spiffs)) is not None:
            raise truncated(Detail.BYTES_MISSING, size=len(plain), expected=stated * block)
        if spiffs.is_marked or convinces(spiffs):
            if not _ends_well(spiffs):
                raise truncated(Detail.NO_WHOLE_BLOCKS, size=len(plain))
            return True
    return False


def _ends_well(spiffs: _Spiffs) -> bool:
    """Whether nothing is behind the last block but the flash that no block fits into.

    The layouts of ESP8266 cores before 2.5 end half a block behind the last one of 8192 bytes.
    """
    end = spiffs.blocks * spiffs.block
    return len(spiffs.plain) % _SECTOR == 0 and has_only_blank_behind(spiffs.plain, end)


def _agrees(spiffs: _Spiffs) -> bool:
    for number in range(spiffs.blocks):
        for entry, owner in enumerate(spiffs.listed(number)):
            if owner in {0, _FREE}:
                continue
            page = spiffs.page(number, entry)
            if int.from_bytes(spiffs.plain[page : page + 2], "little") != owner:
                return False
    return True


def _has_file(spiffs: _Spiffs) -> bool:
    """Whether a page describes a file: the first of its index, with a size and a name."""
    for number in range(spiffs.blocks):
        for entry, owner in enumerate(spiffs.listed(number)):
            if owner & _INDEX and owner != _FREE:
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
    first, second = (spiffs.mark(number) ^ _MAGIC for number in (0, 1))
    return first if first == second + 1 and first > spiffs.blocks else None
