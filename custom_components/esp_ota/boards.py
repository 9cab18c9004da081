"""Whether a board is set up twice: as a module here, and by another integration.

Two updaters for one board end in a broken one. What their entries and devices hold in 2026.10:
`esphome`, `shelly` and `wled` have one entry per board, with its host, and its MAC as unique id
(with colons, in capitals, in small letters). `tasmota` has a single entry, without any host, for
all that it hears of by MQTT; each board is a device with its MAC and `http://<address>/`
(`_update_device` in `tasmota/__init__.py`).
"""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from homeassistant.components.update import DOMAIN as UPDATE_DOMAIN
from homeassistant.components.update.const import ATTR_IN_PROGRESS
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import CONF_MAC, DOMAIN
from .house import House
from .ota import Cause, InstallRefused, InstallStage
from .owners import guest_key

_MAC_DIGITS: Final = 12
_WAITS: Final = {InstallStage.CHECKING, InstallStage.QUEUED}

type Claim = tuple[str | None, str | None]
"""A MAC like `aa:bb:cc:dd:ee:ff`, and an address or host name, where they are known."""


def hosts_of(host: str, name: str) -> set[str]:
    """Return how a board may be called in the network."""
    return {host.lower(), name.lower(), f"{name.lower()}.local"} - {""}


def is_it(claim: Claim, mac: str | None, hosts: set[str]) -> bool:
    """Whether a claim is about this board; addresses change hands, MACs do not."""
    its_mac, host = claim
    if mac is not None and its_mac is not None:
        return mac == its_mac
    return host is not None and host.lower().removesuffix(".") in hosts


@callback
def claims_of_entry(hass: HomeAssistant, entry: ConfigEntry) -> Iterator[Claim]:
    """Yield what an entry and its devices say of the boards that they are about."""
    yield _mac(entry.unique_id), entry.data.get(CONF_HOST)
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        yield _claim_of(device)


@callback
def module_at(hass: HomeAssistant, house: House, entity_id: str) -> ConfigEntry | None:
    """Return the module that is the board of another integration's entity, None for none."""
    claims = list(_claims_of_entity(hass, entity_id))
    return next((entry for entry in house.modules if _is_module(entry, claims)), None)


@callback
def raise_if_updated_elsewhere(hass: HomeAssistant, house: House, entry: ConfigEntry) -> None:
    """Raise InstallRefused while another integration updates the board of a module."""
    for entity in list(er.async_get(hass).entities.values()):
        if entity.domain != UPDATE_DOMAIN or entity.platform == DOMAIN:
            continue
        if not _is_updated(hass, house, entity.entity_id):
            continue
        if _is_module(entry, _claims_of_entity(hass, entity.entity_id)):
            raise InstallRefused(Cause.UPDATED_ELSEWHERE, entity=entity.entity_id)


def _is_updated(hass: HomeAssistant, house: House, entity_id: str) -> bool:
    """Whether an entity says so, or was told to as a guest and its proof is awaited."""
    state = hass.states.get(entity_id)
    if state is not None and state.attributes.get(ATTR_IN_PROGRESS) not in {None, False}:
        return True
    note = house.journal.open_install(guest_key(hass, entity_id))
    return note is not None and note["stage"] not in _WAITS


def _is_module(entry: ConfigEntry, claims: Iterable[Claim]) -> bool:
    data = entry.data
    hosts = hosts_of(str(data.get(CONF_HOST, "")), str(data.get(CONF_NAME, "")))
    return any(is_it(claim, data.get(CONF_MAC), hosts) for claim in claims)


def _claims_of_entity(hass: HomeAssistant, entity_id: str) -> Iterator[Claim]:
    """Yield what is said of the board of an entity.

    What an entry says counts where it is about one board; that of a hub is about the hub.
    """
    known = er.async_get(hass).async_get(entity_id)
    devices = dr.async_get(hass)
    device = devices.async_get(known.device_id) if known and known.device_id else None
    if isinstance(device, dr.DeviceEntry):
        yield _claim_of(device)
    entry_id = known.config_entry_id if known else None
    entry = hass.config_entries.async_get_entry(entry_id) if entry_id else None
    if entry is not None and len(dr.async_entries_for_config_entry(devices, entry.entry_id)) <= 1:
        yield _mac(entry.unique_id), entry.data.get(CONF_HOST)


def _claim_of(device: dr.DeviceEntry) -> Claim:
    macs = [_mac(value) for kind, value in device.connections if kind == dr.CONNECTION_NETWORK_MAC]
    page = urlsplit(device.configuration_url or "")
    return next(iter(macs), None), page.hostname if page.scheme in {"http", "https"} else None


def _mac(text: str | None) -> str | None:
    """Return a MAC in the form that we know modules by, None for what is none."""
    mac = dr.format_mac(text or "")
    return mac if len(mac.replace(":", "")) == _MAC_DIGITS and mac.count(":") else None
