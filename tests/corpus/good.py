"""Images that a module takes, of every chip, core generation and kind that can be told apart."""

from collections.abc import Callable
import gzip
import random
import struct
import zlib

from tests.virtual_module import Chip, build_filesystem, build_image, gzip_image

from .case import Case, patched
from .espressif import (
    old_esp8266,
    partition_table,
    seal_esp32,
    secure_boot_1,
    secure_boot_block,
    without_words,
)
from .filesystems import fat, littlefs, spiffs
from .pico import pico2

SMALL = 48 * 1024


def _image(chip: str, **options: object) -> bytes:
    return build_image(chip, **({"size": SMALL} | options))  # type: ignore[arg-type]


def _trailer(payload: bytes, length: int = 256) -> bytes:
    """Return a payload as signed; who would check it has the key, not this corpus."""
    return payload + random.Random(length).randbytes(length) + struct.pack("<I", length)


def _packed(payload: bytes, level: int) -> bytes:
    return gzip.compress(payload, level, mtime=0)


def _packed_with_name(payload: bytes) -> bytes:
    """Return gzip as the command line tool writes it, with a file name and a time."""
    head = b"\x1f\x8b\x08\x08" + struct.pack("<I", 1_700_000_000) + b"\x02\x03firmware.bin\0"
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (
        head
        + body.compress(payload)
        + body.flush()
        + struct.pack("<II", zlib.crc32(payload), len(payload))
    )


def _to_sector(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // 4096) * 4096, b"\xff")


def _esp32(at: int, new: bytes, *, digest: bool = True) -> Callable[[], bytes]:
    def make() -> bytes:
        image = _image("esp32", size=128 * 1024)
        return seal_esp32(patched(image, at, new), append_digest=digest)

    return make


def _sketches() -> list[tuple[str, str, Callable[[], bytes]]]:
    """Return name, chip and maker of the sketches."""
    esp8266 = lambda **options: _image("esp8266", **options)  # noqa: E731 - short and local
    pico = lambda: _image("rp2040")  # noqa: E731
    flash_map = struct.pack("<IIII", 0x1017F000, 0x101FF000, 0x101FF000, 0x17F000)
    return [
        *((f"plain {chip}", chip, lambda chip=chip: _image(chip)) for chip in Chip),
        *(
            (f"esp8266 {size} kB", "esp8266", lambda size=size: esp8266(flash_size=size * 1024))
            for size in (256, 512, 1024, 2048, 8192, 16384)
        ),
        *(
            (f"{chip} {mode}", chip, lambda chip=chip, mode=mode: _image(chip, flash_mode=mode))
            for chip in ("esp8266", "esp32")
            for mode in ("qio", "qout", "dout")
        ),
        ("esp8266 without a marker", "esp8266", lambda: esp8266(marker=False)),
        ("esp8266 old core", "esp8266", lambda: old_esp8266(esp8266())),
        ("esp8266 old core, odd seed", "esp8266", lambda: old_esp8266(esp8266(seed=7))),
        ("esp8266 foreign tool", "esp8266", lambda: without_words(esp8266())),
        ("esp8266 signed", "esp8266", lambda: _trailer(esp8266())),
        ("esp8266 signed 4096", "esp8266", lambda: _trailer(esp8266(), 512)),
        ("esp8266 signed EC", "esp8266", lambda: _trailer(esp8266(), 64)),
        ("esp8266 old and signed", "esp8266", lambda: _trailer(old_esp8266(esp8266()))),
        ("esp8266 padded", "esp8266", lambda: _to_sector(esp8266())),
        ("esp8266 blank behind", "esp8266", lambda: esp8266().ljust(1 << 20, b"\xff")),
        ("esp8266 a mark behind", "esp8266", lambda: esp8266() + b"built by hand\n"),
        ("esp8266 1 MiB", "esp8266", lambda: esp8266(size=1000 * 1024)),
        *(
            (f"esp8266 gzip {level}", "esp8266", lambda level=level: _packed(esp8266(), level))
            for level in (0, 1, 6, 9)
        ),
        ("esp8266 gzip with a name", "esp8266", lambda: _packed_with_name(esp8266())),
        ("esp8266 gzip signed", "esp8266", lambda: _trailer(gzip_image(esp8266()))),
        ("esp8266 old gzip", "esp8266", lambda: gzip_image(old_esp8266(esp8266()))),
        ("esp32 without a digest", "esp32", _esp32(0x2000, b"", digest=False)),
        ("esp32 revisions", "esp32", _esp32(15, struct.pack("<HH", 301, 399))),
        (
            "esp32h4",
            "esp32h4",
            lambda: seal_esp32(patched(_image("esp32c6"), 12, struct.pack("<H", 28))),
        ),
        ("esp32 without a description", "esp32", _esp32(32, bytes(256))),
        (
            "esp32c3 without a description",
            "esp32c3",
            lambda: seal_esp32(patched(_image("esp32c3"), 32, bytes(256))),
        ),
        ("esp32 secure boot 1", "esp32", lambda: secure_boot_1(_image("esp32"))),
        (
            "esp32 secure boot 1 padded",
            "esp32",
            lambda: secure_boot_1(_image("esp32"), padded=True),
        ),
        ("esp32 chance table", "esp32", _esp32(0x6000, b"\xaa\x50")),
        ("esp32 table within", "esp32", _esp32(0x6000, partition_table())),
        ("esp32 own descriptor", "esp32", lambda: _image("esp32", descriptor=("pump", "2.1"))),
        ("esp32 without a marker", "esp32", lambda: _image("esp32", marker=False)),
        ("esp32 core signed", "esp32", lambda: _image("esp32") + random.Random(1).randbytes(512)),
        (
            "esp32c3 secure boot",
            "esp32c3",
            lambda: _to_sector(_image("esp32c3")) + _to_sector(secure_boot_block()),
        ),
        ("esp32 padded", "esp32", lambda: _to_sector(_image("esp32"))),
        ("esp32s3 2 MiB", "esp32s3", lambda: _image("esp32s3", size=2 << 20)),
        ("esp32 gzip", "esp32", lambda: gzip_image(_image("esp32"))),
        ("rp2040 gzip", "rp2040", lambda: gzip_image(pico())),
        ("rp2040 signed", "rp2040", lambda: _trailer(pico())),
        ("rp2040 gzip signed", "rp2040", lambda: _trailer(gzip_image(pico()))),
        ("rp2040 flash map", "rp2040", lambda: patched(pico(), 0x2FF0, flash_map)),
        ("rp2040 boot sector magic", "rp2040", lambda: patched(pico(), 510, b"\x55\xaa")),
        ("rp2040 ends in 256", "rp2040", lambda: pico() + bytes(256) + struct.pack("<I", 256)),
        ("rp2350 arm", "rp2350", pico2),
        ("rp2350 riscv", "rp2350", lambda: pico2(0x1121)),
        ("rp2350 two blocks", "rp2350", lambda: pico2(blocks=2)),
        ("rp2350 definition in its second block", "rp2350", lambda: pico2(blocks=2, defined_in=1)),
        ("rp2350 a mark of no block first", "rp2350", lambda: pico2(decoy=True)),
        ("rp2350 gzip", "rp2350", lambda: gzip_image(pico2())),
    ]


def _filesystems() -> list[tuple[str, Callable[[], bytes]]]:
    return [
        ("littlefs", littlefs),
        ("littlefs 8 kB blocks", lambda: littlefs(128 * 1024, 8192)),
        ("littlefs first superblock", lambda: littlefs(only=0)),
        ("littlefs second superblock", lambda: littlefs(only=1)),
        ("littlefs as formatted", lambda: littlefs(formatted=True)),
        ("littlefs 2.1", lambda: littlefs(version=0x20001)),
        ("littlefs grown", lambda: littlefs(grown_from=9)),
        ("littlefs grown, one superblock", lambda: littlefs(grown_from=9, only=1)),
        ("littlefs moved", lambda: littlefs(moved=True)),
        ("littlefs moved and grown", lambda: littlefs(moved=True, grown_from=4)),
        ("littlefs compact", lambda: littlefs(used=6)[: 6 * 4096]),
        ("littlefs compact 8 kB blocks", lambda: littlefs(1 << 20, 8192, used=9)[: 9 * 8192]),
        ("littlefs of the bench", build_filesystem),
        ("littlefs gzip", lambda: gzip_image(littlefs())),
        ("spiffs", spiffs),
        ("spiffs 8 kB blocks", lambda: spiffs(128 * 1024, 8192)),
        ("spiffs 64 kB blocks", lambda: spiffs(256 * 1024, 65536)),
        ("spiffs half a block over", lambda: spiffs(0xFB000, 8192)),
        ("spiffs magic, half a block over", lambda: spiffs(0x1B000, 8192, files=(), magic=True)),
        ("spiffs magic", lambda: spiffs(magic=True)),
        ("spiffs magic and empty", lambda: spiffs(files=(), magic=True)),
        ("fat", fat),
        ("fat 4 kB sectors", lambda: fat(512 * 1024, 4096)),
        ("fat wear levelled", lambda: fat(levelled=True)),
    ]


GOOD = [
    *(Case(name, make, kind="sketch", chip=chip) for name, chip, make in _sketches()),
    *(Case(name, make, kind="filesystem") for name, make in _filesystems()),
]
