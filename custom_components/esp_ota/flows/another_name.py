"""What announces itself at the address that a person types for a module."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.helpers import selector

from ..const import CONF_MAC, CONF_RENAMED, CONF_SERVICE_NAME
from ..house import Announcements

RENAMED: Final[dict[vol.Marker, Any]] = {
    vol.Optional(CONF_RENAMED, default=False): selector.BooleanSelector()
}


def name_at(
    announcements: Announcements,
    entries: Iterable[ConfigEntry],
    entry: ConfigEntry,
    address: Mapping[str, Any],
) -> tuple[str | None, str | None]:
    """Return why an address cannot be a module's, and the new name that it would have there."""
    host, port, name = address[CONF_HOST], address[CONF_PORT], entry.data.get(CONF_SERVICE_NAME)
    others = [other for other in entries if other is not entry]
    if any((one.data.get(CONF_HOST), one.data.get(CONF_PORT)) == (host, port) for one in others):
        return "other_module", None
    found = announcements.other_at(name, host, port) if name is not None else None
    if found is None or (facts := announcements.facts(found)) is None:
        return None, None
    known = {str(one.data.get(CONF_SERVICE_NAME)).lower() for one in others}
    mac, said = entry.data[CONF_MAC], facts.mac if announcements.is_one(found) else None
    if found.lower() in known or (mac and said not in {None, mac}):
        return "other_module", None
    is_it = mac is not None and said == mac
    return None if is_it or address.get(CONF_RENAMED) else "other_name", found
