"""What tests make of Espressif images: boot loaders, merged files, signatures."""

import functools
import hashlib
import operator
import random
import struct
import zlib

SECTOR = 4096
PARTITIONS = (
    (1, 2, 0x9000, 0x5000, b"nvs"),
    (1, 0, 0xE000, 0x2000, b"otadata"),
    (0, 16, 0x10000, 0x140000, b"app0"),
    (0, 17, 0x150000, 0x140000, b"app1"),
    (1, 0x82, 0x290000, 0x160000, b"spiffs"),
)


def seal_esp32(data: bytes, *, append_digest: bool = True) -> bytes:
    """Return an ESP32 image with checksum and SHA-256 made new."""
    at, checksum = 24, 0xEF
    for _ in range(data[1]):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        for byte in data[at + 8 : at + 8 + size]:
            checksum ^= byte
        at += 8 + size
    image = data[:23] + bytes([append_digest]) + data[24:at]
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest() if append_digest else image


def esp32_boot_loader(size: int = 0x5000) -> bytes:
    """Return a second stage boot loader: an image without an application descriptor."""
    head = struct.pack("<BBBBIB3xHBHH4xB", 0xE9, 1, 2, 0x2F, 0x400805E4, 0xEE, 0, 0, 0, 0, 1)
    description = bytes([0x50]).ljust(80, b"\0")
    body = description + bytes(size - len(description))
    return seal_esp32(head + struct.pack("<II", 0x3FFF0030, len(body)) + body)


def partition_table(
    entries: tuple[tuple[int, int, int, int, bytes], ...] = PARTITIONS, *, md5: bool = True
) -> bytes:
    """Return a table as `gen_esp32part.py` writes it, 3 kB with blank flash behind."""
    table = b"".join(struct.pack("<2sBBII16sI", b"\xaa\x50", *entry, 0) for entry in entries)
    if md5:
        digest = hashlib.md5(table, usedforsecurity=False).digest()
        table += b"\xeb\xeb".ljust(16, b"\xff") + digest
    return table.ljust(0xC00, b"\xff")


def merged(app: bytes, boot_loader_at: int, *, begins_at: int = 0, table_at: int = 0x8000) -> bytes:
    """Return boot loader, partition table and app in one file, as for a serial cable."""
    image = (b"\xff" * boot_loader_at + esp32_boot_loader()).ljust(table_at, b"\xff")
    image = (image + partition_table()).ljust(0x10000 - 0x8000 + table_at, b"\xff") + app
    return image[begins_at:]


def digested_boot_loader() -> bytes:
    """Return what `espsecure.py digest_secure_bootloader` makes: a digest in front."""
    return random.Random(3).randbytes(192).ljust(SECTOR, b"\xff") + esp32_boot_loader()


def esp8266_boot_loader(code: int = 2048) -> bytes:
    """Return an image that goes to an ESP8266's memory, as eboot and rBoot do."""
    segments = [(0x4010F000, random.Random(code).randbytes(code)), (0x3FFE8000, bytes(16))]
    image = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x40, 0x4010F000)
    image += b"".join(struct.pack("<II", at, len(data)) + data for at, data in segments)
    checksum = functools.reduce(operator.xor, segments[0][1], 0xEF)
    return image + bytes(15 - len(image) % 16) + bytes([checksum])


def esp32_ram_image(size: int = 64) -> bytes:
    """Return an image that goes to an ESP32's memory, as `esptool load_ram` takes it."""
    head = struct.pack("<BBBBIB14xB", 0xE9, 1, 0, 0, 0x4008C008, 0xEE, 0).ljust(24, b"\0")
    return seal_esp32(
        head + struct.pack("<II", 0x4008C000, size) + bytes(size), append_digest=False
    )


def nvs() -> bytes:
    """Return settings as `nvs_partition_gen.py` begins them."""
    head = struct.pack("<IB", 0, 0xFE) + b"\xff" * 19
    page = struct.pack("<I", 0xFFFFFFFE) + head
    return (page + struct.pack("<I", zlib.crc32(head, 0xFFFFFFFF))).ljust(3 * SECTOR, b"\xff")


def secure_boot_1(image: bytes, *, padded: bool = False) -> bytes:
    """Return an image as signed by `espsecure.py sign_data --version 1`."""
    return image + bytes(4) + random.Random(4).randbytes(64) + bytes(12 if padded else 0)


def secure_boot_block() -> bytes:
    """Return a signature block of ESP-IDF's secure boot 2, whose CRC is right."""
    block = b"\xe7\x02\0\0" + random.Random(1).randbytes(1192)
    return (block + struct.pack("<I", zlib.crc32(block))).ljust(1216, b"\0")


def without_words(image: bytes) -> bytes:
    """Return an ESP8266 image of a foreign tool, with zeros for length and CRC."""
    return image[: SECTOR + 16] + bytes(8) + image[SECTOR + 24 :]


def old_esp8266(image: bytes) -> bytes:
    """Return an ESP8266 image of an old core, which has code where length and CRC came later."""
    code = b"\x9e\x96\x69\x39\0\0\0\x70"
    end = SECTOR + 8
    for _ in range(image[SECTOR + 1]):
        end += 8 + int.from_bytes(image[end + 4 : end + 8], "little")
    data = bytearray(image)
    data[SECTOR + 16 : SECTOR + 24] = code
    data[end | 15] ^= functools.reduce(operator.xor, code)
    return bytes(data)
