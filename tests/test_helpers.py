"""From an outcome to an error that Home Assistant can translate."""

import pytest

from custom_components.esp_ota.helpers import async_raise_for_result
from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.kit.sentences import assert_error_is_whole


@pytest.mark.parametrize("verdict", [Verdict.VERIFIED, Verdict.UNVERIFIED])
async def test_a_good_verdict_with_restored_equipment_raises_nothing(
    hass: HomeAssistant, verdict: Verdict
) -> None:
    await async_raise_for_result(hass, InstallResult(verdict=verdict), module="valve")


@pytest.mark.parametrize(
    "verdict",
    [item for item in Verdict if item not in {"verified", "unverified", "rolled_back"}],
)
async def test_every_other_verdict_raises_its_cause_and_facts(
    hass: HomeAssistant, verdict: Verdict
) -> None:
    result = InstallResult(verdict=verdict, cause=Cause.UNREACHABLE, facts={"host": "10.0.0.9"})

    with pytest.raises(HomeAssistantError) as caught:
        await async_raise_for_result(hass, result, module="valve")

    assert caught.value.translation_domain == "esp_ota"
    assert caught.value.translation_key == "unreachable"
    assert caught.value.translation_placeholders == {"module": "valve", "host": "10.0.0.9"}


async def test_a_verdict_without_a_cause_is_an_error_of_ours(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError) as caught:
        await async_raise_for_result(hass, InstallResult(verdict=Verdict.FAILED), module="valve")

    assert caught.value.translation_key == "internal"


async def test_equipment_that_was_not_restored_raises_although_the_update_went_well(
    hass: HomeAssistant,
) -> None:
    result = InstallResult(
        verdict=Verdict.VERIFIED,
        restore_error=Cause.RESTORE_FAILED,
        restore_facts={"detail": "the bus is down"},
    )

    with pytest.raises(HomeAssistantError) as caught:
        await async_raise_for_result(hass, result, module="valve")

    assert caught.value.translation_key == "restore_failed"
    assert caught.value.translation_placeholders == {
        "module": "valve",
        "detail": "the bus is down.",
    }


async def test_the_cause_of_a_failed_update_comes_before_that_of_a_failed_restore(
    hass: HomeAssistant,
) -> None:
    result = InstallResult(
        verdict=Verdict.FAILED, cause=Cause.STALLED, restore_error=Cause.RESTORE_FAILED
    )

    with pytest.raises(HomeAssistantError) as caught:
        await async_raise_for_result(hass, result, module="valve")

    assert caught.value.translation_key == "stalled"


async def test_a_way_back_that_somebody_wanted_raises_nothing(hass: HomeAssistant) -> None:
    await async_raise_for_result(hass, InstallResult(verdict=Verdict.ROLLED_BACK), module="valve")


async def test_a_way_back_because_of_a_failure_raises_with_its_sentence(
    hass: HomeAssistant,
) -> None:
    facts = {"version": "1.1.0", "found": "0.9.9", "failed": "1.1.0", "back_to": "1.0.0"}
    result = InstallResult(verdict=Verdict.ROLLED_BACK, cause=Cause.OTHER_VERSION_BACK, facts=facts)

    with pytest.raises(HomeAssistantError) as caught:
        await async_raise_for_result(hass, result, module="valve")

    assert caught.value.translation_key == "went_back"
    assert_error_is_whole(caught.value)
    placeholders = caught.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["because"].startswith("valve is back, but says that it runs 0.9.9")
