"""What is stored and secret is not handed back to the browser, and stays where a field is empty."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.flows import with_stored, without_passwords
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for
from tests.kit.sentences import shown_in

SECRET = "geheim"


def test_a_form_shows_no_secret() -> None:
    stored = {
        "host": "192.0.2.1",
        "port": 8266,
        "password": SECRET,
        "upload_password": SECRET,
        "token": SECRET,
        "url": f"https://anna:{SECRET}@a.example/list.json?token={SECRET}",
    }
    shown = without_passwords(stored)
    assert SECRET not in repr(shown)
    assert shown == {"host": "192.0.2.1", "port": 8266, "url": "https://a.example/list.json?…"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, {"password": SECRET}),
        ({"password": ""}, {"password": SECRET}),
        ({"password": "new"}, {"password": "new"}),
        ({"no_password": True}, {}),
        ({"no_password": False}, {"password": SECRET}),
        ({"no_password": True, "password": "new"}, {"password": "new"}),
    ],
)
def test_an_empty_field_keeps_the_stored_secret(said: dict[str, Any], kept: dict[str, str]) -> None:
    assert with_stored(said, {"password": SECRET}) == kept


def test_an_address_that_was_left_as_it_was_shown_keeps_its_secret() -> None:
    stored = {"url": f"https://{SECRET}@a.example/l?k={SECRET}"}
    shown = without_passwords(stored)
    assert with_stored(shown, stored, addresses=["url"]) == stored
    changed = {"url": "https://b.example/l"}
    assert with_stored(changed, stored, addresses=["url"]) == changed


async def options_form(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Any:
    """Open one form of a module's options."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    return await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": step}
    )


async def test_the_options_of_a_module_hand_nothing_back(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    info = f"http://anna:{SECRET}@{{host}}/status?key={SECRET}"
    entry = await garden.add(
        entry_for(
            module,
            password=SECRET,
            upload_password=SECRET,
            options=options_for(info_url=info, info_path="version"),
        )
    )

    for step in ("doors", "evidence"):
        form = await options_form(garden.hass, entry, step)
        assert form["type"] is FlowResultType.FORM
        assert SECRET not in repr(shown_in(form))

    doors = await options_form(garden.hass, entry, "doors")
    configure = garden.hass.config_entries.options.async_configure
    page = await configure(doors["flow_id"], {"transports": ["http_upload"]})
    assert SECRET not in repr(shown_in(page))

    doors = await options_form(garden.hass, entry, "doors")
    await configure(doors["flow_id"], {"transports": ["arduino_ota"]})
    await garden.hass.async_block_till_done()
    assert entry.data["upload_password"] == SECRET
    assert entry.data["password"] == SECRET


async def test_a_source_hands_its_token_not_back(garden: Garden) -> None:
    data = {"repository": "garden/valve", "pattern": "*.bin", "channel": "stable", "token": SECRET}
    source = ConfigSubentryData(
        data=data | {"interval": 60}, subentry_type="github", title="garden", unique_id="x"
    )
    house = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house", "pull_secret": "house-secret"},
        subentries_data=[source],
    )
    house.add_to_hass(garden.hass)
    subentry_id = next(iter(house.subentries))
    form = await house.start_subentry_reconfigure_flow(garden.hass, subentry_id)
    assert SECRET not in repr(shown_in(form))
