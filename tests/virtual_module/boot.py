"""From staged bytes to a running sketch: what boot stages do at a restart."""

from .chips import CHIPS, Chip, Family
from .images import FLASH_MODES
from .inspect_image import BadImageError, gunzip, is_gzip, unpack_stream, verify

_SECTOR = 4096
_INT32_SIGN = 1 << 31


def after_restart(chip: Chip, old: bytes, staged: bytes, staged_at: int) -> bytes:
    """Return the sketch in flash after the staged payload was put in place.

    Raises `BadImageError` if nothing bootable is left: the module is a brick.
    """
    family = CHIPS[chip].family
    if family is Family.ESP8266:
        flash = _eboot(old, staged, staged_at)
    elif family is Family.PICO and is_gzip(staged):
        flash = gunzip(staged)
    else:
        flash = staged
    if flash != old:
        verify(flash, chip)
    return flash


def in_flash_mode(image: bytes, mode: str | None, *, patched: bool) -> bytes:
    """Return an ESP8266's image as it is in a flash chip that works in one mode only.

    The Updater patches the mode of a plain image; in a gzip it cannot, and a chip that is
    read in a mode it does not have returns nothing that could run.
    """
    if mode is None or image[2] == FLASH_MODES[mode]:
        return image
    if not patched:
        raise BadImageError(f"flash mode {image[2]}, and the chip is {mode} only")
    return image[:2] + bytes([FLASH_MODES[mode]]) + image[3:]


def _eboot(old: bytes, staged: bytes, staged_at: int) -> bytes:
    """Copy as eboot does: sector by sector over the old sketch, believing the gzip trailer.

    A failed copy resets the chip without another try, so what has been overwritten by then
    stays overwritten (bootloaders/eboot/eboot.c of the ESP8266 core).
    """
    if not is_gzip(staged):
        return staged
    left = int.from_bytes(staged[-4:], "little")
    if left & _INT32_SIGN or not left:
        return old
    new = bytearray()
    try:
        for consumed, piece in unpack_stream(staged, _SECTOR):
            new += piece
            # Sectors that eboot has written over the staged file before reading it.
            if len(new) > staged_at + consumed and consumed < len(staged):
                raise BadImageError("unpacked over the compressed image")
    except BadImageError:
        whole = len(new) // _SECTOR * _SECTOR
        return bytes(new[:whole]) + old[whole:]
    return bytes(new[:left])
