"""The device of one module in Home Assistant's registry."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import CONF_MAC, DOMAIN


@callback
def device_of(hass: HomeAssistant, entry: ConfigEntry) -> dr.DeviceEntry | None:
    """Return it, once the module has one."""
    identifier = (DOMAIN, entry.entry_id)
    return dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id)


@callback
def async_keep_mac(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> None:
    """Keep a MAC that was announced for the first time, so that devices can be linked."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_MAC: mac})
    if device := device_of(hass, entry):
        dr.async_get(hass).async_update_device(
            device.id, merge_connections={(dr.CONNECTION_NETWORK_MAC, mac)}
        )
