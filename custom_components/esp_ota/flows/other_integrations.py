"""Who updates a module already: two updaters for one module end in a broken one."""

from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..boards import claims_of_entry, hosts_of, is_it
from ..ota import ModuleFacts

_UPDATERS: Final = ("esphome", "shelly", "tasmota", "wled")


@callback
def async_updater_of(hass: HomeAssistant, facts: ModuleFacts) -> str | None:
    """Return the integration that updates a module, None for none."""
    hosts = hosts_of(facts.host, facts.name)
    for domain in _UPDATERS:
        for entry in hass.config_entries.async_entries(
            domain, include_ignore=False, include_disabled=False
        ):
            if any(is_it(claim, facts.mac, hosts) for claim in claims_of_entry(hass, entry)):
                return domain
    return None
