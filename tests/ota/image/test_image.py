"""Facts are read from good images of every chip, and files of other kinds are named."""

from collections.abc import Callable
import gzip
import hashlib
import random
import struct
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    MAX_FILE_SIZE,
    AppDescriptor,
    Cause,
    Chip,
    FlashMode,
    Image,
    ImageKind,
    Marker,
    read_image,
)
from tests.corpus.espressif import (
    esp32_boot_loader,
    old_esp8266,
    seal_esp32,
    secure_boot_1,
    secure_boot_block,
    without_words,
)
from tests.corpus.pico import pico2, vectors
from tests.ota.image.bytes_of_images import (
    ESP32_CHIPS,
    PARTITION_TABLE_AT,
    flipped,
    patched,
    refused,
)
from tests.virtual_module import Chip as BenchChip, build_image, gzip_image

# Good images


@pytest.mark.parametrize("chip", BenchChip)
def test_an_image_of_every_chip_is_read(chip: BenchChip) -> None:
    data = build_image(chip, name="garden-valve", version="1.2.3")
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert read_image(data) == Image(
        kind=ImageKind.SKETCH,
        chip=Chip(chip.value),
        size=len(data),
        md5=md5,
        sha256=hashlib.sha256(data).hexdigest(),
        packed=False,
        plain_size=len(data),
        plain_md5=md5,
        flash_size=4 * 1024 * 1024 if chip is BenchChip.ESP8266 else None,
        flash_mode=None if chip is BenchChip.RP2040 else FlashMode.DIO,
        descriptor=AppDescriptor(
            project="arduino-lib-builder", version="esp-idf: v5.5.1", idf="v5.5.1"
        )
        if chip.startswith("esp32")
        else None,
        marker=Marker(name="garden-valve", version="1.2.3"),
    )


def test_every_chip_the_core_knows_has_a_family() -> None:
    assert {chip.family.value for chip in Chip} == {"esp8266", "esp32", "rp2"}
    assert Chip.RP2350.family is Chip.RP2040.family
    assert all(chip.family is Chip.ESP32.family for chip in Chip if chip.startswith("esp32"))


@pytest.mark.parametrize("size", [256, 512, 1024, 2048, 4096, 8192, 16384])
def test_an_esp8266_image_says_which_flash_it_wants(size: int) -> None:
    data = build_image("esp8266", flash_size=size * 1024)
    assert read_image(data).flash_size == size * 1024


@pytest.mark.parametrize("mode", FlashMode)
@pytest.mark.parametrize("chip", ["esp8266", "esp32", "esp32s3"])
def test_an_espressif_image_says_how_it_wants_its_flash_read(chip: str, mode: FlashMode) -> None:
    assert read_image(build_image(chip, flash_mode=mode)).flash_mode is mode


def test_an_unknown_flash_mode_is_unknown() -> None:
    data = patched(old_esp8266(build_image("esp8266")), 2, b"\x07")
    assert read_image(data).flash_mode is None


def test_an_unknown_flash_size_is_unknown() -> None:
    data = patched(old_esp8266(build_image("esp8266")), 3, b"\x50")
    assert read_image(data).flash_size is None


@pytest.mark.parametrize("older", [old_esp8266, without_words])
def test_an_esp8266_image_of_an_old_core_has_neither_length_nor_crc(
    older: Callable[[bytes], bytes],
) -> None:
    assert read_image(older(build_image("esp8266"))).chip is Chip.ESP8266


@pytest.mark.parametrize("old", [False, True], ids=["with length", "without length"])
def test_an_esp8266_image_may_be_signed(*, old: bool) -> None:
    data = build_image("esp8266")
    data = old_esp8266(data) if old else data
    signed = data + bytes(256) + struct.pack("<I", 256)
    image = read_image(signed)
    assert image.signed
    assert image.size == len(signed)
    assert image.plain_md5 == read_image(data).plain_md5, "the module does not count the signature"
    assert not read_image(data).signed
    assert not read_image(data + b"\xff" * 260).signed
    assert not read_image(data + bytes(255) + struct.pack("<I", 256)).signed


def test_a_signature_goes_behind_the_packed_image() -> None:
    data = gzip_image(build_image("esp8266"))
    signed = data + bytes(256) + struct.pack("<I", 256)
    assert read_image(signed).signed
    assert not read_image(data).signed


@pytest.mark.parametrize("length", [64, 96, 256, 384, 512])
def test_a_pico_image_may_be_signed(length: int) -> None:
    data = build_image("rp2040")
    signature = random.Random(length).randbytes(length) + struct.pack("<I", length)
    image = read_image(data + signature)
    assert image.signed
    assert image.plain_md5 == read_image(data).md5


def test_a_pico_image_that_ends_in_a_small_number_is_not_signed() -> None:
    assert not read_image(build_image("rp2040") + bytes(256) + struct.pack("<I", 256)).signed


def test_an_esp32_image_may_be_signed_for_secure_boot() -> None:
    data = build_image("esp32c3")
    padded = data.ljust(-(-len(data) // 4096) * 4096, b"\xff")
    signed = padded + secure_boot_block().ljust(4096, b"\xff")
    image = read_image(signed)
    assert image.signed
    assert image.plain_md5 == read_image(data).plain_md5
    assert not read_image(data).signed
    assert not read_image(padded + b"\xff" * 4096).signed
    assert not read_image(padded + patched(secure_boot_block(), 500, b"\0\0")).signed


def test_an_esp32_image_may_be_signed_for_the_arduino_core() -> None:
    data = build_image("esp32")
    signature = random.Random(1).randbytes(256).ljust(512, b"\0")
    image = read_image(data + signature)
    assert image.signed
    assert image.plain_md5 == read_image(data).plain_md5
    assert not read_image(data + bytes(512)).signed
    assert not read_image(data + signature[:-1]).signed


@pytest.mark.parametrize(
    "about", [("garden-valve", "1.2.0"), ("arduino-lib-builder", "esp-idf: v5.5.1"), ("", "")]
)
def test_a_descriptor_is_read_as_it_stands(about: tuple[str, str]) -> None:
    """Whether it says anything of the sketch is a question of names."""
    found = read_image(build_image("esp32", descriptor=about)).descriptor
    assert found is not None
    assert (found.project, found.version) == about


def test_an_esp32_image_says_which_revisions_it_runs_on() -> None:
    data = seal_esp32(patched(build_image("esp32"), 15, struct.pack("<HH", 301, 399)))
    image = read_image(data)
    assert (image.min_revision, image.max_revision) == (301, 399)
    image = read_image(build_image("esp32"))
    assert (image.min_revision, image.max_revision) == (None, None)


def test_an_esp32_image_may_come_without_a_digest() -> None:
    assert read_image(seal_esp32(build_image("esp32"), append_digest=False)).chip is Chip.ESP32


@pytest.mark.parametrize("flags", [0x1021, 0x1121, 0x9021])
@pytest.mark.parametrize(
    "ring", [{}, {"blocks": 2}, {"blocks": 2, "defined_in": 1}, {"decoy": True}, {"at": 4092}]
)
def test_an_rp2350_image_is_told_by_the_ring_of_its_blocks(
    flags: int, ring: dict[str, Any]
) -> None:
    assert read_image(pico2(flags, **ring)).chip is Chip.RP2350


@pytest.mark.parametrize("end", [-1, -20, -7600])
def test_an_rp2350_image_cut_off_has_lost_a_block(end: int) -> None:
    error = refused(pico2(blocks=2)[:end])
    assert error.cause in {Cause.TRUNCATED_IMAGE, Cause.CORRUPT_IMAGE}
    assert error.facts == {"detail": "block_missing", "at": "0x1fec"}


@pytest.mark.parametrize("at", [0x138, 0x13F, 0x140, 0x141, 0x148])
def test_an_rp2350_image_without_a_whole_first_block_would_not_start(at: int) -> None:
    assert refused(flipped(pico2(), at)).cause is Cause.PICO_LAYOUT


@pytest.mark.parametrize("stack", [0x20042000, 0x20082000])
def test_a_vector_table_alone_is_of_no_chip_and_starts_on_none(stack: int) -> None:
    assert refused(vectors(stack)).cause is Cause.PICO_LAYOUT


@pytest.mark.parametrize("stack", [0x1FFFFFFC, 0x20000000, 0x20082004])
def test_a_stack_that_is_nowhere_makes_no_pico_image(stack: int) -> None:
    assert refused(vectors(stack)).cause is not Cause.PICO_LAYOUT


@pytest.mark.parametrize("flags", [0x0021, 0x1020, 0x2021])
def test_a_definition_of_data_or_for_another_chip_makes_no_rp2350(flags: int) -> None:
    assert refused(pico2(flags)).cause is Cause.PICO_LAYOUT


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        ((0x101FF000, 0x101FF000, 0x101FF000, 0x1FF000), 2 << 20),
        ((0x1017F000, 0x101FF000, 0x101FF000, 0x17F000), 2 << 20),
        ((0x10F00000, 0x10FFF000, 0x10FFF000, 0xF00000), 16 << 20),
        ((0x1017F000, 0x101FF000, 0x101FF000, 0x17F001), None),
        ((0x1017F000, 0x101FF000, 0x10200000, 0x17F000), None),
        ((0x1017F000, 0x1017E000, 0x101FF000, 0x17F000), None),
        ((0x1017F000, 0x10200000, 0x101FF000, 0x17F000), None),
        ((0, 0, 0, 0), None),
    ],
)
def test_a_pico_image_says_which_flash_it_was_linked_for(
    layout: tuple[int, int, int, int], size: int | None
) -> None:
    data = patched(build_image("rp2040"), 0x2FF0, struct.pack("<IIII", *layout))
    assert read_image(data).flash_size == size


@pytest.mark.parametrize("chip", [BenchChip.ESP8266, BenchChip.RP2040])
def test_a_gzip_image_tells_of_the_file_and_of_what_is_in_it(chip: BenchChip) -> None:
    plain = build_image(chip)
    packed = gzip_image(plain)
    image = read_image(packed)
    assert image.packed
    assert (image.size, image.plain_size) == (len(packed), len(plain))
    assert image.md5 == hashlib.md5(packed, usedforsecurity=False).hexdigest()
    assert image.plain_md5 == hashlib.md5(plain, usedforsecurity=False).hexdigest()
    assert image.marker == Marker(name="garden-valve", version="1.0.0")


def test_a_sketch_without_a_marker_has_none() -> None:
    assert read_image(build_image("esp32", marker=False)).marker is None


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        (b"ESP_OTA_FW:pump:2.0.0-rc.1+7;", Marker(name="pump", version="2.0.0-rc.1+7")),
        (b"ESP_OTA_FW:pump_2:v3;", Marker(name="pump_2", version="v3")),
        (b"ESP_OTA_FW::1.0;", None),
        (b"ESP_OTA_FW:pump:;", None),
        (b"ESP_OTA_FW:pump:1.0", None),
        (b"ESP_OTA_FW:pu mp:1.0;", None),
        (b"ESP_OTA_FW:../x:1.0;", None),
        (b"ESP_OTA_FW:pump:1/0;", None),
        (b"ESP_OTA_FW:p\xc3\xbcmp:1.0;", None),
        (b"ESP_OTA_FW:" + b"a" * 65 + b":1.0;", None),
        (b"ESP_OTA_FW:" + b"a" * 64 + b":1;", Marker(name="a" * 64, version="1")),
    ],
)
def test_a_marker_is_a_name_and_a_version_and_nothing_else(
    text: bytes, marker: Marker | None
) -> None:
    data = seal_esp32(patched(build_image("esp32", marker=False), 4096, text + b"\0"))
    assert read_image(data).marker == marker


def test_a_chance_partition_magic_in_a_sketch_makes_it_no_merged_image() -> None:
    chance = patched(build_image("esp32"), PARTITION_TABLE_AT, b"\xaa\x50")
    assert read_image(seal_esp32(chance)).chip is Chip.ESP32


def test_a_chance_boot_sector_magic_in_a_pico_sketch_makes_it_no_file_system() -> None:
    assert read_image(patched(build_image("rp2040"), 510, b"\x55\xaa")).chip is Chip.RP2040


# Files of other kinds


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", Cause.EMPTY_FILE),
        (gzip.compress(b""), Cause.EMPTY_FILE),
        (b"\x7fELF\x01\x01\x01" + bytes(200), Cause.ELF_FILE),
        (b"UF2\n\x57\x51\x5d\x9e" + bytes(504), Cause.UF2_FILE),
        (b"<!DOCTYPE html><html>404</html>", Cause.HTML_PAGE),
        (b"\n\r\n  <html>", Cause.HTML_PAGE),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", Cause.HTML_PAGE),
        (gzip.compress(b"<html>not found</html>"), Cause.HTML_PAGE),
        (b":020000040000FA\n:10000000", Cause.HEX_FILE),
        (b"\r\n:100000000C9434000C943E000C943E000C943E0082", Cause.HEX_FILE),
        (b":-) not hex", Cause.NOT_FIRMWARE),
        (b"hello", Cause.NOT_FIRMWARE),
        (b"\x00", Cause.NOT_FIRMWARE),
        (bytes(4096), Cause.NOT_FIRMWARE),
        (b"\xff" * 4096, Cause.NOT_FIRMWARE),
        (b"\xea\x04\x02\x40" + bytes(4096), Cause.SDK_IMAGE),
        (gzip.compress(gzip.compress(b"x")), Cause.ARCHIVE_FILE),
        (b"PK\x03\x04" + bytes(100), Cause.ARCHIVE_FILE),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), Cause.ARCHIVE_FILE),
        (bytes(257) + b"ustar\x0000" + bytes(248), Cause.ARCHIVE_FILE),
        (b'{"message": "Not Found"}', Cause.JSON_FILE),
        (b"[1, 2]", Cause.NOT_FIRMWARE),
        (b"S00F000068656C6C6F202020202000003C", Cause.HEX_FILE),
        (b"\xcf\xb6\x88\x07" + bytes(4096), Cause.ENCRYPTED_IMAGE),
        (random.Random(0).randbytes(4096), Cause.ENCRYPTED_IMAGE),
        (random.Random(0).randbytes(4095), Cause.NOT_FIRMWARE),
    ],
)
def test_a_file_of_another_kind_is_named(data: bytes, cause: Cause) -> None:
    assert refused(data).cause is cause


def test_a_file_larger_than_any_flash_is_not_even_looked_at() -> None:
    error = refused(b"\xe9".ljust(MAX_FILE_SIZE + 1, b"\0"))
    assert error.cause is Cause.OVERSIZED_FILE
    assert error.facts == {"size": str(MAX_FILE_SIZE + 1), "limit": str(MAX_FILE_SIZE)}


def test_a_boot_loader_is_no_sketch() -> None:
    assert refused(esp32_boot_loader()).cause is Cause.BOOTLOADER_IMAGE


def test_a_large_boot_loader_is_told_by_its_description() -> None:
    assert refused(esp32_boot_loader(0x9000)).cause is Cause.BOOTLOADER_IMAGE


def test_what_goes_to_memory_and_is_larger_than_any_boot_loader_is_none() -> None:
    assert refused(esp32_boot_loader(0x11000)).cause is Cause.RAM_IMAGE


@pytest.mark.parametrize("chip", ESP32_CHIPS)
def test_an_app_that_does_not_describe_itself_is_a_sketch(chip: BenchChip) -> None:
    """As of core 1.0.4 and older, and of tool chains without ESP-IDF."""
    image = read_image(seal_esp32(patched(build_image(chip), 32, bytes(256))))
    assert (image.kind, image.chip, image.descriptor) == (ImageKind.SKETCH, chip.value, None)


def test_an_app_without_a_description_is_still_measured() -> None:
    data = seal_esp32(patched(build_image("esp32"), 32, bytes(256)))
    assert refused(flipped(data, 0x1000)).cause is Cause.CORRUPT_IMAGE
    assert refused(data[:-1]).cause is Cause.TRUNCATED_IMAGE


@pytest.mark.parametrize("padded", [False, True])
def test_an_esp32_image_may_be_signed_for_the_first_secure_boot(*, padded: bool) -> None:
    image = build_image("esp32")
    assert read_image(secure_boot_1(image, padded=padded)).signed
    assert not read_image(image + bytes(80 if padded else 68)).signed
    assert not read_image(image + b"\1\0\0\0" + secure_boot_1(b"")[4:]).signed


def test_an_esp32_chip_of_the_future_is_named_by_its_number() -> None:
    future = patched(build_image("esp32"), 12, struct.pack("<H", 999))
    error = refused(seal_esp32(future))
    assert error.cause is Cause.UNKNOWN_CHIP
    assert error.facts == {"chip_id": "999"}
