"""Files that must not reach a module, each with the slug it is refused with."""

from collections.abc import Callable
from functools import cache
import gzip
import random
import struct
import zlib

from tests.virtual_module import build_image, gzip_image

from .case import Case, flipped, patched
from .espressif import (
    digested_boot_loader,
    esp32_boot_loader,
    esp32_ram_image,
    esp8266_boot_loader,
    merged,
    nvs,
    old_esp8266,
    partition_table,
    seal_esp32,
    secure_boot_1,
    secure_boot_block,
)
from .filesystems import fat, littlefs, spiffs
from .pico import pico2, vectors

SMALL = 48 * 1024
MIB = 1 << 20

type Bad = tuple[str, Callable[[], bytes]]


@cache
def _sketch(chip: str) -> bytes:
    return build_image(chip, size=SMALL)


@cache
def _packed() -> bytes:
    return gzip_image(_sketch("esp8266"))


def _noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def _boot_app0() -> bytes:
    """Return what the Arduino core flashes so that the first slot is booted."""
    return struct.pack("<I20xII", 1, 0xFFFFFFFF, 0x4743989A)


def _bomb() -> bytes:
    """Return a small file that would unpack to more than any flash."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(40)) + packer.flush()


def _micropython() -> bytes:
    """Return an ESP8266 image laid out as other tool chains do: no boot stage, code at 0x9000."""
    head = struct.pack("<BBBBI", 0xE9, 1, 0, 0x40, 0x401000B8)
    return (head + struct.pack("<II", 0x40100000, 0x7000) + _noise(0x7000)).ljust(SMALL, b"\xff")


OTHER_KINDS: dict[str, list[Bad]] = {
    "empty_file": [
        ("empty", lambda: b""),
        ("empty gzip", lambda: gzip.compress(b"")),
    ],
    "elf_file": [
        ("elf", lambda: b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x02\0\x5e\0" + _noise(4096)),
        ("elf gzip", lambda: gzip.compress(b"\x7fELF\x01\x01\x01" + bytes(200))),
    ],
    "uf2_file": [("uf2", lambda: b"UF2\n\x57\x51\x5d\x9e" + bytes(504))],
    "hex_file": [
        ("intel hex", lambda: b":020000040000FA\r\n:10000000000400203D1C0010\r\n"),
        ("intel hex after a blank line", lambda: b"\n:100000000C9434000C943E000C943E000C943E\n"),
        ("motorola hex", lambda: b"S00F000068656C6C6F202020202000003C\n"),
    ],
    "html_page": [
        ("html", lambda: b"<!DOCTYPE html><html><title>404 Not Found</title></html>"),
        ("html after blank lines", lambda: b"\r\n\r\n  <html>"),
        ("xml with a mark", lambda: b"\xef\xbb\xbf<?xml version='1.0'?><Error/>"),
        ("html gzip", lambda: gzip.compress(b"<html>rate limit</html>")),
    ],
    "json_file": [
        ("json error", lambda: b'{"message":"Not Found","status":"404"}'),
        ("json manifest", lambda: b'\xef\xbb\xbf{\r\n  "name": "x", "builds": []}'),
        ("json list", lambda: b'[\n {"url": "a.bin"}]'),
        ("json of nothing", lambda: b"{}"),
    ],
    "zigbee_file": [
        ("zigbee", lambda: b"\x1e\xf1\xee\x0b\0\1" + _noise(4096)),
        ("zigbee of ikea", lambda: b"NGIS\1\0\0\0" + _noise(4096)),
    ],
    "archive_file": [
        ("zip", lambda: b"PK\x03\x04" + _noise(4096)),
        ("7z", lambda: b"7z\xbc\xaf\x27\x1c" + _noise(4096)),
        ("xz", lambda: b"\xfd7zXZ\0" + _noise(4096)),
        ("bzip2", lambda: b"BZh9" + _noise(4096)),
        ("zstd", lambda: b"\x28\xb5\x2f\xfd" + _noise(4096)),
        ("swu", lambda: b"07070100000000000081a4" + _noise(4096)),
        ("swu with sums", lambda: b"07070200000000000081a4" + _noise(4096)),
        ("ar", lambda: b"!<arch>\ndebian-binary" + _noise(4096)),
        ("rar", lambda: b"Rar!\x1a\x07\x01\0" + _noise(4096)),
        ("gzip twice", lambda: gzip.compress(_packed())),
        ("tar", lambda: b"firmware.bin".ljust(257, b"\0") + b"ustar\x0000" + bytes(1024)),
    ],
    "encrypted_image": [
        ("encrypted for flash", lambda: _noise(SMALL)),
        ("encrypted for an update", lambda: b"\xcf\xb6\x88\x07" + _noise(SMALL)),
    ],
    "not_firmware": [
        ("text", lambda: b"Not Found"),
        ("one byte", lambda: b"\xe8"),
        ("zeros", lambda: bytes(SMALL)),
        ("blank flash", lambda: b"\xff" * SMALL),
        ("pattern", lambda: bytes(range(256)) * 64),
        ("pico cut to nothing", lambda: _sketch("rp2040")[:500]),
        ("pico from its middle", lambda: (b"\x10\xb5" + bytes(range(64))) * 512),
        ("area without a file", lambda: spiffs(files=())),
    ],
    "oversized_file": [
        ("larger than any flash", lambda: bytes(32 * MIB + 1)),
        ("gzip bomb", _bomb),
    ],
}

NOT_FOR_UPDATES: dict[str, list[Bad]] = {
    "foreign_layout": [
        ("esp8266 app without eboot", lambda: _sketch("esp8266")[0x1000:]),
        ("esp8266 micropython", _micropython),
    ],
    "pico_layout": [
        ("rp2040 without a boot stage", vectors),
        ("rp2350 without a block", lambda: vectors(0x20082000)),
        ("rp2040 behind another boot loader", lambda: _sketch("rp2040")[256:]),
        ("rp2350 of data", lambda: pico2(0x1020)),
        ("rp2350 of another chip", lambda: pico2(0x2021)),
        ("rp2040 by its definition", lambda: pico2(0x0021)),
        ("rp2350 with a late block", lambda: pico2(at=4096)),
    ],
    "bootloader_image": [
        ("boot loader", esp32_boot_loader),
        ("large boot loader", lambda: esp32_boot_loader(0xA000)),
        ("boot loader signed 1", lambda: secure_boot_1(esp32_boot_loader())),
        (
            "boot loader signed 2",
            lambda: esp32_boot_loader().ljust(0x8000, b"\xff") + secure_boot_block(),
        ),
        ("boot loader digested", digested_boot_loader),
        ("boot loader at its place", lambda: b"\xff" * 0x1000 + esp32_boot_loader()),
        ("boot loader of a p4", lambda: b"\xff" * 0x2000 + esp32_boot_loader()),
        ("esp8266 boot loader", esp8266_boot_loader),
    ],
    "ram_image": [
        ("esp32 for memory", esp32_ram_image),
        ("large esp32 for memory", lambda: esp32_ram_image(0x12000)),
        ("esp8266 for memory", lambda: esp8266_boot_loader(32)),
        ("large esp8266 for memory", lambda: esp8266_boot_loader(0x5000)),
    ],
    "sdk_image": [("sdk image", lambda: b"\xea\x04\x02\x40" + bytes(SMALL))],
    "partition_table": [
        ("partition table", partition_table),
        ("partition table without a sum", lambda: partition_table(md5=False)),
        ("partition table cut at its end", lambda: partition_table(md5=False)[: 5 * 32]),
    ],
    "ota_data": [
        ("boot_app0", lambda: _boot_app0().ljust(8192, b"\xff")),
        ("otadata, second sector", lambda: b"\xff" * 4096 + _boot_app0().ljust(4096, b"\xff")),
    ],
    "settings_image": [("nvs", nvs)],
    "merged_image": [
        ("merged s3", lambda: merged(_sketch("esp32s3"), 0)),
        ("merged esp32", lambda: merged(_sketch("esp32"), 0x1000)),
        ("merged p4", lambda: merged(_sketch("esp32p4"), 0x2000)),
        ("merged from 0x1000", lambda: merged(_sketch("esp32"), 0x1000, begins_at=0x1000)),
        ("merged late table", lambda: merged(_sketch("esp32c6"), 0, table_at=0x10000)),
        ("merged without an app", lambda: merged(b"", 0x1000)),
        ("merged gzip", lambda: gzip.compress(merged(_sketch("esp32"), 0x1000))),
        ("whole esp8266 flash", lambda: _sketch("esp8266").ljust(0x20000, b"\xff") + littlefs()),
        ("whole esp32 slot", lambda: _sketch("esp32").ljust(0x20000, b"\xff") + spiffs()),
    ],
    "unknown_chip": [
        (
            "esp32 of the future",
            lambda: seal_esp32(patched(_sketch("esp32"), 12, struct.pack("<H", 999))),
        ),
        ("esp32s31", lambda: seal_esp32(patched(_sketch("esp32"), 12, struct.pack("<H", 32)))),
    ],
}


def _cuts(chip: str, *places: int) -> list[Bad]:
    return [
        (f"{chip} cut at {at}", lambda at=at: _sketch(chip)[:at])  # type: ignore[misc]
        for at in places
    ]


def _flips(chip: str, *places: int) -> list[Bad]:
    return [
        (f"{chip} bit at {at}", lambda at=at: flipped(_sketch(chip), at))  # type: ignore[misc]
        for at in places
    ]


DAMAGED: dict[str, list[Bad]] = {
    "truncated_image": [
        *_cuts("esp8266", 1, 7, 100, 0x1000, 0x1010, 0x5000, -16, -1),
        *_cuts("esp32", 2, 23, 200, 0x4000, -33, -32, -1),
        *_cuts("esp32c3", 0x8000, -8),
        ("rp2350 cut", lambda: pico2(blocks=2)[:-20]),
        ("rp2350 cut in half", lambda: pico2(blocks=2)[:4096]),
        ("old esp8266 cut", lambda: old_esp8266(_sketch("esp8266"))[:-1]),
        ("gzip cut in its head", lambda: _packed()[:9]),
        ("gzip cut", lambda: _packed()[: SMALL // 4]),
        ("gzip without its size", lambda: _packed()[:-4]),
        ("gzip of a cut image", lambda: gzip_image(_sketch("esp8266")[:-100])),
        ("littlefs cut", lambda: littlefs()[:-4096]),
        ("littlefs compact cut", lambda: littlefs(used=6)[: 5 * 4096]),
        ("littlefs compact cut in a block", lambda: littlefs(used=6)[: 6 * 4096 - 1]),
        ("littlefs grown and cut", lambda: littlefs(grown_from=9)[:-4096]),
        ("littlefs moved and cut", lambda: littlefs(moved=True)[: 2 * 4096]),
        ("littlefs cut in its superblock", lambda: littlefs()[:40]),
        ("fat cut", lambda: fat()[:-512]),
        ("spiffs cut in a block", lambda: spiffs()[:-100]),
        ("spiffs cut in half a block over", lambda: spiffs(0xFB000, 8192)[:-100]),
        ("spiffs with code behind", lambda: spiffs(0xFA000, 8192) + bytes(range(256)) * 16),
        ("spiffs with magic cut", lambda: spiffs(magic=True)[: 8 * 4096]),
        ("endless segment", lambda: patched(_sketch("esp32"), 28, b"\xff\xff\xff\xff")),
        ("long length word", lambda: patched(_sketch("esp8266"), 0x1011, b"\xff")),
    ],
    "corrupt_image": [
        *_flips("esp8266", 2, 0x100, 0xFFF, 0x1014, 0x3000, -1),
        *_flips("esp32", 9, 0x1000, -33, -1),
        *_flips("esp32s2", 0x5000),
        ("esp8266 without its app", lambda: patched(_sketch("esp8266"), 0x1000, b"\xaa")),
        ("esp8266 no segments", lambda: patched(_sketch("esp8266"), 1, b"\0")),
        ("esp8266 many segments", lambda: patched(_sketch("esp8266"), 0x1001, b"\x11")),
        ("esp32 no segments", lambda: patched(_sketch("esp32"), 1, b"\0")),
        ("esp32 many segments", lambda: patched(_sketch("esp32"), 1, b"\xff")),
        ("old esp8266 bit", lambda: flipped(old_esp8266(_sketch("esp8266")), 0x4000)),
        ("rp2040 boot stage", lambda: flipped(_sketch("rp2040"), 100)),
        ("rp2350 without its second block", lambda: flipped(pico2(blocks=2), -20)),
        ("gzip bit", lambda: flipped(_packed(), SMALL // 3)),
        ("gzip crc", lambda: flipped(_packed(), -6)),
        ("gzip size", lambda: flipped(_packed(), -2)),
        ("gzip byte behind", lambda: _packed() + b"\0"),
        ("gzip two members", lambda: _packed() + _packed()),
        ("gzip of a damaged image", lambda: gzip_image(flipped(_sketch("esp8266"), 0x3000))),
        ("littlefs superblock", lambda: flipped(littlefs(only=0), 21)),
        ("littlefs without its root", lambda: flipped(littlefs(moved=True), 2 * 4096)),
        ("littlefs longer", lambda: littlefs() + bytes(4096)),
    ],
}

BAD = [
    Case(name, make, problem)
    for group in (OTHER_KINDS, NOT_FOR_UPDATES, DAMAGED)
    for problem, makers in group.items()
    for name, make in makers
]
