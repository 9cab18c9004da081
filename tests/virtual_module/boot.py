"""From staged bytes to a running sketch: what boot stages do at a restart."""

import zlib

from .chips import CHIPS, Chip, Family
from .images import FLASH_MODES
from .inspect_image import BadImageError, gunzip, is_gzip, verify

_SECTOR = 4096
_INT32_SIGN = 1 << 31
_CAN = {
    "dout": {"dout"},
    "dio": {"dio", "dout"},
    "qout": {"qout", "dout"},
    "qio": {"qio", "qout", "dio", "dout"},
}
"""Modes that a flash chip can be read in, by the most demanding of them."""


def after_restart(chip: Chip, old: bytes, staged: bytes, staged_at: int) -> bytes:
    """Return the sketch in flash after the staged payload was put in place.

    Raises `BadImageError` if nothing bootable is left: the module is a brick.
    """
    family = CHIPS[chip].family
    if family is Family.ESP8266:
        flash = eboot(old, staged, staged_at)
    elif family is Family.PICO and is_gzip(staged):
        flash = gunzip(staged)
    else:
        flash = staged
    if flash != old:
        verify(flash, chip)
    return flash


def in_flash_mode(image: bytes, mode: str | None, *, patched: bool) -> bytes:
    """Return an ESP8266's image as it is in a flash chip that can do no more than one mode.

    The Updater patches the mode of a plain image; in a gzip it cannot, and a chip that is
    read in a mode it does not have returns nothing that could run.
    """
    if mode is None or image[2] == FLASH_MODES[mode]:
        return image
    if patched:
        return image[:2] + bytes([FLASH_MODES[mode]]) + image[3:]
    asked = next(name for name, number in FLASH_MODES.items() if number == image[2])
    if asked not in _CAN[mode]:
        raise BadImageError(f"flash mode {asked}, and the chip can do {mode} at most")
    return image


def eboot(old: bytes, staged: bytes, staged_at: int) -> bytes:
    """Copy as eboot does: sector by sector over the old sketch, believing the gzip trailer.

    It erases a sector before it unpacks what goes there, and reads the staged file in blocks, from
    the very flash that it writes to. A failed copy resets the chip without another try, so what has
    been overwritten by then stays overwritten (bootloaders/eboot/eboot.c of the ESP8266 core).
    """
    if not is_gzip(staged):
        return staged
    left = int.from_bytes(staged[-4:], "little")
    if left & _INT32_SIGN or not left:
        return old
    flash = bytearray(b"\xff" * (staged_at + len(staged) + _SECTOR))
    flash[: len(old)] = old
    flash[staged_at : staged_at + len(staged)] = staged
    # The header is looked at before anything is erased, and with it the first block is read.
    unpacker, block = zlib.decompressobj(31), bytes(flash[staged_at : staged_at + _SECTOR])
    read_at = staged_at + _SECTOR
    for at in range(0, left, _SECTOR):
        flash[at : at + _SECTOR] = b"\xff" * _SECTOR
        piece, wanted = b"", min(left - at, _SECTOR)
        try:
            while len(piece) < wanted and not unpacker.eof:
                piece += unpacker.decompress(block, wanted - len(piece))
                block = unpacker.unconsumed_tail
                if len(piece) < wanted and not block:
                    block, read_at = bytes(flash[read_at : read_at + _SECTOR]), read_at + _SECTOR
                    if not block:
                        break
        except zlib.error:
            break
        flash[at : at + len(piece)] = piece
    return bytes(flash[:left])
