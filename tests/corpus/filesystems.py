"""Filesystem images as mklittlefs, mkspiffs and fatfsgen lay them out, small ones."""

import random
import struct
import zlib

PAGE = 256


def littlefs(
    size: int = 64 * 1024,
    block: int = 4096,
    *,
    seed: int = 0,
    used: int = 0,
    only: int = -1,
    revisions: tuple[int, int] = (1, 2),
    version: int = 0x20000,
    formatted: bool = False,
    grown_from: int = 0,
    moved: bool = False,
    names: tuple[int, int] = (32, 32),
) -> bytes:
    """Return a LittleFS with one file in its second half, or in the second half of `used` blocks.

    `only` leaves one of both superblocks; `formatted` keeps the log as it was begun; `grown_from`
    blocks is what it had before; `moved` puts the root, with a superblock of its own, behind it;
    `names` is how long the first superblock and the next let names be.
    """
    count, used = size // block, used or size // block
    data = bytearray(b"\xff" * size)
    source = random.Random(f"littlefs/{size}/{block}/{seed}")
    content = _put_file(data, block, range(used // 2, used), source)
    last = struct.pack("<II", used - 1, content)
    file = ((0x00100404, b"file"), (0x20200408, last))
    before = _superblock(version, block, grown_from or count, names[0])
    after = _superblock(version, block, count, names[1])[1:]
    for number in (0, 1):
        log = _Log(revisions[number])
        created = ((0x40100000, b""),) if formatted else ()
        if moved:
            log.commit(*before, (0x60000008, struct.pack("<II", 2, 3)))
        else:
            log.commit(*created, *before, (0x40100400, b""), *file, (0x300FFFFF, b""))
            log.commit(*(after if grown_from else ()))
        data[number * block : (number + 1) * block] = log.data.ljust(block, b"\xff")
    if moved:
        log = _Log(9)
        log.commit(*before[:1], *after, (0x40100400, b""), *file)
        data[2 * block : 3 * block] = log.data.ljust(block, b"\xff")
    if only >= 0:
        data[(1 - only) * block : (2 - only) * block] = b"\xff" * block
    return bytes(data)


def _put_file(data: bytearray, block: int, blocks: range, source: random.Random) -> int:
    """Fill blocks with one file; return how many bytes it has."""
    content = 0
    for index, number in enumerate(blocks):
        pointers = (index & -index).bit_length()
        head = b"".join(struct.pack("<I", number - (1 << bit)) for bit in range(pointers))
        at = number * block
        data[at : at + block] = head + source.randbytes(block - len(head))
        content += block - len(head)
    return content


def _superblock(version: int, block: int, count: int, names: int) -> tuple[tuple[int, bytes], ...]:
    geometry = struct.pack("<6I", version, block, count, names, 0x7FFFFFFF, 1022)
    return (0x0FF00008, b"littlefs"), (0x20100018, geometry)


class _Log:
    """A metadata block: commits of tags, each XORed with the one before."""

    def __init__(self, revision: int) -> None:
        self.data, self._before = struct.pack("<I", revision), 0xFFFFFFFF
        self._summed = 0

    def commit(self, *tags: tuple[int, bytes]) -> None:
        """Add tags and their CRC; none at all is no commit."""
        if not tags:
            return
        for tag, content in (*tags, (0x500FFC04, b"")):
            self.data += (tag ^ self._before).to_bytes(4) + content
            self._before = tag
        crc = zlib.crc32(self.data[self._summed :]) ^ 0xFFFFFFFF
        self.data += struct.pack("<I", crc)
        self._summed = len(self.data)


def spiffs(
    size: int = 64 * 1024,
    block: int = 4096,
    *,
    files: tuple[str, ...] = ("/index.html", "/settings.json"),
    magic: bool = False,
    magic_length: bool = True,
    first: int = 1,
    seed: int = 0,
) -> bytes:
    """Return a SPIFFS with 256-byte pages; each file has an index page and two data pages.

    `first` is the number of the first file: those before it were deleted.
    """
    source = random.Random(f"spiffs/{size}/{block}/{seed}")
    data = bytearray(b"\xff" * size)
    lookup = -(-(block // PAGE * 2) // PAGE)
    pages = [
        (number * block + entry * 2, number * block + (lookup + entry) * PAGE)
        for number in range(size // block)
        for entry in range(block // PAGE - lookup)
    ]
    free = iter(pages)
    for owner, name in enumerate(files, first):
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
