"""Questions to the gate, one check at a time."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Check,
    CheckResult,
    FlashMode,
    ImageKind,
    InstallRefused,
    ModuleFacts,
    ask_gate,
    read_image,
)
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
