"""Whose MAC is whose, as entries come, change and go."""

from custom_components.esp_ota.const import CONF_MAC
from custom_components.esp_ota.house import HOUSE
from homeassistant.core import HomeAssistant
from tests.kit.entries import entry_for
from tests.virtual_module import ModuleConfig, VirtualModule

MAC = "5c:cf:7f:00:00:01"
OTHER = "5c:cf:7f:00:00:02"


async def test_a_mac_is_found_as_soon_as_an_entry_has_it_and_no_longer(
    hass: HomeAssistant, esp_ota: None
) -> None:
    roster = hass.data[HOUSE].roster
    assert roster.with_mac(MAC) == []

    entry = entry_for(VirtualModule(ModuleConfig()), mac=MAC, service_name=None)
    entry.add_to_hass(hass)
    assert roster.with_mac(MAC) == [entry]

    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_MAC: OTHER})
    assert roster.with_mac(MAC) == []
    assert roster.with_mac(OTHER) == [entry]

    await hass.config_entries.async_remove(entry.entry_id)
    assert roster.with_mac(OTHER) == []
    assert roster.modules == []


async def test_two_entries_with_one_mac_are_both_known(hass: HomeAssistant, esp_ota: None) -> None:
    roster = hass.data[HOUSE].roster
    entries = [
        entry_for(VirtualModule(ModuleConfig()), mac=MAC, unique_id=name) for name in ("a", "b")
    ]
    for entry in entries:
        entry.add_to_hass(hass)

    assert roster.with_mac(MAC) == entries


async def test_an_identity_is_taken_as_soon_as_an_entry_has_it_and_no_longer(
    hass: HomeAssistant, esp_ota: None
) -> None:
    roster = hass.data[HOUSE].roster
    entry = entry_for(VirtualModule(ModuleConfig()), mac=MAC, service_name=None)
    entry.add_to_hass(hass)
    assert set(roster.identities) == {entry.data.get("identity")}

    hass.config_entries.async_update_entry(entry, data={**entry.data, "identity": OTHER})
    assert set(roster.identities) == {OTHER}

    await hass.config_entries.async_remove(entry.entry_id)
    assert OTHER not in roster.identities


async def test_an_entry_that_changes_otherwise_costs_no_look_at_all_others(
    hass: HomeAssistant, esp_ota: None
) -> None:
    """Each of hundreds is told of several times while it is loaded."""
    roster = hass.data[HOUSE].roster
    entry = entry_for(VirtualModule(ModuleConfig()), mac=MAC, service_name=None)
    entry.add_to_hass(hass)
    assert roster.with_mac(MAC) == [entry]
    index = roster._by_mac

    hass.config_entries.async_update_entry(entry, title="Terrace valve")
    assert roster.with_mac(MAC) == [entry]
    assert roster._by_mac is index
