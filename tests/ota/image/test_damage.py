"""Damage anywhere in an image is noticed, and any bytes give facts or a reason."""

import hashlib
import struct
import zlib

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.esp_ota.ota import MAX_FILE_SIZE, Cause, read_image
from custom_components.esp_ota.ota.exceptions import ImageError
from tests.corpus.espressif import esp32_boot_loader, old_esp8266
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.image.bytes_of_images import (
    ESP32_CHIPS,
    ESP8266_APP,
    flipped,
    patched,
    refused,
    segments_end,
)
from tests.virtual_module import Chip as BenchChip, build_image, gzip_image

# Damage


@pytest.mark.parametrize("chip", [BenchChip.ESP8266, BenchChip.ESP32, BenchChip.ESP32C3])
def test_an_image_cut_off_anywhere_is_truncated(chip: BenchChip) -> None:
    data = build_image(chip, size=32 * 1024)
    places = {*range(1, 64), *range(64, len(data), 997), *range(len(data) - 80, len(data))}
    for length in sorted(places):
        assert refused(data[:length]).cause is Cause.TRUNCATED_IMAGE, length


def test_an_old_esp8266_image_cut_off_before_its_checksum_is_truncated() -> None:
    data = old_esp8266(build_image("esp8266", size=32 * 1024))
    for length in range(len(data) - 64, len(data)):
        assert refused(data[:length]).cause is Cause.TRUNCATED_IMAGE, length


@pytest.mark.parametrize("chip", [BenchChip.ESP8266, BenchChip.RP2040])
def test_a_gzip_file_cut_off_anywhere_is_truncated(chip: BenchChip) -> None:
    data = gzip_image(build_image(chip, size=16 * 1024))
    for length in {*range(2, 40), *range(40, len(data), 499), *range(len(data) - 12, len(data))}:
        assert refused(data[:length]).cause is Cause.TRUNCATED_IMAGE, length


@pytest.mark.parametrize("chip", ESP32_CHIPS)
def test_one_turned_bit_in_an_esp32_image_is_noticed(chip: BenchChip) -> None:
    data = build_image(chip, size=32 * 1024)
    end = segments_end(data, 0, 24)
    checksum_at = end | 15
    for at in (end - 1, checksum_at):
        error = refused(flipped(data, at))
        assert (error.cause, error.facts["detail"]) == (Cause.CORRUPT_IMAGE, "checksum_wrong")
    for at in (9, checksum_at - 1, len(data) - 1):
        if at >= end or at < 24:
            error = refused(flipped(data, at))
            assert (error.cause, error.facts["detail"]) == (Cause.CORRUPT_IMAGE, "digest_wrong")


def test_one_turned_bit_in_an_esp8266_app_is_noticed_by_its_checksum() -> None:
    data = build_image("esp8266")
    end = segments_end(data, ESP8266_APP, ESP8266_APP + 8)
    for image in (data, old_esp8266(data)):
        for at in (end - 1, end | 15):
            error = refused(flipped(image, at))
            assert (error.cause, error.facts["detail"]) == (Cause.CORRUPT_IMAGE, "checksum_wrong")


@pytest.mark.parametrize("at", [2, 0x100, 0xFFF, ESP8266_APP + 2, ESP8266_APP + 20])
def test_one_turned_bit_elsewhere_in_an_esp8266_image_is_noticed_by_its_crc(at: int) -> None:
    error = refused(flipped(build_image("esp8266"), at))
    assert (error.cause, error.facts["detail"]) == (Cause.CORRUPT_IMAGE, "crc_wrong")


def test_the_words_elf2bin_writes_last_are_not_in_the_checksum() -> None:
    data = build_image("esp8266")
    checksum = 0xEF
    at = ESP8266_APP + 8
    for _ in range(data[ESP8266_APP + 1]):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        for byte in data[at + 8 : at + 8 + size]:
            checksum ^= byte
        at += 8 + size
    words = 0
    for byte in data[ESP8266_APP + 16 : ESP8266_APP + 24]:
        words ^= byte
    assert words, "this image would pass either way"
    assert data[at | 15] == checksum ^ words
    assert refused(patched(data, at | 15, bytes([checksum]))).cause is Cause.CORRUPT_IMAGE


def test_an_esp8266_image_shorter_than_its_length_word_is_truncated() -> None:
    data = build_image("esp8266")
    # The checksum leaves the word out, so it needs no repair for a wrong one.
    longer = patched(data, ESP8266_APP + 16, struct.pack("<I", len(data) + 4096))
    error = refused(longer)
    assert error.cause is Cause.TRUNCATED_IMAGE
    said = {"size": str(len(data)), "expected": str(len(data) + 4096)}
    assert error.facts == {"detail": "bytes_missing"} | said


def test_an_esp8266_image_longer_than_its_length_word_is_damaged() -> None:
    shorter = patched(build_image("esp8266"), ESP8266_APP + 16, struct.pack("<I", 0x2000))
    error = refused(shorter)
    assert (error.cause, error.facts["detail"]) == (Cause.CORRUPT_IMAGE, "crc_wrong")


def test_an_esp8266_image_without_a_boot_stage_is_of_another_build() -> None:
    app = build_image("esp8266")[ESP8266_APP:]
    assert refused(app).cause is Cause.FOREIGN_LAYOUT


def test_an_esp8266_boot_sector_needs_an_app_behind_it() -> None:
    data = build_image("esp8266")
    assert refused(patched(data, ESP8266_APP, b"\xaa")).cause is Cause.CORRUPT_IMAGE


@pytest.mark.parametrize("count", [0, 17, 255])
@pytest.mark.parametrize("chip", ["esp8266", "esp32"])
def test_an_impossible_number_of_segments_is_damage(chip: str, count: int) -> None:
    error = refused(patched(build_image(chip), 1, bytes([count])))
    assert error.cause is Cause.CORRUPT_IMAGE
    assert error.facts == {"detail": "segments", "segments": str(count)}


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize(("chip", "at"), [("esp8266", 12), ("esp8266", 0x100C), ("esp32", 28)])
def test_a_segment_longer_than_the_file_is_no_reason_to_read_on(
    chip: str, at: int, length: int
) -> None:
    data = patched(build_image(chip), at, struct.pack("<I", length))
    assert refused(data).cause is Cause.TRUNCATED_IMAGE


def test_a_damaged_gzip_file_is_corrupt() -> None:
    data = gzip_image(build_image("esp8266"))
    for at in (len(data) // 2, len(data) - 6, len(data) - 2):
        error = refused(flipped(data, at))
        assert error.cause is Cause.CORRUPT_IMAGE
        assert error.facts["detail"] == "gzip_damaged"


@pytest.mark.parametrize(
    "more", [b"\0", b"\0" * 512, gzip_image(b"x")], ids=["a byte", "padding", "a second member"]
)
def test_nothing_may_follow_the_gzip_trailer(more: bytes) -> None:
    error = refused(gzip_image(build_image("esp8266")) + more)
    assert error.cause is Cause.CORRUPT_IMAGE


@pytest.mark.slow
def test_a_gzip_bomb_is_not_unpacked_to_the_end() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    data = b"".join(bomb.compress(block) for _ in range(MAX_FILE_SIZE // len(block) + 8))
    error = refused(data + bomb.flush())
    assert error.cause is Cause.OVERSIZED_FILE


# Anything at all

GOOD = {
    "esp8266": build_image("esp8266", size=16 * 1024),
    "old esp8266": old_esp8266(build_image("esp8266", size=16 * 1024)),
    "esp32": build_image("esp32", size=32 * 1024),
    "boot loader": esp32_boot_loader(),
    "rp2040": build_image("rp2040", size=8 * 1024),
    "gzip": gzip_image(build_image("esp8266", size=16 * 1024)),
}


def facts_or_reason(data: bytes) -> None:
    """Read bytes; only facts about these very bytes or an `ImageError` may come out."""
    try:
        image = read_image(data)
    except ImageError as caught:
        error = caught
    else:
        assert image.size == len(data)
        assert image.sha256 == hashlib.sha256(data).hexdigest()
        return
    assert_sentence_is_whole(error.cause, error.facts)
    assert all(len(text) < 200 for text in error.facts.values())


@given(st.binary(max_size=2048))
@example(b"\xe9")
@example(b"\x1f\x8b")
def test_any_bytes_give_facts_or_a_reason(data: bytes) -> None:
    facts_or_reason(data)


@given(
    st.sampled_from([b"\xe9", b"\xe9\x01\x02\x40\x00\x00\x10\x40", b"\x1f\x8b\x08\0", b":", b"<"]),
    st.binary(max_size=2048),
)
def test_any_bytes_that_begin_well_give_facts_or_a_reason(begin: bytes, rest: bytes) -> None:
    facts_or_reason(begin + rest)


@pytest.mark.slow
@given(
    st.sampled_from(sorted(GOOD)),
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(min_size=1, max_size=8)), max_size=4),
    st.integers(0, 1 << 16),
)
@settings(max_examples=300)
def test_any_damage_to_an_image_gives_facts_or_a_reason(
    name: str, changes: list[tuple[int, bytes]], length: int
) -> None:
    data = GOOD[name]
    for at, new in changes:
        data = patched(data, at % len(data), new)
    facts_or_reason(data[:length])


def test_what_is_damaged_above_was_good_before() -> None:
    for name, data in GOOD.items():
        if name != "boot loader":
            assert read_image(data).size == len(data)
