"""How large a module's area for files is, as far as it can be concluded.

No module states it. The linker scripts of esp8266/Arduino (`eagle.flash.*.ld`) let it begin where
the room for sketches ends, and end five sectors before the flash does, in whole blocks of 4096 or
8192 bytes. An ESP32's partition table names it.
"""

from typing import Final

from ..models import ChipFamily, ModuleFacts
from .packing import filesystem_start

_BEHIND: Final = 5 * 4096
"""EEPROM, radio calibration and the SDK's parameters end an ESP8266's flash."""
_FLASH_SIZES: Final = tuple(1 << bit for bit in range(19, 25))
_BLOCKS: Final = (4096, 8192)
LITTLEFS_OF_ESP8266: Final = (2, 0)
"""Newest layout on disk that the core's littlefs 2.5 mounts; 2.1 came with littlefs 2.6."""
LONGEST_NAME_OF_ESP8266: Final = 32
"""`LFS_NAME_MAX` of the core: a superblock that allows longer names is not mounted."""
_LARGEST_OF_SMALL_BLOCKS: Final = 256 * 1024


def block_of_esp8266(size: int) -> int:
    """Return the bytes of a block in an ESP8266's area of some size, as its linker scripts have it.

    The core mounts a LittleFS of no other block; only a linker script of a person's own differs.
    """
    small, large = _BLOCKS
    return small if size <= _LARGEST_OF_SMALL_BLOCKS else large


def filesystem_areas(module: ModuleFacts) -> frozenset[int]:
    """Return the sizes that the area may have; none where nobody knows.

    A sketch may be built for less flash than there is, which leaves more than one.
    """
    family = module.chip.family if module.chip else module.family
    if family is not ChipFamily.ESP8266:
        return (
            frozenset() if module.filesystem_area is None else frozenset({module.filesystem_area})
        )
    if (start := filesystem_start(module)) is None:
        return frozenset()
    rooms = [
        flash - _BEHIND - start
        for flash in _FLASH_SIZES
        if start < flash - _BEHIND and flash <= (module.flash_size or flash)
    ]
    return frozenset(room // block * block for room in rooms for block in _BLOCKS)
