"""The two checksums of Espressif and Raspberry Pi images."""

from functools import reduce
from operator import xor
import zlib

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc32_msb_first(data: bytes) -> int:
    """Return CRC-32 with polynomial 04C11DB7, MSB first, start FFFFFFFF, nothing inverted.

    ESP8266 images carry it at 0x1014, RP2040 boot stages in their last word. It is the
    mirror image of zlib's, so mirroring bytes and result spares a slow loop.
    """
    mirrored = zlib.crc32(data.translate(_REVERSED_BITS)) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def xor_checksum(data: bytes, start: int = 0xEF) -> int:
    """Return the XOR of all bytes, which closes a list of Espressif segments."""
    # Folding halves is far faster than a byte loop and XOR does not mind the order.
    value = int.from_bytes(data, "little")
    bits = len(data) * 8
    while bits > 64:
        half = (bits // 2 + 7) // 8 * 8
        value = (value >> half) ^ (value & ((1 << half) - 1))
        bits = half
    return reduce(xor, value.to_bytes(8, "little"), start)
