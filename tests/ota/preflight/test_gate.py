"""Does this image belong on this module? Every question, every answer."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ACCEPTABLE,
    RULES,
    Cause,
    Check,
    Chip,
    ChipFamily,
    FlashMode,
    SignatureState,
    ask_gate,
)
from custom_components.esp_ota.ota.preflight.answers import Answer
from tests.ota.examples import CANDIDATE, IMAGE, MODULE
from tests.ota.preflight.gate_questions import (
    NOTHING_KNOWN,
    PACKED,
    UNPACKING,
    refused,
    result_of,
    with_image,
)


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
