"""Diagnostics: enough for a report, no secret."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import ReleaseName
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_dumps
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import CARD, Garden, options_for
from tests.virtual_module import Fault


async def test_a_report_says_what_is_known_and_hides_the_password(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    module = await start_module()
    name = ReleaseName(file_name="any.bin")
    await hass.data[HOUSE].library.async_add(firmware("1.1.0"), name, source="upload")
    info = {"info_url": "http://anna:battery@{host}/status?key=staple", "info_path": "version"}
    entry = entry_for(module, password="correct horse", options={"equipment": "nothing"} | info)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    report = await async_get_config_entry_diagnostics(hass, entry)

    text = json_dumps(report)
    assert not [word for word in ("correct horse", "battery", "staple") if word in text]
    assert report["entry"]["options"]["info_url"] == "http://{host}/status?…"
    assert report["facts"]["host"] == "127.0.0.1"
    assert report["facts"]["name"] == "garden-valve"
    assert report["journal"] is None


@pytest.mark.slow
async def test_a_report_says_how_the_last_update_ended_and_not_who_pressed(
    garden: Garden, start_module: StartModule
) -> None:
    anna = MockUser(name="Anna", is_owner=True).add_to_hass(garden.hass)
    module = await start_module(faults=[Fault.BOOT_STRAP])
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module))
    with pytest.raises(HomeAssistantError):
        await garden.hass.services.async_call(
            "update",
            "install",
            {"entity_id": CARD},
            blocking=True,
            context=Context(user_id=anna.id),
        )

    report = await async_get_config_entry_diagnostics(garden.hass, entry)

    text = json_dumps(report)
    assert report["outcome"]["cause"] == "boot_strap"
    assert "Press its reset button" in report["outcome"]["sentence"]
    assert "Invalid bootstrapping state" in report["outcome"]["facts"]["text"]
    assert "Anna" not in text
    assert anna.id not in text


async def test_the_house_reports_its_releases(hass: HomeAssistant, esp_ota: None) -> None:
    name = ReleaseName(file_name="any.bin")
    await hass.data[HOUSE].library.async_add(firmware("1.1.0"), name, source="upload")
    entry = MockConfigEntry(domain=DOMAIN, data={"kind": "house"})
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert [item["version"] for item in report["releases"]] == ["1.1.0"]
    assert json_dumps(report)


async def test_codes_of_the_equipment_stay_in_the_house(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    disarm = {"action": "alarm_control_panel.alarm_disarm", "data": {"code": "73519"}}
    call = {"action": "rest_command.pump", "data": {"Token": "staple", "to": "http://a:b@c/?d"}}
    either = {"choose": [{"conditions": [], "sequence": [disarm, call]}]}
    options = options_for({"actions": [disarm, either], "restore": [call]})
    entry = await Garden(hass).add(entry_for(await start_module(), options=options))

    report = await async_get_config_entry_diagnostics(hass, entry)

    text = json_dumps(report)
    assert not [word for word in ("73519", "staple", "a:b@", "?d") if word in text]
    assert text.count("alarm_disarm") == 2


async def test_servers_and_guests_are_reported_without_their_tokens(
    hass: HomeAssistant, esp_ota: None
) -> None:
    server = {
        "url": "https://anna:battery@updates.example.org",
        "tenant": "DEFAULT",
        "login": "target",
        "token": "staple",
        "tokens": {"home-valve": "horse"},
    }
    guest = {"guests": ["update.hall"], "equipment": "nothing"}
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={"kind": "house"},
        subentries_data=[
            ConfigSubentryData(data=data, subentry_type=kind, title=kind, unique_id=None)
            for kind, data in (("server", server), ("guest", guest))
        ],
    )
    report = await async_get_config_entry_diagnostics(hass, entry)
    text = json_dumps(report)
    assert not [word for word in ("battery", "staple", "horse", "anna") if word in text]
    assert [item["type"] for item in report["entry"]["subentries"]] == ["server", "guest"]
    assert report["entry"]["subentries"][0]["data"]["tenant"] == "DEFAULT"
