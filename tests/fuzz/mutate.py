"""Changes to bytes that parsers trip over: lengths, ends, fields, seams."""

from collections.abc import Callable
import hashlib
import random
import struct
import zlib

from tests.corpus.espressif import seal_esp32

_SECTOR = 4096
_NUMBERS = (0, 1, 2, 7, 8, 15, 16, 17, 0x7F, 0x80, 0xFF, 0xFFF, 0x1000, 0x7FFF, 0xFFFF)
_WORDS = (0x10000, 0x00FFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
_FIELDS = (
    *range(34), 48, 80, 144, 252, 253, 510, 511, 0x2FF0, 0x2FFC,  # headers, boot sectors
    *range(0x1000, 0x1022), *range(0x8000, 0x8040), *range(0x10000, 0x10022),
)  # fmt: skip
_MARKER = b"ESP_OTA_FW:pump:1.0;"


def _place(data: bytearray, source: random.Random) -> int:
    """Return an offset: that of a field half of the time."""
    at = source.choice(_FIELDS) if source.random() < 0.5 else source.randrange(len(data))
    return min(at, len(data) - 1)


def _bit(data: bytearray, source: random.Random) -> None:
    data[_place(data, source)] ^= 1 << source.randrange(8)


def _byte(data: bytearray, source: random.Random) -> None:
    data[_place(data, source)] = source.choice(_NUMBERS) & 0xFF


def _word(data: bytearray, source: random.Random) -> None:
    values = (*_NUMBERS, *_WORDS, len(data), len(data) - 1, len(data) + 1, source.getrandbits(32))
    size = source.choice((2, 4))
    at = _place(data, source)
    data[at : at + size] = source.choice(values).to_bytes(8, "little", signed=True)[:size]


def _cut(data: bytearray, source: random.Random) -> None:
    del data[_place(data, source) :]


def _cut_end(data: bytearray, source: random.Random) -> None:
    del data[max(0, len(data) - source.choice((1, 4, 16, 32, 33, 260, 512, 4096))) :]


def _grow(data: bytearray, source: random.Random) -> None:
    size = source.choice((1, 4, 16, 256, 260, 512, 1216, 4096, 4097))
    data += source.choice((bytes(size), b"\xff" * size, source.randbytes(size)))


def _trailer(data: bytearray, source: random.Random) -> None:
    size = source.choice((64, 96, 128, 256, 384, 512, 513))
    data += source.randbytes(size) + struct.pack("<I", size)


def _erase(data: bytearray, source: random.Random) -> None:
    at, size = _place(data, source), source.choice((4, 32, 256, _SECTOR))
    size = min(size, len(data) - at)
    data[at : at + size] = source.choice((b"\0", b"\xff", source.randbytes(1))) * size


def _repeat(data: bytearray, source: random.Random) -> None:
    at, size = _place(data, source), source.choice((1, 8, 32, 256))
    data[at:at] = data[at : at + size] * source.randint(1, 4)


def _move(data: bytearray, source: random.Random) -> None:
    begin, at = _place(data, source), _place(data, source)
    piece = data[begin : begin + source.choice((2, 4, 8, 24, 32, 256))]
    data[at : at + len(piece)] = piece


def _shift(data: bytearray, source: random.Random) -> None:
    data[:0] = source.choice((b"\xff", b"\0")) * source.choice((1, 16, _SECTOR, 2 * _SECTOR))


def _mark(data: bytearray, source: random.Random) -> None:
    at = _place(data, source)
    data[at : at + len(_MARKER)] = _MARKER


def _seal(data: bytearray, _source: random.Random) -> None:
    """Make checksum and SHA-256 of an ESP32 image right again, so that the rest is looked at."""
    end = 24
    for _ in range(data[1] if len(data) > 32 and data[0] == 0xE9 else 0):
        end += 8 + int.from_bytes(data[end + 4 : end + 8], "little")
    if 32 < end <= len(data):
        data[:] = seal_esp32(bytes(data), append_digest=data[23] == 1)


def _seal_littlefs(data: bytearray, _source: random.Random) -> None:
    """Make the CRC right that follows name and geometry in a superblock."""
    if len(data) > 64:
        data[56:60] = struct.pack("<I", zlib.crc32(data[:56]) ^ 0xFFFFFFFF)


def _seal_table(data: bytearray, _source: random.Random) -> None:
    """Make the MD5 of a partition table right."""
    end = data.find(b"\xeb\xeb" + b"\xff" * 14, 0x1000, 0x9000)
    begin = end & ~0xFFF
    if end > 0:
        md5 = hashlib.md5(data[begin:end], usedforsecurity=False)
        data[end + 16 : end + 32] = md5.digest()


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _bit, _byte, _word, _word, _cut, _cut_end, _grow, _trailer, _erase, _repeat, _move, _shift,
    _mark, _seal, _seal_littlefs, _seal_table,
)  # fmt: skip


def changed(data: bytes, source: random.Random) -> bytes:
    """Return a copy with a few changes, one after the other."""
    content = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 3, 5, 8))):
        if not content:
            break
        source.choice(CHANGES)(content, source)
    return bytes(content)


def spliced(first: bytes, second: bytes, source: random.Random) -> bytes:
    """Return the beginning of one and the end of another, at a seam that parsers look at."""
    at = source.choice((8, 16, 24, 32, 256, _SECTOR, 0x8000, source.randrange(len(first) + 1)))
    return first[:at] + second[source.choice((0, at)) :]
