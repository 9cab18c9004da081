"""The images that virtual modules run are built as the tool chains build them."""

import gzip
import hashlib
import struct

import pytest

from tests.virtual_module import Chip, build_filesystem, build_image, gzip_image, read_marker
from tests.virtual_module.chips import CHIPS, Family
from tests.virtual_module.inspect_image import BadImageError, gunzip, verify

ESP32_FAMILY = [chip for chip in Chip if CHIPS[chip].family is Family.ESP32]


def slow_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def segments(image: bytes, at: int, count: int) -> tuple[list[tuple[int, bytes]], int]:
    found = []
    for _ in range(count):
        address, size = struct.unpack_from("<II", image, at)
        found.append((address, image[at + 8 : at + 8 + size]))
        at += 8 + size
    return found, at


def xor(parts: list[tuple[int, bytes]]) -> int:
    value = 0xEF
    for _, data in parts:
        for byte in data:
            value ^= byte
    return value


@pytest.mark.parametrize("chip", Chip)
def test_the_same_arguments_give_the_same_bytes(chip: Chip) -> None:
    image = build_image(chip, seed=7)
    assert image == build_image(chip, seed=7)
    assert image != build_image(chip, seed=8)


@pytest.mark.parametrize("chip", Chip)
@pytest.mark.parametrize("size", [32 * 1024, 100_001, 1 << 20])
def test_an_image_has_the_wanted_size_and_can_run(chip: Chip, size: int) -> None:
    image = build_image(chip, size=size)
    assert len(image) == size - size % 16
    verify(image, chip)


@pytest.mark.parametrize("chip", Chip)
def test_an_image_compresses_as_code_does(chip: Chip) -> None:
    image = build_image(chip, size=400_000)
    assert 0.6 < len(gzip.compress(image)) / len(image) < 0.75


@pytest.mark.parametrize("chip", Chip)
def test_the_marker_says_name_and_version(chip: Chip) -> None:
    image = build_image(chip, name="well-pump", version="2.4.0-beta.1+7")
    assert read_marker(image) == ("well-pump", "2.4.0-beta.1+7")
    assert read_marker(build_image(chip, marker=False)) is None


def test_an_esp8266_image_is_eboot_and_application() -> None:
    image = build_image("esp8266", size=40_000, flash_mode="dout", flash_size=1 << 20)
    assert image[:4] == b"\xe9\x02\x03\x20"
    assert image[0x1000:0x1004] == b"\xe9\x03\x03\x20"
    eboot, end = segments(image, 8, image[1])
    assert image[end | 15] == xor(eboot)
    assert set(image[(end | 15) + 1 : 0x1000]) == {0xAA}
    length, crc = struct.unpack_from("<II", image, 0x1010)
    assert length == len(image)
    zeroed = image[:0x1010] + bytes(8) + image[0x1018:]
    assert crc == slow_crc(zeroed)
    application, end = segments(zeroed, 0x1008, image[0x1001])
    assert application[0][0] == 0x40201010
    assert image[end | 15] == xor(application)
    assert (end | 15) + 1 == len(image)


@pytest.mark.parametrize("chip", ESP32_FAMILY)
def test_an_esp32_image_has_descriptor_checksum_and_hash(chip: Chip) -> None:
    image = build_image(chip, size=40_000, descriptor=("own-name", "9.8.7"))
    assert image[0] == 0xE9
    assert int.from_bytes(image[12:14], "little") == CHIPS[chip].image_id
    assert image[32:36] == b"\x32\x54\xcd\xab"
    assert image[48:80].rstrip(b"\0") == b"9.8.7"
    assert image[80:112].rstrip(b"\0") == b"own-name"
    parts, end = segments(image, 24, image[1])
    assert image[end | 15] == xor(parts)
    assert image[23] == 1
    assert image[-32:] == hashlib.sha256(image[:-32]).digest()
    offset = 32
    for address, data in parts:
        mapped = address - CHIPS[chip].drom in range(0x10000) or address >= CHIPS[chip].irom
        if mapped and address not in (CHIPS[chip].dram, CHIPS[chip].iram):
            assert address % 0x10000 == offset % 0x10000
        offset += len(data) + 8


def test_a_pico_image_starts_with_a_checked_boot_stage() -> None:
    image = build_image("rp2040")
    assert slow_crc(image[:252]) == int.from_bytes(image[252:256], "little")
    stack, entry = struct.unpack_from("<II", image, 256)
    assert 0x20000000 < stack <= 0x20042000
    assert entry >> 28 == 1
    assert entry & 1


@pytest.mark.parametrize("chip", [Chip.ESP8266, Chip.ESP32, Chip.ESP32C6])
@pytest.mark.parametrize("position", [5000, 20_000, -40])
def test_one_wrong_bit_is_found(chip: Chip, position: int) -> None:
    image = bytearray(build_image(chip, size=40_000))
    image[position] ^= 0x10
    with pytest.raises(BadImageError):
        verify(bytes(image), chip)


@pytest.mark.parametrize("chip", Chip)
def test_an_image_runs_on_its_own_chip_only(chip: Chip) -> None:
    image = build_image(chip, size=40_000)
    for other in set(Chip) - {chip}:
        with pytest.raises(BadImageError):
            verify(image, other)


@pytest.mark.parametrize("chip", [Chip.ESP8266, Chip.ESP32, Chip.RP2040])
def test_a_truncated_image_does_not_run(chip: Chip) -> None:
    image = build_image(chip, size=40_000)
    with pytest.raises(BadImageError):
        verify(image[: 300 if chip is Chip.RP2040 else -16], chip)


def test_an_unpacked_gzip_is_the_image() -> None:
    image = build_image("esp8266", size=40_000)
    packed = gzip_image(image)
    assert packed[:2] == b"\x1f\x8b"
    assert gunzip(packed) == image
    with pytest.raises(BadImageError, match="unpacked size"):
        gunzip(packed + b"signature")
    with pytest.raises(BadImageError, match="truncated"):
        gunzip(packed[:-9])


def test_too_small_an_image_cannot_be_built() -> None:
    for chip in (Chip.ESP8266, Chip.ESP32):
        with pytest.raises(ValueError, match="too few"):
            build_image(chip, size=8192)


def test_a_filesystem_starts_with_its_magic() -> None:
    files = build_filesystem(16_384)
    assert len(files) == 16_384
    assert files[8:16] == files[4104:4112] == b"littlefs"
