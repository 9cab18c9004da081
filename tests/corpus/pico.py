"""Images for the RP2350, told by their blocks, and ones that no Pico would start."""

import random
import struct

BEGIN, END = 0xFFFFDED3, 0xAB123579
ARM = 0x1021
"""Flags of an image definition: executable, secure, for Arm and the RP2350."""


def block(link: int, flags: int | None) -> bytes:
    """Return a block with an image definition, or with an item that is to be ignored."""
    item = struct.pack("<BBH", 0xFE, 1, 0) if flags is None else struct.pack("<BBH", 0x42, 1, flags)
    return struct.pack("<I4sBHBiI", BEGIN, item, 0xFF, 1, 0, link, END)


def pico2(
    flags: int = ARM,
    size: int = 8192,
    *,
    blocks: int = 1,
    defined_in: int = 0,
    decoy: bool = False,
    at: int = 0x138,
) -> bytes:
    """Return flash contents with blocks in a ring: one near the beginning, one at the end."""
    data = bytearray(random.Random(flags).randbytes(size))
    data[:16] = struct.pack("<IIII", 0x20082000, 0x1000015D, 0x1000011B, 0x1000011D)
    if decoy:
        struct.pack_into("<I", data, 0x100, BEGIN)
    places = [at, size - 20][:blocks]
    for number, place in enumerate(places):
        link = places[(number + 1) % blocks] - place
        data[place : place + 20] = block(link, flags if number == defined_in else None)
    return bytes(data)


def vectors(stack: int = 0x20042000, at: int = 0) -> bytes:
    """Return flash contents that begin with a vector table, which no boot ROM starts."""
    table = struct.pack("<IIII", stack, 0x100001F7, 0x100001C3, 0x100001C5)
    return bytes(at) + table + random.Random(stack).randbytes(16384)
