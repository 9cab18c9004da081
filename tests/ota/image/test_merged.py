"""Images for a serial cable are refused, and what their partition table says is kept."""

from collections.abc import Callable
import gzip
import random
import struct

import pytest

from custom_components.esp_ota.ota import (
    MAX_FILE_SIZE,
    Cause,
    Chip,
    Marker,
    Slot,
    read_filesystem_area,
    read_image,
    read_marker,
    read_slots,
)
from custom_components.esp_ota.ota.exceptions import ImageError
from tests.corpus.espressif import (
    PARTITIONS,
    esp32_boot_loader,
    merged,
    partition_table,
    seal_esp32,
)
from tests.corpus.filesystems import littlefs
from tests.virtual_module import build_image

APP = build_image("esp32s3", size=32 * 1024)
SLOTS = (Slot(name="app0", size=0x140000, ota=True), Slot(name="app1", size=0x140000, ota=True))


def cause_of(data: bytes) -> Cause:
    with pytest.raises(ImageError) as caught:
        read_image(data)
    return caught.value.cause


@pytest.mark.parametrize(
    "data",
    [
        merged(APP, 0),
        merged(APP, 0x1000),
        merged(APP, 0x2000),
        merged(APP, 0x1000, begins_at=0x1000),
        merged(APP, 0, table_at=0x10000),
        merged(APP, 0x1000).replace(b"\xff" * 0x1000, bytes(0x1000), 1),
        merged(b"", 0x1000),
    ],
    ids=["s3", "esp32", "p4", "from 0x1000", "late table", "zeros in front", "without an app"],
)
def test_a_merged_image_is_for_a_serial_cable(data: bytes) -> None:
    assert cause_of(data) is Cause.MERGED_IMAGE
    assert cause_of(gzip.compress(data)) is Cause.MERGED_IMAGE
    assert read_slots(data) == SLOTS
    assert read_slots(gzip.compress(data)) == SLOTS


def test_a_lone_partition_table_is_no_sketch_but_names_slots() -> None:
    assert cause_of(partition_table()) is Cause.PARTITION_TABLE
    assert read_slots(partition_table()) == SLOTS
    assert read_slots(partition_table(md5=False)) == SLOTS


def test_the_table_says_how_much_room_there_is_for_files_unless_there_is_a_choice() -> None:
    assert (
        read_filesystem_area(merged(APP, 0)) == read_filesystem_area(partition_table()) == 0x160000
    )
    second = (*PARTITIONS, (1, 0x83, 0x3F0000, 0x10000, b"more"))
    assert read_filesystem_area(partition_table(second)) is None
    assert read_filesystem_area(partition_table(PARTITIONS[:4])) is None


def test_a_factory_slot_takes_no_updates() -> None:
    table = partition_table(
        ((0, 0, 0x10000, 0x100000, b"factory"), (0, 32, 0x110000, 4096, b"test"))
    )
    assert read_slots(table) == (Slot(name="factory", size=0x100000, ota=False),)


@pytest.mark.parametrize("chip", ["esp8266", "esp32", "rp2040"])
def test_a_sketch_names_no_slots(chip: str) -> None:
    assert read_slots(build_image(chip)) == ()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_marker_of_a_merged_image_is_read(pack: Callable[[bytes], bytes]) -> None:
    assert read_marker(pack(merged(APP, 0))) == Marker(name="garden-valve", version="1.0.0")
    assert read_marker(pack(partition_table())) is None


def test_what_cannot_be_unpacked_has_no_slots() -> None:
    with pytest.raises(ImageError):
        read_slots(gzip.compress(merged(APP, 0))[:-20])
    with pytest.raises(ImageError):
        read_slots(bytes(MAX_FILE_SIZE + 1))


@pytest.mark.parametrize(
    "table",
    [
        b"\xaa\x50",
        partition_table()[:64],
        partition_table()[:-1][:100],
        partition_table().replace(b"otadata", b"otadatb"),
        partition_table().replace(b"nvs", b"nv\xff"),
        partition_table(((0, 16, 0x10001, 0x140000, b"app0"),)),
        partition_table(((0, 16, 0x10000, 0, b"app0"),)),
        partition_table(tuple(PARTITIONS[:1]) * 96, md5=False)[: 96 * 32],
    ],
    ids=["two bytes", "unended", "cut", "md5", "name", "offset", "size", "endless"],
)
def test_half_a_table_makes_no_merged_image(table: bytes) -> None:
    loader = esp32_boot_loader(0xA000)
    data = seal_esp32(loader[:0x8000] + table + loader[0x8000 + len(table) :])
    assert cause_of(data) is Cause.BOOTLOADER_IMAGE
    assert read_slots(data) == ()


def test_a_whole_table_in_a_sketch_makes_it_no_merged_image() -> None:
    data = build_image("esp32", size=256 * 1024)
    data = seal_esp32(data[:0x8000] + partition_table() + data[0x8C00:])
    assert read_image(data).chip is Chip.ESP32


def test_a_boot_loader_with_its_description_cut_off_is_still_one() -> None:
    assert cause_of(esp32_boot_loader()) is Cause.BOOTLOADER_IMAGE


@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
def test_files_behind_a_sketch_make_it_a_whole_flash(chip: str) -> None:
    sketch = build_image(chip)
    flash = sketch.ljust(0x20000, b"\xff") + littlefs()
    assert cause_of(flash) is Cause.MERGED_IMAGE


@pytest.mark.parametrize("fill", [b"\xff", b"\0"])
@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
def test_blank_flash_behind_a_sketch_does_no_harm(chip: str, fill: bytes) -> None:
    sketch = build_image(chip)
    image = read_image(sketch.ljust(1 << 20, fill))
    assert (image.size, image.plain_md5) == (1 << 20, read_image(sketch).plain_md5)


@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
def test_a_few_bytes_behind_a_sketch_do_no_harm(chip: str) -> None:
    noise = random.Random(0).randbytes(4096)
    assert read_image(build_image(chip) + noise).chip == chip
    assert cause_of(build_image(chip) + noise + b"\1") is Cause.MERGED_IMAGE


def test_a_length_is_not_believed_when_it_points_behind_the_flash() -> None:
    entry = (0, 16, 0xFFFFF000, 0xFFFFFFFF, b"app0")
    assert read_slots(partition_table((entry,))) == (Slot(name="app0", size=0xFFFFFFFF, ota=True),)
    assert struct.calcsize("<2sBBII16sI") == 32
