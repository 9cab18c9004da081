"""Partition tables, and the merged images for a serial cable that they are found in.

After ESP-IDF's `gen_esp32part.py`: entries of 32 bytes, ended by their MD5 or by blank flash.
"""

from dataclasses import dataclass
import hashlib
import struct
from typing import Final

from ..models import Slot
from ._espressif import DESCRIPTION, DESCRIPTION_AT, MAGIC
from ._sums import Data

_ENTRY_SIZE: Final = 32
_ENTRY: Final = b"\xaa\x50"
_MD5: Final = b"\xeb\xeb".ljust(16, b"\xff")
_BLANK: Final = b"\xff" * _ENTRY_SIZE
_MAX_ENTRIES: Final = 95
_SECTOR: Final = 0x1000
_TABLE_AT: Final = range(0, 0x21000, _SECTOR)
"""0x8000 in most builds; 0x7000 where the file begins with the ESP32's boot loader, whose place
in flash is 0x1000."""
_APP: Final = 0
_OTA_SLOTS: Final = range(0x10, 0x20)
_FACTORY: Final = 0
_DATA: Final = 1
_FILESYSTEMS: Final = (0x81, 0x82, 0x83)
"""FAT, SPIFFS, and LittleFS, which mostly goes to a partition of the second kind."""
_BLANKS: Final = (b"\xff" * 16, bytes(16))
"""What tools fill the space in front of the boot loader with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One entry of a table."""

    kind: int
    subtype: int
    size: int
    name: str


def find_table(plain: Data) -> tuple[Partition, ...]:
    """Return the entries of the first whole partition table, none where there is none."""
    for at in _TABLE_AT:
        if plain[at : at + 2] == _ENTRY and (table := _read_table(plain, at)):
            return table
    return ()


def slots_of(table: tuple[Partition, ...]) -> tuple[Slot, ...]:
    """Return the partitions that hold a sketch."""
    return tuple(
        Slot(name=item.name, size=item.size, ota=item.subtype in _OTA_SLOTS)
        for item in table
        if item.kind == _APP and (item.subtype in _OTA_SLOTS or item.subtype == _FACTORY)
    )


def filesystem_area_of(table: tuple[Partition, ...]) -> int | None:
    """Return the size of the one partition for files, None where there is none or a choice."""
    sizes = [item.size for item in table if item.kind == _DATA and item.subtype in _FILESYSTEMS]
    return sizes[0] if len(sizes) == 1 else None


def _read_table(plain: Data, begin: int) -> tuple[Partition, ...]:
    """Read entries up to a proper end; the two bytes of an entry alone turn up anywhere."""
    table: list[Partition] = []
    for at in range(begin, begin + _MAX_ENTRIES * _ENTRY_SIZE, _ENTRY_SIZE):
        entry = bytes(plain[at : at + _ENTRY_SIZE])
        if entry == _BLANK or at == len(plain):
            return tuple(table)
        if entry[:16] == _MD5:
            md5 = hashlib.md5(memoryview(plain)[begin:at], usedforsecurity=False)
            return tuple(table) if md5.digest() == entry[16:] else ()
        if len(entry) < _ENTRY_SIZE or entry[:2] != _ENTRY:
            return ()
        kind, subtype, offset, size, name = struct.unpack("<2xBBII16s4x", entry)
        text = name.partition(b"\0")[0]
        if offset % _SECTOR or not size or not text.isascii():
            return ()
        table.append(Partition(kind=kind, subtype=subtype, size=size, name=text.decode()))
    return ()


def is_merged(plain: Data) -> bool:
    """Whether boot loader and partition table are in one file, with or without a sketch.

    A sketch may hold a table of its own; it begins with a description that boot loaders lack.
    """
    if plain[0] == MAGIC or bytes(plain[:16]) in _BLANKS:
        return plain[DESCRIPTION_AT : DESCRIPTION_AT + 4] != DESCRIPTION and bool(find_table(plain))
    return False
