"""Who updates a module already: two updaters for one module end in a broken one.

What their entries and devices hold in 2026.10: `esphome`, `shelly` and `wled` have one entry per
module, with its host, and its MAC as unique id (with colons, in capitals, in small letters).
`tasmota` has a single entry, without any host, for all that it hears of by MQTT; each module is a
device with its MAC and `http://<address>/` (`_update_device` in `tasmota/__init__.py`).
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..ota import ModuleFacts

_UPDATERS: Final = ("esphome", "shelly", "tasmota", "wled")
_MAC_DIGITS: Final = 12

type _Claim = tuple[str | None, str | None]
"""A MAC like `aa:bb:cc:dd:ee:ff`, and an address or host name, where they are known."""


@callback
def async_updater_of(hass: HomeAssistant, facts: ModuleFacts) -> str | None:
    """Return the integration that updates a module, None for none."""
    name = facts.name.lower()
    hosts = {facts.host.lower(), name, f"{name}.local"}
    for domain in _UPDATERS:
        for entry in hass.config_entries.async_entries(
            domain, include_ignore=False, include_disabled=False
        ):
            if any(_is_it(claim, facts.mac, hosts) for claim in _claims(hass, entry)):
                return domain
    return None


def _is_it(claim: _Claim, mac: str | None, hosts: set[str]) -> bool:
    """Whether a claim is about this module; addresses change hands, MACs do not."""
    its_mac, host = claim
    if mac is not None and its_mac is not None:
        return mac == its_mac
    return host is not None and host.lower().removesuffix(".") in hosts


def _claims(hass: HomeAssistant, entry: ConfigEntry) -> Iterator[_Claim]:
    """Yield what an entry and its devices say of the modules that they are about."""
    yield _mac(entry.unique_id), entry.data.get(CONF_HOST)
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        macs = [
            _mac(value) for kind, value in device.connections if kind == dr.CONNECTION_NETWORK_MAC
        ]
        page = urlsplit(device.configuration_url or "")
        host = page.hostname if page.scheme in {"http", "https"} else None
        yield next(iter(macs), None), host


def _mac(text: str | None) -> str | None:
    """Return a MAC in the form that we know modules by, None for what is none."""
    mac = dr.format_mac(text or "")
    return mac if len(mac.replace(":", "")) == _MAC_DIGITS and mac.count(":") else None
