"""One install, one sentence: dialog, event, repair, log, logbook and automations say the same."""

import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_capture_events,
    async_get_device_automations,
)

from custom_components.esp_ota import device_trigger, logbook
from custom_components.esp_ota.const import DOMAIN, EVENT_UPDATE_ENDED
from custom_components.esp_ota.helpers import async_sentence
from custom_components.esp_ota.ota import Cause
from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience
from tests.kit.repairs import repair
from tests.kit.sentences import assert_issue_is_whole
from tests.virtual_module import Fault

EVENT = "event.garden_valve_update_ended"


@pytest.fixture
def anna(hass: HomeAssistant) -> MockUser:
    """Return who presses."""
    return MockUser(name="Anna", is_owner=True).add_to_hass(hass)


def state(hass: HomeAssistant, entity_id: str) -> State:
    found = hass.states.get(entity_id)
    assert found is not None
    return found


@pytest.mark.slow
async def test_a_failure_is_told_everywhere_in_the_same_words(
    garden: Garden,
    start_module: StartModule,
    anna: MockUser,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    hass = garden.hass
    module = await start_module(faults=[Fault.NO_CONNECT], limit_scale=0.01)
    garden.house.patience = patience(callback=0.2)
    entry = await garden.add_valve(module)
    fired = async_capture_events(hass, EVENT_UPDATE_ENDED)

    shown = await garden.press(anna)

    assert shown is not None
    assert shown.translation_placeholders is not None
    port = shown.translation_placeholders["callback_port"]
    sentence = await async_sentence(
        hass, "no_callback", shown.translation_placeholders, module="garden-valve"
    )
    assert f"TCP port {port}" in sentence
    assert sentence.removesuffix(".") == str(shown)  # of the error, HA drops the full stop

    event = state(hass, EVENT)
    assert event.attributes["event_type"] == "failed"
    assert event.attributes["cause"] == "no_callback"
    assert event.attributes["sentence"] == sentence
    assert event.attributes["version"] == "1.1.0"
    assert event.attributes["transport"] == "arduino_ota"
    assert event.attributes["pressed_by"] == "Anna"
    assert event.context.user_id == anna.id

    verdict = state(hass, "sensor.garden_valve_last_update")
    assert verdict.state == "failed"
    assert verdict.attributes["sentence"] == sentence

    issue = repair(hass, entry, "update_failed")
    assert issue is not None
    assert_issue_is_whole(issue)
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["sentence"] == sentence
    assert issue.is_persistent
    assert issue.learn_more_url is not None
    assert issue.learn_more_url.endswith("docs/causes.md#no_callback")

    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    ours = [record.getMessage() for record in warnings if record.name.startswith("custom_comp")]
    assert len(ours) == 1
    assert sentence in ours[0]

    [told] = fired
    assert told.context.user_id == anna.id
    assert told.data["type"] == "update_failed"
    assert told.data["sentence"] == sentence
    assert logbook_line(hass, told) == {"name": "ESP OTA", "message": sentence}


def logbook_line(hass: HomeAssistant, event: Any) -> dict[str, Any]:
    """Return what the logbook shows for an event of ours."""
    described: dict[str, Any] = {}

    def describe(domain: str, name: str, how: Any) -> None:
        described[name] = how

    logbook.async_describe_events(hass, describe)
    line: dict[str, Any] = described[event.event_type](event)
    return line


@pytest.mark.slow
async def test_a_success_says_who_what_and_from_where(
    garden: Garden, start_module: StartModule, anna: MockUser
) -> None:
    module = await start_module(advertise=True)
    await garden.add_valve(module)
    await garden.runs("1.0.0")

    assert await garden.press(anna) is None

    event = state(garden.hass, EVENT)
    assert event.attributes["event_type"] == "verified"
    assert event.attributes["cause"] is None
    assert event.attributes["previous_version"] == "1.0.0"
    assert event.attributes["version"] == "1.1.0"
    assert event.attributes["seconds"] >= 0
    assert event.attributes["restore_error"] is None
    assert "garden-valve runs 1.1.0" in event.attributes["sentence"]


@pytest.mark.slow
async def test_an_automation_has_no_name(garden: Garden, start_module: StartModule) -> None:
    await garden.add_valve(await start_module())

    await garden.press()

    assert state(garden.hass, EVENT).attributes["pressed_by"] is None


@pytest.mark.slow
async def test_each_update_is_an_event_of_its_own_and_a_percent_is_none(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    garden.house.patience = patience(evidence=0.1)
    await garden.add_valve(module)
    seen: list[str] = []

    @callback
    def changed(event: Any) -> None:
        if event.data["entity_id"] == EVENT:
            seen.append(event.data["new_state"].attributes["event_type"])

    garden.hass.bus.async_listen("state_changed", changed)
    module.faults.set(Fault.BOOT_STRAP, 1)
    await garden.press()
    await garden.press()

    assert seen == ["refused", "unverified"]


async def test_a_sentence_is_told_in_the_language_of_the_house(
    hass: HomeAssistant, esp_ota: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def texts(
        _hass: HomeAssistant, language: str, category: str, domains: set[str]
    ) -> dict[str, str]:
        assert (category, domains) == ("exceptions", {DOMAIN})
        return {f"component.{DOMAIN}.exceptions.busy.message": f"[{language}] {{module}}."}

    monkeypatch.setattr("custom_components.esp_ota.helpers.async_get_translations", texts)
    hass.config.language = "de"

    assert await async_sentence(hass, Cause.BUSY, {}, module="valve") == "[de] valve."


async def test_without_a_translation_a_sentence_is_told_in_english(
    hass: HomeAssistant, esp_ota: None
) -> None:
    hass.config.language = "tlh"

    sentence = await async_sentence(hass, Cause.BUSY, {"text": "wait {module}"}, module="valve")

    assert sentence.startswith("valve says that another update is running")


async def test_a_fact_that_nobody_knows_does_not_keep_the_sentence_back(
    hass: HomeAssistant, esp_ota: None
) -> None:
    sentence = await async_sentence(hass, Cause.HOST_NOT_FOUND, {}, module="valve")

    assert sentence.startswith("The name ? of valve")


# Automations


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "kind"),
    [([], "update_succeeded"), ([Fault.BOOT_STRAP], "update_failed")],
    ids=["succeeds", "fails"],
)
async def test_a_device_triggers_automations(
    garden: Garden,
    device_registry: dr.DeviceRegistry,
    start_module: StartModule,
    faults: list[Fault],
    kind: str,
) -> None:
    hass = garden.hass
    entry = await garden.add_valve(await start_module(faults=faults))
    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    triggers = await async_get_device_automations(hass, DeviceAutomationType.TRIGGER, device.id)
    ours = [trigger for trigger in triggers if trigger["domain"] == DOMAIN]
    assert {trigger["type"] for trigger in ours} == {"update_succeeded", "update_failed"}
    rang = async_capture_events(hass, "rang")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": [
                {
                    "triggers": {key: trigger[key] for key in trigger if key != "metadata"},
                    "actions": {
                        "event": "rang",
                        "event_data": {
                            "type": trigger["type"],
                            "why": "{{ trigger.event.data.sentence }}",
                        },
                    },
                }
                for trigger in ours
            ]
        },
    )

    await garden.press()

    [event] = rang
    assert event.data["type"] == kind
    assert event.data["why"] == state(hass, EVENT).attributes["sentence"]


async def test_the_house_has_no_triggers(
    garden: Garden, device_registry: dr.DeviceRegistry, start_module: StartModule
) -> None:
    await garden.add_valve(await start_module())
    house = garden.house.entry
    assert house is not None
    device = device_registry.async_get_or_create(
        config_entry_id=house.entry_id, identifiers={(DOMAIN, "house")}
    )

    assert await device_trigger.async_get_triggers(garden.hass, device.id) == []
    assert await device_trigger.async_get_triggers(garden.hass, "gone") == []
