"""Diagnostics: enough for a report, no secret."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import ReleaseName
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_dumps
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import CARD, Garden
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
