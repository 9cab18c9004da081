"""A module that another integration updates is known by what that really keeps of it."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.flows import async_updater_of
from custom_components.esp_ota.ota import ModuleFacts
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

MAC = "5c:cf:7f:a1:b2:c3"
OTHER = "5c:cf:7f:00:00:01"
FACTS = ModuleFacts(name="Garden-Valve", host="192.0.2.7", port=8266)
KNOWN = ModuleFacts(name="Garden-Valve", host="192.0.2.7", port=8266, mac=MAC)


def tasmota(hass: HomeAssistant, mac: str = MAC, host: str = "192.0.2.7", **changes: Any) -> None:
    """Have the entry and the device that `tasmota` makes from a discovery message."""
    entry = MockConfigEntry(
        domain="tasmota",
        unique_id="tasmota",
        data={"discovery_prefix": "tasmota/discovery"},
        **changes,
    )
    entry.add_to_hass(hass)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        configuration_url=f"http://{host}/",
        connections={(dr.CONNECTION_NETWORK_MAC, mac)},
        manufacturer="Tasmota",
        name="Garden valve",
    )


@pytest.mark.parametrize("facts", [FACTS, KNOWN], ids=["by its address", "by its MAC"])
async def test_a_module_that_tasmota_heard_of_is_known(
    hass: HomeAssistant, facts: ModuleFacts
) -> None:
    tasmota(hass)
    assert async_updater_of(hass, facts) == "tasmota"


async def test_a_module_that_tasmota_knows_at_an_old_address_is_known_by_its_mac(
    hass: HomeAssistant,
) -> None:
    tasmota(hass, host="192.0.2.99")
    assert async_updater_of(hass, KNOWN) == "tasmota"
    assert async_updater_of(hass, FACTS) is None


async def test_another_module_that_got_the_address_is_not_taken_for_it(
    hass: HomeAssistant,
) -> None:
    tasmota(hass, mac=OTHER)
    assert async_updater_of(hass, KNOWN) is None


@pytest.mark.parametrize(
    ("domain", "unique_id"),
    [("esphome", MAC), ("wled", "5ccf7fa1b2c3"), ("shelly", "5CCF7FA1B2C3")],
)
async def test_an_entry_is_known_by_its_mac_wherever_it_is(
    hass: HomeAssistant, domain: str, unique_id: str
) -> None:
    data = {"host": "192.0.2.99"}
    MockConfigEntry(domain=domain, unique_id=unique_id, data=data).add_to_hass(hass)
    assert async_updater_of(hass, KNOWN) == domain
    assert async_updater_of(hass, FACTS) is None


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "garden-valve", "GARDEN-VALVE.local", "garden-valve.local."]
)
async def test_an_entry_is_known_by_its_host(hass: HomeAssistant, host: str) -> None:
    MockConfigEntry(domain="wled", data={"host": host}).add_to_hass(hass)
    assert async_updater_of(hass, FACTS) == "wled"


async def test_a_page_that_is_none_of_the_module_says_nothing(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain="esphome", unique_id=OTHER, data={"host": "192.0.2.99"})
    entry.add_to_hass(hass)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        configuration_url="homeassistant://app/garden-valve",
        connections={(dr.CONNECTION_NETWORK_MAC, OTHER)},
    )
    assert async_updater_of(hass, FACTS) is None


async def test_who_is_disabled_or_ignored_updates_nothing(hass: HomeAssistant) -> None:
    tasmota(hass, disabled_by=ConfigEntryDisabler.USER)
    ignored = MockConfigEntry(domain="wled", unique_id="5ccf7fa1b2c3", source=SOURCE_IGNORE)
    ignored.add_to_hass(hass)
    assert async_updater_of(hass, KNOWN) is None
