"""The device of one module in Home Assistant's registry."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import CONF_MAC, DOMAIN
from ..ota import ChipFamily, ModuleFacts

_MANUFACTURERS = {
    ChipFamily.ESP8266: "Espressif",
    ChipFamily.ESP32: "Espressif",
    ChipFamily.RP2: "Raspberry Pi",
}


@callback
def device_of(hass: HomeAssistant, entry: ConfigEntry) -> dr.DeviceEntry | None:
    """Return it, once the module has one."""
    identifier = (DOMAIN, entry.entry_id)
    return dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id)


@callback
def async_keep_device(
    hass: HomeAssistant, entry: ConfigEntry, facts: ModuleFacts, version: str | None
) -> None:
    """Make the device, or keep what is known of the module by now."""
    mac = {(dr.CONNECTION_NETWORK_MAC, dr.format_mac(facts.mac))} if facts.mac else set()
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        connections=mac,
        name=entry.title,
        manufacturer=_MANUFACTURERS.get(facts.family) if facts.family else None,
        model=facts.board or facts.chip,
        model_id=facts.chip,
        sw_version=version,
    )


@callback
def async_keep_mac(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> None:
    """Keep a MAC that was announced for the first time, so that devices can be linked."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_MAC: mac})
    if device := device_of(hass, entry):
        dr.async_get(hass).async_update_device(
            device.id, merge_connections={(dr.CONNECTION_NETWORK_MAC, mac)}
        )
