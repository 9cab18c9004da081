"""A small integration with modules that are guests of ours, and behave as others in the wild."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

DOMAIN = "neighbour"


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up the modules that an entry describes."""
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.UPDATE])
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Unload them."""
    return await hass.config_entries.async_unload_platforms(entry, [Platform.UPDATE])
