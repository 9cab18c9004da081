"""Filesystem images are told apart, measured against their own words, and never guessed."""

import gzip
import struct

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import Cause, FilesystemType, ImageKind, read_image
from custom_components.esp_ota.ota.exceptions import ImageError
from tests.corpus.espressif import seal_esp32
from tests.corpus.filesystems import PAGE, fat, littlefs, spiffs
from tests.kit.sentences import assert_sentence_is_whole
from tests.virtual_module import Chip as BenchChip, build_filesystem, build_image

IMAGES = {
    "littlefs": (littlefs(), FilesystemType.LITTLEFS),
    "littlefs 8k": (littlefs(128 * 1024, 8192), FilesystemType.LITTLEFS),
    "littlefs of the bench": (build_filesystem(), FilesystemType.LITTLEFS),
    "littlefs block 0": (littlefs(only=0), FilesystemType.LITTLEFS),
    "littlefs block 1": (littlefs(only=1), FilesystemType.LITTLEFS),
    "littlefs 8k block 1": (littlefs(128 * 1024, 8192, only=1), FilesystemType.LITTLEFS),
    "spiffs": (spiffs(), FilesystemType.SPIFFS),
    "spiffs 8k": (spiffs(128 * 1024, 8192), FilesystemType.SPIFFS),
    "spiffs 64k": (spiffs(256 * 1024, 65536), FilesystemType.SPIFFS),
    "spiffs esp32": (spiffs(magic=True), FilesystemType.SPIFFS),
    "spiffs empty": (spiffs(files=(), magic=True), FilesystemType.SPIFFS),
    "spiffs short magic": (spiffs(files=(), magic=True, magic_length=False), FilesystemType.SPIFFS),
    "fat": (fat(), FilesystemType.FAT),
    "fat 4k": (fat(512 * 1024, 4096), FilesystemType.FAT),
    "fat levelled": (fat(levelled=True), FilesystemType.FAT),
}


def refused(data: bytes, kind: ImageKind | None = None) -> ImageError:
    """Return why bytes are no image, after a look at the sentence the person would read."""
    with pytest.raises(ImageError) as caught:
        read_image(data, kind)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


@pytest.mark.parametrize("kind", [None, ImageKind.FILESYSTEM])
@pytest.mark.parametrize("name", IMAGES)
def test_a_filesystem_is_told(name: str, kind: ImageKind | None) -> None:
    data, filesystem = IMAGES[name]
    image = read_image(data, kind)
    assert (image.kind, image.filesystem) == (ImageKind.FILESYSTEM, filesystem)
    assert image.chip is None
    assert image.size == image.plain_size == len(data)
    assert (image.flash_mode, image.flash_size, image.marker, image.signed) == (
        None,
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    "revision", [0x3C, 0x613C, 0x3C20, 0x7D7B, 0x8B1F, 0x04EA, 0x04034B50, 0x21685A42]
)
@pytest.mark.parametrize("formatted", [False, True])
def test_a_littlefs_is_one_whatever_its_revision_looks_like(revision: int, formatted: bool) -> None:
    """It counts up with each time that its root is written anew, and is what it begins with."""
    image = read_image(littlefs(revisions=(revision, revision + 1), formatted=formatted))
    assert (image.filesystem, image.filesystem_size) == (FilesystemType.LITTLEFS, 64 * 1024)


@pytest.mark.parametrize("first", [0x3C, 0x3C20, 0x3C0A, 0x223C])
def test_a_spiffs_is_one_whatever_the_number_of_its_first_file(first: int) -> None:
    assert read_image(spiffs(first=first)).filesystem is FilesystemType.SPIFFS


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (littlefs(), "2.0"),
        (littlefs(version=0x20001), "2.1"),
        (littlefs(formatted=True), "2.0"),
        (littlefs(grown_from=9), "2.0"),
        (littlefs(grown_from=9, only=0), "2.0"),
        (littlefs(moved=True, grown_from=4), "2.0"),
        (littlefs(used=6)[: 6 * 4096], "2.0"),
    ],
    ids=["plain", "2.1", "as formatted", "grown", "grown, one left", "moved", "compact"],
)
def test_a_littlefs_says_its_version_and_the_area_it_is_made_for(data: bytes, version: str) -> None:
    image = read_image(data)
    assert (image.filesystem_size, image.filesystem_version) == (64 * 1024, version)
    assert image.size == len(data)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (littlefs(), 32),
        (littlefs(names=(255, 255)), 255),
        (littlefs(names=(32, 64), moved=True), 64),
        (littlefs(names=(64, 32), moved=True), 64),
        (spiffs(), None),
    ],
    ids=["plain", "255", "moved and longer", "moved and shorter", "spiffs"],
)
def test_a_littlefs_says_how_long_names_may_be_in_any_superblock(
    data: bytes, names: int | None
) -> None:
    assert read_image(data).filesystem_longest_name == names


@pytest.mark.parametrize(
    ("data", "block"),
    [(littlefs(), 4096), (littlefs(128 * 1024, 8192), 8192), (spiffs(), None)],
)
def test_a_littlefs_says_how_large_its_blocks_are(data: bytes, block: int | None) -> None:
    assert read_image(data).filesystem_block == block


@pytest.mark.parametrize("older", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_of_two_superblocks_the_newer_counts_over_the_end_of_the_numbers_too(older: int) -> None:
    newer = (older + 1) & 0xFFFFFFFF
    for revisions in ((older, newer), (newer, older)):
        whole = littlefs(revisions=revisions)
        small = littlefs(9 * 4096, revisions=revisions)
        is_second = revisions[1] == newer
        assert read_image(
            small[:4096] + whole[4096:]
            if is_second
            else whole[:4096] + small[4096:8192] + whole[8192:]
        )
        error = refused(
            whole[:4096] + small[4096:8192] + whole[8192:]
            if is_second
            else small[:4096] + whole[4096:]
        )
        said = {"size": "65536", "expected": "36864"}
        assert error.facts == {"detail": "bytes_too_many"} | said


@pytest.mark.parametrize("name", IMAGES)
def test_a_filesystem_is_no_sketch(name: str) -> None:
    assert refused(IMAGES[name][0], ImageKind.SKETCH).cause is Cause.FILESYSTEM_IMAGE


@pytest.mark.parametrize("chip", BenchChip)
def test_a_sketch_is_no_filesystem(chip: BenchChip) -> None:
    assert refused(build_image(chip), ImageKind.FILESYSTEM).cause is Cause.SKETCH_IMAGE


def test_a_packed_filesystem_is_told_too() -> None:
    image = read_image(gzip.compress(littlefs()))
    assert (image.kind, image.packed) == (ImageKind.FILESYSTEM, True)
    assert image.plain_size == 64 * 1024


@pytest.mark.parametrize("name", ["littlefs", "littlefs 8k", "littlefs block 1", "fat", "fat 4k"])
def test_a_filesystem_cut_off_is_truncated(name: str) -> None:
    data, _ = IMAGES[name]
    for length in (8192 + 600, len(data) // 2, len(data) - 4096, len(data) - 1):
        assert refused(data[:length]).cause is Cause.TRUNCATED_IMAGE, length


def test_a_littlefs_cut_off_within_its_superblock_is_truncated() -> None:
    for length in range(16, 60):
        assert refused(littlefs()[:length]).cause is Cause.TRUNCATED_IMAGE, length


def test_a_spiffs_cut_off_within_a_block_is_truncated() -> None:
    assert refused(spiffs()[:-100]).cause is Cause.TRUNCATED_IMAGE


@pytest.mark.parametrize("files", [(), ("/a",)])
def test_a_spiffs_that_states_its_size_is_truncated_where_it_is_shorter(
    files: tuple[str, ...],
) -> None:
    error = refused(spiffs(files=files, magic=True)[: 8 * 4096])
    assert error.cause is Cause.TRUNCATED_IMAGE
    said = {"size": "32768", "expected": "65536"}
    assert error.facts == {"detail": "bytes_missing"} | said


@pytest.mark.parametrize("chip", ["esp32", "rp2040"])
@pytest.mark.parametrize("at", [0x108, 0x1008, 0x4008, 0x10008])
def test_a_sketch_that_names_littlefs_is_a_sketch(chip: str, at: int) -> None:
    data = bytearray(build_image(chip, size=128 * 1024))
    data[at : at + 8] = b"littlefs"
    image = seal_esp32(bytes(data)) if chip == "esp32" else bytes(data)
    assert read_image(image).kind is ImageKind.SKETCH


def test_a_small_superblock_at_the_end_is_none() -> None:
    data = bytearray(build_image("rp2040", size=0x1000)) + b"\0" * 8 + b"littlefs"
    assert read_image(bytes(data)).kind is ImageKind.SKETCH


def test_a_superblock_without_an_end_is_damaged() -> None:
    head = bytes(8) + b"littlefs" + bytes(8) + struct.pack("<II", 4096, 2)
    assert refused(head + bytes(8192 - len(head))).cause is Cause.CORRUPT_IMAGE
    endless = bytearray(littlefs(only=0))
    endless[44:4096] = bytes(4096 - 44)
    assert refused(bytes(endless)).cause is Cause.CORRUPT_IMAGE


def test_more_bytes_than_the_superblock_says_are_damage() -> None:
    error = refused(littlefs() + bytes(4096))
    assert error.cause is Cause.CORRUPT_IMAGE
    said = {"size": "69632", "expected": "65536"}
    assert error.facts == {"detail": "bytes_too_many"} | said


@pytest.mark.parametrize("at", [0, 17, 20, 24, 31, 43, 44, 52])
def test_one_turned_bit_in_the_only_superblock_is_noticed(at: int) -> None:
    data = bytearray(littlefs(only=0))
    data[at] ^= 4
    assert refused(bytes(data)).cause in {Cause.CORRUPT_IMAGE, Cause.TRUNCATED_IMAGE}


def test_one_whole_superblock_is_enough() -> None:
    data = bytearray(littlefs())
    data[20] ^= 1
    assert read_image(bytes(data)).filesystem is FilesystemType.LITTLEFS


@pytest.mark.parametrize(
    ("at", "new"),
    [
        (0, b"\0"),
        (11, b"\x00\x03"),
        (13, b"\x03"),
        (14, b"\0\0"),
        (16, b"\x03"),
        (19, b"\x01\0"),
        (21, b"\x12"),
        (22, b"\xff\xff"),
        (510, b"\x55\xab"),
    ],
)
def test_a_boot_sector_that_makes_no_sense_is_no_filesystem(at: int, new: bytes) -> None:
    data = bytearray(fat())
    data[at : at + len(new)] = new
    assert refused(bytes(data)).cause is Cause.NOT_FIRMWARE


def test_two_signature_bytes_make_no_filesystem() -> None:
    data = bytearray(8192)
    data[510:512] = b"\x55\xaa"
    assert refused(bytes(data)).cause is Cause.NOT_FIRMWARE


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x01\x80"])
def test_a_size_alone_makes_no_spiffs(fill: bytes) -> None:
    assert refused(fill * (65536 // len(fill))).cause is Cause.NOT_FIRMWARE


def test_a_page_that_belongs_to_another_file_than_listed_makes_no_spiffs() -> None:
    data = bytearray(spiffs())
    struct.pack_into("<H", data, 2 * PAGE, 77)
    assert refused(bytes(data)).cause is Cause.NOT_FIRMWARE
    assert refused(bytes(data), ImageKind.FILESYSTEM).cause is Cause.NOT_FIRMWARE


@pytest.mark.parametrize("at", [2, 12, 13])
def test_a_page_that_describes_no_file_makes_no_spiffs(at: int) -> None:
    data = bytearray(spiffs(files=("/a",)))
    data[PAGE + at] = 7
    assert refused(bytes(data)).cause is Cause.NOT_FIRMWARE


def test_an_empty_spiffs_without_a_mark_is_one_only_where_somebody_says_so() -> None:
    data = spiffs(files=())
    assert refused(data).cause is Cause.NOT_FIRMWARE
    assert read_image(data, ImageKind.FILESYSTEM).filesystem is FilesystemType.SPIFFS


def test_nobodys_word_makes_a_filesystem_of_zeros_or_noise() -> None:
    for data in (bytes(65536), bytes(range(256)) * 256, b"\xff" * 100):
        assert refused(data, ImageKind.FILESYSTEM).cause is Cause.NOT_FIRMWARE


@pytest.mark.slow
@given(
    st.sampled_from(sorted(IMAGES)),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=8)), max_size=4),
    st.integers(0, 1 << 17),
    st.sampled_from([None, *ImageKind]),
)
def test_any_damage_to_a_filesystem_gives_facts_or_a_reason(
    name: str, changes: list[tuple[int, bytes]], length: int, kind: ImageKind | None
) -> None:
    data = bytearray(IMAGES[name][0])
    for at, new in changes:
        data[at : at + len(new)] = new
    try:
        image = read_image(bytes(data[:length]), kind)
    except ImageError as error:
        assert_sentence_is_whole(error.cause, error.facts)
    else:
        assert image.kind is ImageKind.FILESYSTEM
