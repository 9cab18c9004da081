"""From an outcome to an error that Home Assistant can translate."""

import pytest

from custom_components.esp_ota.helpers import raise_for_result
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from homeassistant.exceptions import HomeAssistantError


@pytest.mark.parametrize("verdict", [Verdict.VERIFIED, Verdict.UNVERIFIED])
def test_a_good_verdict_with_restored_equipment_raises_nothing(verdict: Verdict) -> None:
    raise_for_result(InstallResult(verdict=verdict), module="valve")


@pytest.mark.parametrize(
    "verdict", [verdict for verdict in Verdict if verdict not in {"verified", "unverified"}]
)
def test_every_other_verdict_raises_its_cause_and_facts(verdict: Verdict) -> None:
    result = InstallResult(verdict=verdict, cause=Cause.UNREACHABLE, facts={"host": "10.0.0.9"})

    with pytest.raises(HomeAssistantError) as caught:
        raise_for_result(result, module="valve")

    assert caught.value.translation_domain == "esp_ota"
    assert caught.value.translation_key == "unreachable"
    assert caught.value.translation_placeholders == {"module": "valve", "host": "10.0.0.9"}


def test_a_verdict_without_a_cause_is_an_error_of_ours() -> None:
    with pytest.raises(HomeAssistantError) as caught:
        raise_for_result(InstallResult(verdict=Verdict.FAILED), module="valve")

    assert caught.value.translation_key == "internal"


def test_equipment_that_was_not_restored_raises_although_the_update_went_well() -> None:
    result = InstallResult(
        verdict=Verdict.VERIFIED,
        restore_error=Cause.RESTORE_FAILED,
        restore_facts={"detail": "the bus is down"},
    )

    with pytest.raises(HomeAssistantError) as caught:
        raise_for_result(result, module="valve")

    assert caught.value.translation_key == "restore_failed"
    assert caught.value.translation_placeholders == {
        "module": "valve",
        "detail": "the bus is down",
    }


def test_the_cause_of_a_failed_update_comes_before_that_of_a_failed_restore() -> None:
    result = InstallResult(
        verdict=Verdict.FAILED, cause=Cause.STALLED, restore_error=Cause.RESTORE_FAILED
    )

    with pytest.raises(HomeAssistantError) as caught:
        raise_for_result(result, module="valve")

    assert caught.value.translation_key == "stalled"
