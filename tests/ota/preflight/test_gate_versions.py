"""Is it this module's firmware, and does it go on or back? What the gate asks of names."""

from dataclasses import replace

import pytest

from custom_components.esp_ota.ota import ACCEPTABLE, Cause, Check, Marker, ask_gate
from custom_components.esp_ota.ota.preflight.answers import Answer
from tests.ota.examples import CANDIDATE, IMAGE, MODULE
from tests.ota.preflight.gate_questions import PACKED, refused, result_of, with_image


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
