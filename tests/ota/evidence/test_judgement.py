"""A statement heard after the restart proves as much as it proves, and no more."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.ota import Candidate, Cause, Chip, FlashMode, ModuleFacts, Verdict
from custom_components.esp_ota.ota.evidence import judge
from custom_components.esp_ota.ota.evidence.judgement import is_proof
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import CANDIDATE as EXAMPLE, IMAGE, MODULE as BARE, sighting

CANDIDATE = replace(EXAMPLE, image=replace(IMAGE, flash_mode=FlashMode.DIO))
MODULE = replace(BARE, flash_mode=FlashMode.DIO)
NOTHING_KNOWN = replace(MODULE, version=None, firmware=None, mac=None)
OLD_MD5, OTHER_MD5 = "a" * 32, "b" * 32
WITH_MD5 = replace(MODULE, sketch_md5=OLD_MD5)
NEW = (Verdict.VERIFIED, None)
OLD = (Verdict.UNCHANGED, Cause.OLD_VERSION_BACK)
OLD_BYTES = (Verdict.UNCHANGED, Cause.OLD_FIRMWARE_BACK)
OTHER = (Verdict.FAILED, Cause.OTHER_VERSION_BACK)
OTHER_BYTES = (Verdict.FAILED, Cause.OTHER_IMAGE_BACK)
STRANGER = (Verdict.FAILED, Cause.WRONG_MODULE)
NOTHING_TOLD = (Verdict.UNVERIFIED, None)


@pytest.mark.parametrize(
    ("before", "said", "told"),
    [
        # A version
        (MODULE, {"version": "1.1.0"}, NEW),
        (MODULE, {"version": "1.1.0", "firmware": "garden-valve"}, NEW),
        (NOTHING_KNOWN, {"version": "1.1.0"}, NEW),
        (MODULE, {"version": "1.0.0"}, OLD),
        (WITH_MD5, {"version": "1.0.0"}, OLD),
        (MODULE, {"version": "1.0.0", "firmware": "garden-valve"}, OLD),
        (MODULE, {"version": "0.5"}, OTHER),
        (NOTHING_KNOWN, {"version": "1.0.0"}, OTHER),
        # The same version before and after proves nothing
        (replace(MODULE, version="1.1.0"), {"version": "1.1.0"}, NOTHING_TOLD),
        # Another firmware with the right or the old number
        (MODULE, {"version": "1.1.0", "firmware": "heater"}, OTHER),
        (MODULE, {"version": "1.0.0", "firmware": "heater"}, OTHER),
        # The sum of the image itself
        (MODULE, {"sketch_md5": IMAGE.plain_md5}, NEW),
        (WITH_MD5, {"sketch_md5": OLD_MD5}, OLD_BYTES),
        (WITH_MD5, {"sketch_md5": OTHER_MD5}, OTHER_BYTES),
        # which is stronger than what the sketch calls itself
        (WITH_MD5, {"sketch_md5": OLD_MD5, "version": "1.1.0"}, OLD_BYTES),
        (
            replace(WITH_MD5, version="1.1.0"),
            {"sketch_md5": IMAGE.plain_md5, "version": "1.1.0"},
            NEW,
        ),
        # Nothing
        (MODULE, {}, NOTHING_TOLD),
        (MODULE, {"firmware": "garden-valve"}, NOTHING_TOLD),
        (MODULE, None, NOTHING_TOLD),
        # Another module at the address
        (MODULE, {"mac": "00:00:00:00:00:01", "version": "1.1.0"}, STRANGER),
        (MODULE, {"mac": MODULE.mac, "version": "1.1.0"}, NEW),
        (replace(MODULE, mac=None), {"mac": "00:00:00:00:00:01", "version": "1.1.0"}, NEW),
    ],
)
def test_each_statement_has_its_verdict(
    before: ModuleFacts, said: dict[str, Any] | None, told: tuple[Verdict, Cause | None]
) -> None:
    verdict, cause = told
    heard = None if said is None else sighting(**said)
    result = judge(heard, CANDIDATE, before)
    assert (result.verdict, result.cause) == told
    assert verdict.is_success == (cause is None)
    if cause is not None:
        assert_sentence_is_whole(cause, result.facts)
    if heard is not None:
        assert is_proof(heard, CANDIDATE, before) is (verdict is Verdict.VERIFIED)


@pytest.mark.parametrize(
    ("before", "label", "said", "verdict"),
    [
        # The label is only spelt differently
        ("1.0.0", "v1.2.0", "1.2.0", Verdict.VERIFIED),
        ("1.0.0", "1.2.0_ESP8266", "1.2.0", Verdict.VERIFIED),
        ("v1.0.0", "1.2.0.ota", "V1.2", Verdict.VERIFIED),
        ("1.2.0", "v1.2.0", "1.2.0", Verdict.UNVERIFIED),
        # or says more than the sketch does, which may have said so before
        ("1.0.0", "1.2.0-20240115", "1.2.0", Verdict.UNVERIFIED),
        ("1.2.0", "1.2.0-20240115", "1.2.0", Verdict.UNVERIFIED),
        ("1.2.0", "1.2.0-4-gabc1234", "1.2.0", Verdict.UNVERIFIED),
        ("1.0.0", "1.2.0-rc1", "1.2.0", Verdict.UNVERIFIED),
        ("1.0.0", "1.2.0_Ethernet", "1.2.0", Verdict.UNVERIFIED),
        # or is of another kind: what the module said before is the only hint
        ("1.0.0", "build57", "1.2.0", Verdict.UNVERIFIED),
        ("1.0.0", "build57", "1.0.0", Verdict.UNCHANGED),
        (None, "nightly", "14f53a19", Verdict.UNVERIFIED),
        # What differs in its numbers is another version, and what was there before is the old one
        ("1.0.0", "v1.2.0", "1.1.0", Verdict.FAILED),
        ("r9", "r11", "R10", Verdict.FAILED),
        ("1.0.0", "1.2.0-rc2", "1.2.0-rc1", Verdict.FAILED),
        ("v1.0.0", "1.2.0", "1.0.0", Verdict.UNCHANGED),
        ("1.2.0", "1.2.0-rc1", "1.2.0", Verdict.UNCHANGED),
        ("1.2.0+a", "1.2.0+b", "1.2.0+a", Verdict.UNCHANGED),
        ("1.2.0-rc1", "1.2.0", "1.2.0-rc1", Verdict.UNCHANGED),
    ],
)
def test_a_label_that_is_spelt_differently_proves_no_failure(
    before: str | None, label: str, said: str, verdict: Verdict
) -> None:
    module, candidate = replace(MODULE, version=before), replace(CANDIDATE, version=label)
    assert judge(sighting(version=said), candidate, module).verdict is verdict


@pytest.mark.parametrize(
    ("label", "said", "verdict"),
    [
        ("garden-valve", "Garden_Valve", Verdict.VERIFIED),
        ("garden-valve-Ethernet", "garden-valve", Verdict.UNVERIFIED),
        ("garden-valve", "garden-valve-Ethernet", Verdict.FAILED),
        ("garden-valve", "garden", Verdict.UNVERIFIED),
        ("garden-valve", "pump", Verdict.FAILED),
    ],
)
def test_a_name_without_its_variant_is_no_proof_and_no_failure(
    label: str, said: str, verdict: Verdict
) -> None:
    candidate = replace(CANDIDATE, firmware=label)
    heard = sighting(version="1.1.0", firmware=said)
    assert judge(heard, candidate, replace(MODULE, firmware=label)).verdict is verdict


def candidate_with(**changes: Any) -> Candidate:
    """Return the candidate with another image."""
    return replace(CANDIDATE, image=replace(CANDIDATE.image, **changes))


@pytest.mark.parametrize(
    ("candidate", "module"),
    [
        (CANDIDATE, replace(WITH_MD5, flash_mode=FlashMode.DOUT)),
        (CANDIDATE, replace(WITH_MD5, flash_mode=None)),
        (candidate_with(flash_mode=None), WITH_MD5),
    ],
    ids=["other flash mode", "module's unknown", "image's unknown"],
)
def test_a_sum_that_the_updater_may_have_changed_leaves_it_to_the_version(
    candidate: Candidate, module: ModuleFacts
) -> None:
    """The ESP8266 writes its own flash mode into the header."""

    def verdict(**said: Any) -> Verdict:
        return judge(sighting(**said), candidate, module).verdict

    assert verdict(sketch_md5=OTHER_MD5, version="1.1.0") is Verdict.VERIFIED
    assert verdict(sketch_md5=OTHER_MD5, version="0.5") is Verdict.FAILED
    assert verdict(sketch_md5=OTHER_MD5) is Verdict.UNVERIFIED
    assert verdict(sketch_md5=OLD_MD5, version="1.1.0") is Verdict.UNCHANGED
    assert verdict(sketch_md5=IMAGE.plain_md5) is Verdict.VERIFIED


@pytest.mark.parametrize("changes", [{"packed": True}, {"chip": Chip.ESP32}, {"chip": Chip.RP2040}])
def test_a_sum_that_nobody_changes_decides_by_itself(changes: dict[str, Any]) -> None:
    candidate, module = candidate_with(flash_mode=None, **changes), WITH_MD5
    heard = sighting(sketch_md5=OTHER_MD5, version="1.1.0")
    assert judge(heard, candidate, module).verdict is Verdict.FAILED


@pytest.mark.parametrize("said", ["1.1.0", "1.0.0", "0.5"])
def test_the_stated_version_is_part_of_the_result(said: str) -> None:
    assert judge(sighting(version=said), CANDIDATE, MODULE).version == said


def test_the_very_image_has_the_version_it_was_added_with() -> None:
    exact = sighting(sketch_md5=IMAGE.plain_md5)
    assert judge(exact, CANDIDATE, MODULE).version == "1.1.0"
    named = sighting(sketch_md5=IMAGE.plain_md5, version="1.1.0-dirty")
    assert judge(named, CANDIDATE, MODULE).version == "1.1.0-dirty"


def test_what_is_back_is_named_as_well_as_it_is_known() -> None:
    other = judge(sighting(firmware="heater", version="2.0"), CANDIDATE, MODULE)
    assert other.facts == {"version": "1.1.0", "found": "heater 2.0"}
    unnamed = judge(sighting(sketch_md5=OTHER_MD5), CANDIDATE, WITH_MD5)
    assert unnamed.facts == {"version": "1.1.0"}
    old = judge(sighting(sketch_md5=OLD_MD5), CANDIDATE, WITH_MD5)
    assert old.facts == {"version": "1.1.0", "installed": "?"}
    stranger = judge(sighting(mac="00:00:00:00:00:01"), CANDIDATE, MODULE)
    assert stranger.facts == {"expected": MODULE.mac, "found": "00:00:00:00:00:01"}
