"""Filesystem images as mklittlefs, mkspiffs and fatfsgen lay them out, small ones."""

import random
import struct
import zlib

PAGE = 256


def littlefs(size: int = 64 * 1024, block: int = 4096, *, seed: int = 0, only: int = -1) -> bytes:
    """Return a LittleFS: both superblocks, or one of them, and blocks like those of files."""
    source = random.Random(f"littlefs/{size}/{block}/{seed}")
    data = bytearray(source.randbytes(size // 2).ljust(size, b"\xff"))
    commit = b""
    for number in (0, 1):
        commit = _superblock(number + 1, block, size // block)
        data[number * block : (number + 1) * block] = commit.ljust(block, b"\xff")
    if only >= 0:
        other = (1 - only) * block
        data[other : other + len(commit)] = b"\xff" * len(commit)
    return bytes(data)


def _superblock(revision: int, block: int, count: int) -> bytes:
    commit, before = struct.pack("<I", revision), 0xFFFFFFFF
    geometry = struct.pack("<6I", 0x20001, block, count, 255, 0x7FFFFFFF, 1022)
    # A name, the geometry, a deleted entry, the CRC.
    for tag, content in ((0x0FF00008, b"littlefs"), (0x20100018, geometry), (0x300FFFFF, b"")):
        commit += (tag ^ before).to_bytes(4) + content
        before = tag
    commit += (0x500FFC04 ^ before).to_bytes(4)
    return commit + struct.pack("<I", zlib.crc32(commit) ^ 0xFFFFFFFF)


def spiffs(
    size: int = 64 * 1024,
    block: int = 4096,
    *,
    files: tuple[str, ...] = ("/index.html", "/settings.json"),
    magic: bool = False,
    magic_length: bool = True,
    seed: int = 0,
) -> bytes:
    """Return a SPIFFS with 256-byte pages; each file has an index page and two data pages."""
    source = random.Random(f"spiffs/{size}/{block}/{seed}")
    data = bytearray(b"\xff" * size)
    lookup = -(-(block // PAGE * 2) // PAGE)
    pages = [
        (number * block + entry * 2, number * block + (lookup + entry) * PAGE)
        for number in range(size // block)
        for entry in range(block // PAGE - lookup)
    ]
    free = iter(pages)
    for owner, name in enumerate(files, 1):
        index = struct.pack(
            "<HHB3xIB32s", owner | 0x8000, 0, 0xF8, 2 * (PAGE - 5), 1, name.encode()
        )
        parts = [(owner | 0x8000, index.ljust(PAGE, b"\xff"))]
        heads = [struct.pack("<HHB", owner, span, 0xFC) for span in (0, 1)]
        parts += [(owner, head + source.randbytes(PAGE - 5)) for head in heads]
        for listed, page in parts:
            entry_at, page_at = next(free)
            struct.pack_into("<H", data, entry_at, listed)
            data[page_at : page_at + PAGE] = page
    if magic:
        for number in range(size // block):
            left = size // block - number if magic_length else 0
            at = number * block + lookup * PAGE - 4
            struct.pack_into("<H", data, at, (0x0529 ^ PAGE ^ left) & 0xFFFF)
    return bytes(data)


def fat(size: int = 128 * 1024, sector: int = 512, *, levelled: bool = False) -> bytes:
    """Return a FAT12; `levelled` puts the sector of the ESP32's wear levelling in front."""
    sectors = size // sector
    boot = struct.pack(
        "<3s8sHBHBHHBHHHIIBBBI11s8s",
        b"\xeb\xfe\x90", b"MSDOS5.0", sector, 1, 1, 2, 512, sectors, 0xF8, 1, 63, 255, 0, 0,
        0x80, 0, 0x29, 0x1234, b"NO NAME    ", b"FAT12   ",
    ).ljust(510, b"\0")  # fmt: skip
    image = bytearray((boot + b"\x55\xaa").ljust(size, b"\0"))
    for table in (1, 2):
        image[table * sector : table * sector + 3] = b"\xf8\xff\xff"
    return bytes(4096) + bytes(image) if levelled else bytes(image)
