"""Does this image belong on this module? Every question, every answer."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ACCEPTABLE,
    RULES,
    Candidate,
    Cause,
    Check,
    CheckResult,
    Chip,
    ChipFamily,
    FlashMode,
    ImageKind,
    InstallRefused,
    Marker,
    ModuleFacts,
    SignatureState,
    ask_gate,
    read_image,
)
from custom_components.esp_ota.ota.preflight.checks import Answer
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import CANDIDATE, IMAGE, MODULE
from tests.virtual_module import build_image, gzip_image

PACKED = read_image(gzip_image(build_image("esp8266")))
NOTHING_KNOWN = ModuleFacts(name="pump", host="192.0.2.7", port=4000)
FILESYSTEM = replace(
    CANDIDATE,
    image=replace(IMAGE, kind=ImageKind.FILESYSTEM, chip=None, flash_size=None, marker=None),
    wanted=ImageKind.FILESYSTEM,
)
UNPACKING = replace(
    MODULE,
    core_version="3.1.2",
    flash_mode=FlashMode.DIO,
    flash_size=4 << 20,
    sketch_size=300_000,
    slot_stated=True,
)
"""A module that says all that a packed image needs."""


def result_of(check: Check, candidate: Any = CANDIDATE, module: Any = MODULE) -> CheckResult:
    """Return the answer of one check among all."""
    answers = ask_gate(candidate, module)
    assert [result.check for result in answers.results] == list(Check)
    return next(result for result in answers.results if result.check is check)


def with_image(**changes: Any) -> Any:
    """Return the candidate with another image."""
    return replace(CANDIDATE, image=replace(IMAGE, **changes))


def refused(
    candidate: Any, module: Any, accepted: frozenset[Check] = frozenset()
) -> InstallRefused:
    """Return the refusal, after a look at its sentence."""
    with pytest.raises(InstallRefused) as caught:
        ask_gate(candidate, module, accepted).raise_for_refusal()
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


def test_an_image_that_belongs_there_passes_every_check() -> None:
    answers = ask_gate(CANDIDATE, replace(MODULE, flash_size=IMAGE.flash_size))
    assert {result.answer for result in answers.results} == {Answer.VALID}
    assert answers.refusal is None
    answers.raise_for_refusal()


def test_the_order_of_the_questions_is_the_order_of_the_slugs() -> None:
    assert [result.check for result in ask_gate(CANDIDATE, NOTHING_KNOWN).results] == list(Check)


def test_each_rule_refuses_and_asks_with_causes_of_its_own() -> None:
    assert [rule.check for rule in RULES] == list(Check)
    causes = [cause for rule in RULES for cause in (*rule.causes, *rule.unknown)]
    assert len(causes) == len(set(causes))
    assert ACCEPTABLE == (
        Check.CHIP,
        Check.PACKING,
        Check.FLASH_MODE,
        Check.FILESYSTEM,
        Check.FIRMWARE,
        Check.SIGNATURE,
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
    assert error.facts == {"kind": kind, "wanted": wanted}


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


@pytest.mark.parametrize(
    ("image", "chip", "family", "answer"),
    [
        (Chip.ESP8266, Chip.ESP8266, None, Answer.VALID),
        (Chip.ESP8266, None, ChipFamily.ESP8266, Answer.VALID),
        (Chip.ESP8266, Chip.ESP32, None, Answer.INVALID),
        (Chip.ESP8266, None, ChipFamily.ESP32, Answer.INVALID),
        (Chip.ESP8266, None, None, Answer.UNKNOWN),
        (Chip.ESP32_S3, Chip.ESP32_S3, ChipFamily.ESP32, Answer.VALID),
        (Chip.ESP32_S3, Chip.ESP32_C3, ChipFamily.ESP32, Answer.INVALID),
        (Chip.ESP32_S3, None, ChipFamily.ESP32, Answer.UNKNOWN),
        (Chip.ESP32_S3, None, ChipFamily.RP2, Answer.INVALID),
        (Chip.ESP32, None, ChipFamily.ESP32, Answer.UNKNOWN),
        (Chip.RP2040, Chip.RP2350, None, Answer.INVALID),
        (Chip.RP2040, None, ChipFamily.RP2, Answer.UNKNOWN),
        (Chip.RP2040, Chip.RP2040, None, Answer.VALID),
        (Chip.RP2040, Chip.ESP8266, ChipFamily.RP2, Answer.INVALID),
    ],
)
def test_the_chip_must_be_the_modules(
    image: Chip, chip: Chip | None, family: ChipFamily | None, answer: Answer
) -> None:
    module = replace(MODULE, chip=chip, family=family)
    result = result_of(Check.CHIP, with_image(chip=image), module)
    assert result.answer is answer
    if answer is Answer.INVALID:
        error = refused(with_image(chip=image), module)
        assert error.cause is Cause.WRONG_CHIP
        assert error.facts == {"image_chip": image, "module_chip": chip or family}
    if answer is Answer.UNKNOWN:
        error = refused(with_image(chip=image), module)
        assert error.cause is Cause.NOT_CERTAIN_CHIP
        assert error.facts == {"check": "chip", "image_chip": image}


@pytest.mark.parametrize(
    ("asked", "real", "answer"),
    [
        (4 << 20, 4 << 20, Answer.VALID),
        (1 << 20, 4 << 20, Answer.VALID),
        (4 << 20, 1 << 20, Answer.INVALID),
        (4 << 20, None, Answer.UNKNOWN),
        (None, 1 << 20, Answer.VALID),
    ],
)
def test_a_sketch_must_not_be_built_for_more_flash_than_there_is(
    asked: int | None, real: int | None, answer: Answer
) -> None:
    candidate, module = with_image(flash_size=asked), replace(MODULE, flash_size=real)
    assert result_of(Check.FLASH_SIZE, candidate, module).answer is answer
    if answer is Answer.INVALID:
        error = refused(candidate, module)
        assert error.cause is Cause.FLASH_SIZE
        assert error.facts == {"image_flash": str(4 << 20), "module_flash": str(1 << 20)}
    else:
        assert ask_gate(candidate, module).refusal is None


def test_the_header_of_an_esp32_image_says_nothing_about_its_flash() -> None:
    candidate = with_image(chip=Chip.ESP32, flash_size=16 << 20)
    module = replace(MODULE, chip=Chip.ESP32, flash_size=4 << 20)
    assert result_of(Check.FLASH_SIZE, candidate, module).answer is Answer.VALID


PACKED_DIO = replace(PACKED, flash_mode=FlashMode.DIO)


@pytest.mark.parametrize(
    ("image", "module", "cause"),
    [
        ({}, {}, None),
        ({"chip": Chip.ESP32}, {"chip": Chip.ESP32}, Cause.GZIP_UNSUPPORTED),
        ({"chip": Chip.ESP32_C3}, {"chip": Chip.ESP32_C3}, Cause.GZIP_UNSUPPORTED),
        ({"chip": Chip.RP2040}, {"chip": Chip.RP2040, "core_version": None}, None),
        ({}, {"core_version": "2.6.3"}, Cause.GZIP_OLD_CORE),
        ({"flash_mode": FlashMode.QIO}, {}, Cause.GZIP_FLASH_MODE),
        ({"flash_mode": FlashMode.DOUT}, {}, None),
        ({"plain_size": 1 << 20}, {"slot_size": 700_000}, Cause.GZIP_OVERLAP),
        ({"staged_from": 700_000}, {"slot_size": 400_000}, Cause.GZIP_OVERLAP),
        ({"signed": True}, {}, Cause.GZIP_SIGNED),
        ({"signed": True}, {"signature_required": False}, Cause.GZIP_SIGNED),
        ({"signed": True}, {"signature_required": True}, None),
        ({"signed": True, "chip": Chip.RP2040}, {"chip": Chip.RP2040}, Cause.GZIP_SIGNED),
        ({}, {"core_version": None}, Cause.NOT_CERTAIN_PACKING),
        ({}, {"flash_size": None}, Cause.NOT_CERTAIN_PACKING),
    ],
)
def test_a_packed_sketch_needs_a_module_that_is_sure_to_unpack_it(
    image: dict[str, Any], module: dict[str, Any], cause: Cause | None
) -> None:
    candidate = replace(CANDIDATE, image=replace(PACKED_DIO, **image))
    facts = replace(UNPACKING, **module)
    if cause is None:
        assert ask_gate(candidate, facts).refusal is None
    else:
        assert refused(candidate, facts).cause is cause


@pytest.mark.parametrize("staged_from", [None, 1 << 20])
def test_an_overlap_is_certain_and_nobody_accepts_it(staged_from: int | None) -> None:
    """Facts that 0.1.0 stored do not say from where on it may lie: then all of it counts."""
    image = replace(PACKED_DIO, plain_size=(1 << 20) - 5, staged_from=staged_from)
    candidate = replace(CANDIDATE, image=image)
    sketch = -(-UNPACKING.sketch_size // 4096) * 4096  # type: ignore[operator]
    packed = -(-image.size // 4096) * 4096
    module = replace(UNPACKING, slot_size=(1 << 20) + packed - sketch)
    assert result_of(Check.PACKING, candidate, module).answer is Answer.VALID
    module = replace(module, slot_size=(1 << 20) + packed - sketch - 4096)
    assert result_of(Check.PACKING, candidate, module).answer is Answer.INVALID
    error = refused(candidate, module)
    assert ask_gate(candidate, module, frozenset(ACCEPTABLE)).refusal is not None
    assert error.facts == {"plain_size": str(image.plain_size), "staged_at": str((1 << 20) - 4096)}


@pytest.mark.parametrize("used", FlashMode)
@pytest.mark.parametrize("asked", FlashMode)
def test_only_a_more_demanding_flash_mode_is_asked_about(asked: FlashMode, used: FlashMode) -> None:
    """A chip that is read over four lines can be read over two, and not the other way round."""
    safe = {
        FlashMode.DOUT: set(FlashMode),
        FlashMode.DIO: {FlashMode.DIO, FlashMode.QIO},
        FlashMode.QOUT: {FlashMode.QOUT, FlashMode.QIO},
        FlashMode.QIO: {FlashMode.QIO},
    }
    module = replace(UNPACKING, flash_mode=used)
    candidate = replace(CANDIDATE, image=replace(PACKED_DIO, flash_mode=asked))
    plain = replace(CANDIDATE, image=replace(IMAGE, flash_mode=asked))
    assert ask_gate(plain, module).refusal is None  # the updater corrects it there
    if used in safe[asked]:
        assert ask_gate(candidate, module).refusal is None
        return
    error = refused(candidate, module)
    assert error.cause is Cause.GZIP_FLASH_MODE
    assert error.facts == {"check": "flash_mode", "image_mode": asked, "module_mode": used}
    assert ask_gate(candidate, module, frozenset({Check.PACKING})).refusal is not None
    assert ask_gate(candidate, module, frozenset({Check.FLASH_MODE})).refusal is None


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


def test_the_partition_table_of_an_esp32_says_how_large_its_files_may_be() -> None:
    module = replace(MODULE, chip=Chip.ESP32, filesystem_area=0x160000)
    assert ask_gate(files(0x160000), module).refusal is None
    assert refused(files(0x150000), module).facts["area"] == str(0x160000)
    assert ask_gate(files(0x150000), replace(module, filesystem_area=None)).refusal is None


def test_a_packed_file_system_is_refused() -> None:
    candidate = replace(FILESYSTEM, image=replace(FILESYSTEM.image, packed=True))
    assert refused(candidate, UNPACKING).cause is Cause.GZIP_FILESYSTEM


def test_what_a_module_does_not_say_about_unpacking_is_named_and_can_be_accepted() -> None:
    candidate = replace(CANDIDATE, image=PACKED_DIO)
    error = refused(candidate, MODULE)
    assert error.cause is Cause.NOT_CERTAIN_PACKING
    missing = "core, flash_mode, flash_size, free, sketch_size"
    assert error.facts == {"check": "packing", "missing": missing}
    assert ask_gate(candidate, MODULE, frozenset({Check.PACKING})).refusal is None


@pytest.mark.parametrize(
    ("slot", "answer"),
    [
        (IMAGE.size, Answer.VALID),
        (IMAGE.size - 1, Answer.INVALID),
        (0, Answer.INVALID),
        (None, Answer.UNKNOWN),
    ],
)
def test_the_image_must_fit_the_slot(slot: int | None, answer: Answer) -> None:
    module = replace(MODULE, slot_size=slot)
    assert result_of(Check.SLOT, module=module).answer is answer
    if answer is Answer.INVALID:
        error = refused(CANDIDATE, module)
        assert error.cause is Cause.TOO_LARGE
        assert error.facts == {"size": str(IMAGE.size), "slot": str(slot)}


def test_an_unknown_slot_refuses_nothing_because_the_module_answers_it_itself() -> None:
    answers = ask_gate(CANDIDATE, replace(MODULE, slot_size=None))
    unknown = [result.check for result in answers.results if result.answer is Answer.UNKNOWN]
    assert unknown == [Check.FLASH_SIZE, Check.SLOT]
    assert answers.refusal is None
    answers.raise_for_refusal()


def test_another_firmwares_image_is_refused() -> None:
    error = refused(replace(CANDIDATE, firmware="heater"), MODULE)
    assert error.cause is Cause.OTHER_FIRMWARE
    assert error.facts == {"image": "garden-valve", "module_firmware": "heater"}


def test_an_image_without_a_marker_goes_by_the_name_it_was_given() -> None:
    candidate = replace(with_image(marker=None), firmware="heater")
    error = refused(candidate, MODULE)
    assert error.cause is Cause.OTHER_FIRMWARE
    assert error.facts == {"image": "heater", "module_firmware": "garden-valve"}
    assert result_of(Check.FIRMWARE, with_image(marker=None)).answer is Answer.VALID


def test_a_marker_is_compared_by_name_and_not_by_version() -> None:
    candidate = with_image(marker=Marker(name="garden-valve", version="9.9.9"))
    assert result_of(Check.FIRMWARE, candidate).answer is Answer.VALID


def test_a_module_of_unknown_firmware_is_asked_about() -> None:
    error = refused(CANDIDATE, replace(MODULE, firmware=None))
    assert error.cause is Cause.NOT_CERTAIN_FIRMWARE
    assert error.facts == {"check": "firmware", "firmware": "garden-valve"}


@pytest.mark.parametrize(
    ("running", "answer"),
    [(IMAGE.plain_md5, Answer.INVALID), ("0" * 32, Answer.VALID), (None, Answer.VALID)],
)
def test_the_very_same_image_is_not_sent_again(running: str | None, answer: Answer) -> None:
    module = replace(MODULE, sketch_md5=running)
    assert result_of(Check.SAME_IMAGE, module=module).answer is answer
    if answer is Answer.INVALID:
        error = refused(CANDIDATE, module)
        assert (error.cause, error.facts["version"]) == (Cause.SAME_IMAGE, "1.1.0")


def test_a_packed_image_is_the_same_when_its_content_is() -> None:
    candidate = replace(CANDIDATE, image=PACKED)
    module = replace(MODULE, sketch_md5=PACKED.plain_md5)
    assert result_of(Check.SAME_IMAGE, candidate, module).answer is Answer.INVALID
    module = replace(MODULE, sketch_md5=PACKED.md5)
    assert result_of(Check.SAME_IMAGE, candidate, module).answer is Answer.VALID


@pytest.mark.parametrize(
    ("runs", "version", "chosen", "cause"),
    [
        ("1.0.0", "1.1.0", False, None),
        ("1.0.0", "1.0.0", False, None),
        ("v1.0.0", "1.0.0_ESP8266", False, None),
        (None, "0.9.0", False, None),
        ("1.0.0", "0.9.0", False, Cause.DOWNGRADE),
        ("1.0.0", "0.9.0", True, None),
        ("1.0.0-4-gabc1234", "1.0.0", False, Cause.DOWNGRADE),
        ("r11", "r9", False, Cause.DOWNGRADE),
        ("0.10.0_ESP32", "0.9.1_ESP32", False, Cause.DOWNGRADE),
        ("1.0.0", "1.1.0_audioreactive", False, Cause.NOT_CERTAIN_VERSION),
        ("1.0.0", "1.1.0_audioreactive", True, None),
        ("1.0.0", "g14f53a19", False, Cause.NOT_CERTAIN_VERSION),
        ("1.0.0+a", "1.0.0+b", False, Cause.NOT_CERTAIN_VERSION),
        ("nightly", "1.1.0", True, None),
    ],
)
def test_going_back_must_be_meant_and_so_must_what_nobody_can_order(
    runs: str | None, version: str, chosen: bool, cause: Cause | None
) -> None:
    module = replace(MODULE, version=runs)
    candidate = replace(CANDIDATE, version=version, chosen=chosen)
    if cause is None:
        assert ask_gate(candidate, module).refusal is None
        return
    error = refused(candidate, module)
    assert error.cause is cause
    assert error.facts["version"] == version
    assert error.facts["installed"] == runs


def test_what_nobody_can_order_is_unknown_and_accepted_by_naming_it_only() -> None:
    candidate = replace(CANDIDATE, version="nightly")
    assert result_of(Check.VERSION, candidate).answer is Answer.UNKNOWN
    chosen = result_of(Check.VERSION, replace(candidate, chosen=True))
    assert (chosen.answer, chosen.cause) == (Answer.UNKNOWN, None)
    assert Check.VERSION not in ACCEPTABLE


def test_a_version_that_is_only_assumed_to_run_is_named_as_well() -> None:
    candidate = replace(CANDIDATE, version="0.9.0", installed="1.0.1")
    error = refused(candidate, replace(MODULE, version=None))
    assert error.facts == {"version": "0.9.0", "installed": "1.0.1"}


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (SignatureState.UNCHECKED, None),
        (SignatureState.VALID, None),
        (SignatureState.ABSENT, Cause.SIGNATURE_MISSING),
        (SignatureState.INVALID, Cause.SIGNATURE_INVALID),
    ],
)
def test_a_firmware_with_a_key_needs_a_signature_that_fits(
    state: SignatureState, cause: Cause | None
) -> None:
    candidate = replace(CANDIDATE, signature=state)
    if cause is None:
        assert ask_gate(candidate, MODULE).refusal is None
    else:
        error = refused(candidate, MODULE, frozenset(Check))
        assert error.cause is cause
        assert error.facts == {"firmware": "garden-valve"}


@pytest.mark.parametrize(
    ("signed", "required", "answer"),
    [
        (False, None, Answer.VALID),
        (False, False, Answer.VALID),
        (False, True, Answer.INVALID),
        (True, None, Answer.UNKNOWN),
        (True, False, Answer.UNKNOWN),
        (True, True, Answer.VALID),
    ],
)
def test_a_module_that_wants_signed_images_gets_no_other_and_is_locked_in_knowingly(
    signed: bool, required: bool | None, answer: Answer
) -> None:
    candidate, module = with_image(signed=signed), replace(MODULE, signature_required=required)
    assert result_of(Check.SIGNATURE, candidate, module).answer is answer
    if answer is Answer.INVALID:
        assert refused(candidate, module, frozenset(Check)).cause is Cause.UNSIGNED_IMAGE
    if answer is Answer.UNKNOWN:
        assert refused(candidate, module).cause is Cause.NOT_CERTAIN_SIGNATURE
        assert ask_gate(candidate, module, frozenset({Check.SIGNATURE})).refusal is None


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


def test_a_no_is_told_before_a_do_not_know() -> None:
    candidate = replace(CANDIDATE, version="0.9.0", installed="1.0.0")
    refusal = ask_gate(candidate, NOTHING_KNOWN).refusal
    assert refusal is not None
    assert (refusal.check, refusal.answer) == (Check.VERSION, Answer.INVALID)


def test_what_the_person_accepted_is_no_longer_asked() -> None:
    first = refused(CANDIDATE, NOTHING_KNOWN)
    assert (first.cause, first.facts["check"]) == (Cause.NOT_CERTAIN_CHIP, "chip")
    second = refused(CANDIDATE, NOTHING_KNOWN, frozenset({Check.CHIP}))
    assert (second.cause, second.facts["check"]) == (Cause.NOT_CERTAIN_FIRMWARE, "firmware")
    ask_gate(CANDIDATE, NOTHING_KNOWN, frozenset({Check.CHIP, Check.FIRMWARE})).raise_for_refusal()


def test_a_no_cannot_be_accepted_away() -> None:
    everything = frozenset(Check)
    error = refused(CANDIDATE, replace(MODULE, chip=Chip.ESP32), everything)
    assert error.cause is Cause.WRONG_CHIP
    assert not error.retryable
