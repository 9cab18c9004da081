"""Does this file system belong on this module? What the gate asks of files."""

from dataclasses import replace

import pytest

from custom_components.esp_ota.ota import (
    ACCEPTABLE,
    Candidate,
    Cause,
    Check,
    Chip,
    ChipFamily,
    ImageKind,
    ModuleFacts,
    ask_gate,
)
from custom_components.esp_ota.ota.preflight.answers import Answer
from tests.ota.examples import IMAGE, MODULE
from tests.ota.preflight.gate_questions import (
    FILESYSTEM,
    NOTHING_KNOWN,
    UNPACKING,
    refused,
    result_of,
    with_image,
)


@pytest.mark.parametrize("kind", ImageKind)
@pytest.mark.parametrize("wanted", ImageKind)
def test_a_sketch_and_a_file_system_are_not_mistaken(kind: ImageKind, wanted: ImageKind) -> None:
    candidate = replace(with_image(kind=kind), wanted=wanted)
    if kind is wanted:
        assert result_of(Check.KIND, candidate).answer is Answer.VALID
        return
    error = refused(candidate, MODULE)
    assert error.cause is Cause.WRONG_KIND
    wrong = {ImageKind.FILESYSTEM: "files_not_sketch", ImageKind.SKETCH: "sketch_not_files"}
    assert error.facts == {"detail": wrong[kind]}


@pytest.mark.parametrize("module", [MODULE, replace(NOTHING_KNOWN, firmware="garden-valve")])
def test_a_file_system_is_for_any_chip_and_for_an_area_that_nobody_knows(
    module: ModuleFacts,
) -> None:
    answers = ask_gate(FILESYSTEM, replace(module, slot_size=1))
    assert answers.refusal is None
    unknown = [result.check for result in answers.results if result.answer is Answer.UNKNOWN]
    assert unknown == [Check.SLOT]


def test_a_file_system_needs_no_newer_version_than_the_sketch() -> None:
    for version in ("0.9.0", "nightly"):
        older = replace(FILESYSTEM, version=version)
        assert result_of(Check.VERSION, older).answer is Answer.VALID


@pytest.mark.parametrize(
    ("delivered", "chosen", "answer"),
    [
        (IMAGE.sha256, False, Answer.INVALID),
        (IMAGE.sha256, True, Answer.VALID),
        ("0" * 64, False, Answer.VALID),
        (None, False, Answer.VALID),
    ],
)
def test_a_file_system_is_delivered_again_only_when_it_is_meant(
    delivered: str | None, chosen: bool, answer: Answer
) -> None:
    module = replace(MODULE, filesystem_sha256=delivered, sketch_md5=IMAGE.plain_md5)
    candidate = replace(FILESYSTEM, chosen=chosen)
    assert result_of(Check.SAME_IMAGE, candidate, module).answer is answer
    if answer is Answer.INVALID:
        assert refused(candidate, module).cause is Cause.SAME_IMAGE


def files(size: int, version: str | None = "2.0") -> Candidate:
    """Return a file system image that is made for an area of some size."""
    image = replace(FILESYSTEM.image, filesystem_size=size, filesystem_version=version)
    return replace(FILESYSTEM, image=image)


@pytest.mark.parametrize(
    ("chip", "version", "cause"),
    [
        (Chip.ESP8266, "2.1", Cause.LITTLEFS_VERSION),
        (Chip.ESP8266, "2.10", Cause.LITTLEFS_VERSION),
        (Chip.ESP8266, "3.0", Cause.LITTLEFS_VERSION),
        (Chip.ESP8266, "2.0", None),
        (Chip.ESP8266, None, None),
        (Chip.ESP32, "2.1", None),
        (Chip.RP2040, "2.1", None),
    ],
)
def test_a_littlefs_that_the_core_cannot_mount_is_refused_with_the_cure(
    chip: Chip, version: str | None, cause: Cause | None
) -> None:
    module = replace(MODULE, chip=chip)
    refusal = ask_gate(files(64 * 1024, version), module, frozenset(ACCEPTABLE)).refusal
    assert (refusal.cause if refusal else None) is cause


@pytest.mark.parametrize(
    ("chip", "names", "cause"),
    [
        (Chip.ESP8266, 255, Cause.LITTLEFS_NAMES),
        (Chip.ESP8266, 33, Cause.LITTLEFS_NAMES),
        (Chip.ESP8266, 32, None),
        (Chip.ESP8266, 0, None),
        (Chip.ESP8266, None, None),
        (Chip.ESP32, 255, None),
        (Chip.RP2040, 255, None),
    ],
)
def test_a_littlefs_with_longer_names_than_the_core_has_is_refused_with_the_cure(
    chip: Chip, names: int | None, cause: Cause | None
) -> None:
    candidate = files(64 * 1024)
    image = replace(candidate.image, filesystem_longest_name=names)
    module = replace(MODULE, chip=chip)
    refusal = ask_gate(replace(candidate, image=image), module, frozenset(ACCEPTABLE)).refusal
    assert (refusal.cause if refusal else None) is cause


@pytest.mark.parametrize(
    ("flash", "start", "sizes"),
    [
        (4 << 20, 0x200000, {0x1FA000, 0x1FB000}),  # 4MB, 2MB of it for files
        (4 << 20, 0x300000, {0xFA000, 0xFB000}),
        (1 << 20, 0xEB000, {0x10000}),
        # A sketch that was built for less flash than there is.
        (4 << 20, 0xDB000, {0x20000, 0x120000, 0x320000}),
    ],
)
def test_files_for_an_area_of_another_size_are_asked_about(
    flash: int, start: int, sizes: set[int]
) -> None:
    module = replace(
        MODULE, flash_size=flash, slot_size=start - 0x50000, sketch_size=0x50000, slot_stated=True
    )
    for size in sizes:
        assert ask_gate(files(size), module).refusal is None
    error = refused(files(0x40000), module)
    assert error.cause is Cause.FILESYSTEM_AREA
    areas = " / ".join(str(size) for size in sorted(sizes))
    assert error.facts == {"check": "filesystem", "size": "262144", "area": areas}
    assert ask_gate(files(0x40000), module, frozenset({Check.FILESYSTEM})).refusal is None
    guessed = replace(module, slot_stated=False)
    assert ask_gate(files(0x40000), guessed).refusal is None


@pytest.mark.parametrize(
    ("chip", "size", "block", "wanted"),
    [
        (Chip.ESP8266, 0x1FA000, 4096, 8192),
        (Chip.ESP8266, 0x7A000, 4096, 8192),  # 2MB, 512 kB of it for files
        (Chip.ESP8266, 0x40000, 8192, 4096),  # 1MB, 256 kB of it for files
        (Chip.ESP8266, 0x1FA000, 8192, None),
        (Chip.ESP8266, 0x40000, 4096, None),
        (Chip.ESP8266, 0x1FA000, None, None),
        (Chip.ESP32, 0x1FA000, 4096, None),
        (Chip.RP2040, 0x1FA000, 4096, None),
    ],
)
def test_files_in_blocks_that_the_core_does_not_mount_are_asked_about(
    chip: Chip, size: int, block: int | None, wanted: int | None
) -> None:
    module = replace(MODULE, chip=chip)
    candidate = files(size)
    candidate = replace(candidate, image=replace(candidate.image, filesystem_block=block))
    if wanted is None:
        assert ask_gate(candidate, module).refusal is None
        return
    error = refused(candidate, module)
    said = {"size": str(size), "block": str(block), "wanted": str(wanted)}
    assert error.cause is Cause.FILESYSTEM_BLOCK
    assert error.facts == {"check": "filesystem"} | said
    assert ask_gate(candidate, module, frozenset({Check.FILESYSTEM})).refusal is None


def test_the_partition_table_of_an_esp32_says_how_large_its_files_may_be() -> None:
    module = replace(MODULE, chip=Chip.ESP32, filesystem_area=0x160000)
    assert ask_gate(files(0x160000), module).refusal is None
    assert refused(files(0x150000), module).facts["area"] == str(0x160000)
    assert ask_gate(files(0x150000), replace(module, filesystem_area=None)).refusal is None


def test_a_packed_file_system_is_refused() -> None:
    candidate = replace(FILESYSTEM, image=replace(FILESYSTEM.image, packed=True))
    assert refused(candidate, UNPACKING).cause is Cause.GZIP_FILESYSTEM


@pytest.mark.parametrize(
    ("chip", "family", "answer"),
    [
        (Chip.ESP8266, None, Answer.INVALID),
        (None, ChipFamily.ESP8266, Answer.INVALID),
        (Chip.RP2040, None, Answer.VALID),
        (None, None, Answer.VALID),
    ],
)
def test_only_an_esp8266_wants_its_file_system_signed_and_is_told_before_it_is_overwritten(
    chip: Chip | None, family: ChipFamily | None, answer: Answer
) -> None:
    module = replace(MODULE, chip=chip, family=family, signature_required=True)
    assert result_of(Check.SIGNATURE, FILESYSTEM, module).answer is answer


def test_a_signed_file_system_locks_nothing_in() -> None:
    candidate = replace(FILESYSTEM, image=replace(FILESYSTEM.image, signed=True))
    assert result_of(Check.SIGNATURE, candidate).answer is Answer.VALID
