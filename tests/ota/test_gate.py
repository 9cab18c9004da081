"""Does this image belong on this module? Every question, every answer."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Check,
    Chip,
    ChipFamily,
    ImageKind,
    Marker,
    ModuleFacts,
    preflight,
    read_image,
)
from custom_components.esp_ota.ota.exceptions import InstallRefused
from custom_components.esp_ota.ota.gate import Answer, CheckResult
from tests.virtual_module import build_image, gzip_image

from .conftest import assert_sentence_is_whole
from .examples import CANDIDATE, IMAGE, MODULE

PACKED = read_image(gzip_image(build_image("esp8266")))
NOTHING_KNOWN = ModuleFacts(name="pump", host="192.0.2.7", port=4000)


def result_of(check: Check, candidate: Any = CANDIDATE, module: Any = MODULE) -> CheckResult:
    """Return the answer of one check among all."""
    answers = preflight(candidate, module)
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
        preflight(candidate, module, accepted).raise_for_refusal()
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


def test_an_image_that_belongs_there_passes_every_check() -> None:
    answers = preflight(CANDIDATE, MODULE)
    assert {result.answer for result in answers.results} == {Answer.VALID}
    assert answers.refusal is None
    answers.raise_for_refusal()


def test_the_order_of_the_questions_is_the_order_of_the_slugs() -> None:
    assert [result.check for result in preflight(CANDIDATE, NOTHING_KNOWN).results] == list(Check)


def test_a_file_system_is_no_sketch() -> None:
    error = refused(with_image(kind=ImageKind.FILESYSTEM), MODULE)
    assert (error.cause, error.facts["kind"]) == (Cause.WRONG_KIND, "filesystem")


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
        assert refused(with_image(chip=image), module).facts["check"] == Check.CHIP


@pytest.mark.parametrize(
    ("chip", "answer"),
    [
        (Chip.ESP8266, Answer.UNKNOWN),
        (Chip.ESP32, Answer.INVALID),
        (Chip.ESP32_C3, Answer.INVALID),
        (Chip.RP2040, Answer.VALID),
    ],
)
def test_only_a_pico_is_sure_to_unpack(chip: Chip, answer: Answer) -> None:
    candidate = replace(CANDIDATE, image=replace(PACKED, chip=chip))
    module = replace(MODULE, chip=chip, family=chip.family)
    assert result_of(Check.PACKING, candidate, module).answer is answer
    if answer is Answer.INVALID:
        error = refused(candidate, module)
        assert (error.cause, error.facts["image_chip"]) == (Cause.GZIP_UNSUPPORTED, chip)


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
    answers = preflight(CANDIDATE, replace(MODULE, slot_size=None))
    assert Answer.UNKNOWN in {result.answer for result in answers.results}
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
    assert error.cause is Cause.NOT_CERTAIN
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
    ("older", "chosen", "answer"),
    [
        (False, False, Answer.VALID),
        (False, True, Answer.VALID),
        (True, True, Answer.VALID),
        (True, False, Answer.INVALID),
    ],
)
def test_going_back_must_be_meant(older: bool, chosen: bool, answer: Answer) -> None:
    candidate = replace(CANDIDATE, version="0.9.0", older=older, chosen=chosen)
    assert result_of(Check.VERSION, candidate).answer is answer
    if answer is Answer.INVALID:
        error = refused(candidate, MODULE)
        assert error.cause is Cause.DOWNGRADE
        assert error.facts == {"version": "0.9.0", "installed": "1.0.0"}


def test_a_no_is_told_before_a_do_not_know() -> None:
    candidate = replace(CANDIDATE, older=True)
    refusal = preflight(candidate, NOTHING_KNOWN).refusal
    assert refusal is not None
    assert (refusal.check, refusal.answer) == (Check.VERSION, Answer.INVALID)


def test_what_the_person_accepted_is_no_longer_asked() -> None:
    first = refused(CANDIDATE, NOTHING_KNOWN)
    assert (first.cause, first.facts["check"]) == (Cause.NOT_CERTAIN, "chip")
    second = refused(CANDIDATE, NOTHING_KNOWN, frozenset({Check.CHIP}))
    assert (second.cause, second.facts["check"]) == (Cause.NOT_CERTAIN, "firmware")
    preflight(CANDIDATE, NOTHING_KNOWN, frozenset({Check.CHIP, Check.FIRMWARE})).raise_for_refusal()


def test_a_no_cannot_be_accepted_away() -> None:
    everything = frozenset(Check)
    error = refused(CANDIDATE, replace(MODULE, chip=Chip.ESP32), everything)
    assert error.cause is Cause.WRONG_CHIP
    assert not error.retryable
