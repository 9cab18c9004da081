"""Merged images: boot loader, partition table and app in one file, as for a serial cable."""

from typing import Final

from ._espressif import MAGIC
from ._sums import Data

_ENTRY: Final = b"\xaa\x50"
_MD5: Final = b"\xeb\xeb"
_TABLE_AT: Final = 0x8000


def is_merged(plain: Data) -> bool:
    """Whether a partition table is where only a merged image has one.

    The two bytes turn up in sketches by chance; a table goes on with a second entry or its MD5.
    """
    entry, second = (plain[at : at + 2] for at in (_TABLE_AT, _TABLE_AT + 32))
    table = entry == _ENTRY and second in {_ENTRY, _MD5}
    return table and (plain[0] == MAGIC or plain[:16] == b"\xff" * 16)
