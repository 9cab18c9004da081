"""The device of one module in Home Assistant's registry, and what its ids are made from."""

from contextlib import suppress
from typing import Final

from yarl import URL

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import (
    CONF_BOARD,
    CONF_IDENTITY,
    CONF_INFO_URL,
    CONF_MAC,
    CONF_PULL_SECRET,
    CONF_TRANSPORTS,
    CONF_UPLOAD_PORT,
    DEFAULT_UPLOAD_PORT,
    DOMAIN,
    TRANSPORT_PULL,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..house import House
from ..ota import ChipFamily, ModuleFacts, chip_from_board


def identity_of(entry: ConfigEntry) -> str:
    """Return what the ids of a module's device and entities are made from."""
    return str(entry.data.get(CONF_IDENTITY) or entry.entry_id)


def is_usable(entry: ConfigEntry) -> bool:
    """Whether what is stored of a module can be one; asked of it is nothing, for it may sleep."""
    host, port = entry.data.get(CONF_HOST), entry.data.get(CONF_PORT)
    ways = entry.data.get(CONF_TRANSPORTS, [TRANSPORT_PUSH])
    return (
        isinstance(host, str)
        and isinstance(port, int)
        and isinstance(ways, list)
        and {TRANSPORT_PUSH, TRANSPORT_UPLOAD, TRANSPORT_PULL} >= set(ways) > set()
    )


_HOST: Final = "{host}"
_WEB: Final = ("http://", "https://")
_MIB: Final = 1 << 20
_MANUFACTURERS = {
    ChipFamily.ESP8266: "Espressif",
    ChipFamily.ESP32: "Espressif",
    ChipFamily.RP2: "Raspberry Pi",
}


@callback
def device_of(hass: HomeAssistant, entry: ConfigEntry) -> dr.DeviceEntry | None:
    """Return it, once the module has one."""
    identifier = (DOMAIN, identity_of(entry))
    return dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id)


@callback
def async_settle_identity(hass: HomeAssistant, house: House, entry: ConfigEntry) -> None:
    """Settle once what a module's ids are made from: what they were, if it was here before.

    Who was deleted and added again finds names, areas and automations as they were, for Home
    Assistant keeps them by these ids (for 30 days, `ORPHANED_ENTITY_KEEP_SECONDS`).
    """
    if CONF_IDENTITY in entry.data:
        # Home Assistant writes entries sooner than registries: a crash may have kept these alone.
        _move_ids(hass, entry, identity_of(entry))
        return
    taken = house.roster.identities
    was = house.outliving.was(entry, taken)
    identity = was["identity"] if was else entry.unique_id or entry.entry_id
    if identity in taken:
        identity = entry.entry_id
    data = {**entry.data, CONF_IDENTITY: identity}
    # One that was discovered by a request has the secret that it asked with.
    asks = entry.data.get(CONF_TRANSPORTS) == [TRANSPORT_PULL]
    if was and was["secret"] and was["mac"] and was["mac"] == entry.data.get(CONF_MAC) and not asks:
        data |= {CONF_PULL_SECRET: was["secret"]}
    _move_ids(hass, entry, identity)
    hass.config_entries.async_update_entry(entry, data=data)


def _move_ids(hass: HomeAssistant, entry: ConfigEntry, identity: str) -> None:
    """Give device and entities of release 0.1.0, which had the entry's id in theirs, new ids."""
    if identity == entry.entry_id:
        return
    devices, identifier = dr.async_get(hass), (DOMAIN, identity)
    device = devices.async_get_device_by_identifier((DOMAIN, entry.entry_id), entry.entry_id)
    if (
        device is not None
        and devices.async_get_device_by_identifier(identifier, entry.entry_id) is None
    ):
        devices.async_update_device(device.id, new_identifiers={identifier})
    registry = er.async_get(hass)
    before = f"{entry.entry_id}_"
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if before not in entity.unique_id:
            continue
        unique_id = f"{identity}_{entity.unique_id.partition(before)[2]}"
        if registry.async_get_entity_id(entity.domain, DOMAIN, unique_id) is None:
            registry.async_update_entity(entity.entity_id, new_unique_id=unique_id)


def page_of(entry: ConfigEntry, host: str) -> str | None:
    """Return the address of a module's own web page, where it is known to have one."""
    named = entry.options.get(CONF_INFO_URL, "")
    if _HOST in named and named.startswith(_WEB):
        with suppress(ValueError):  # it was typed, and looked at by nobody
            return str(URL(named.replace(_HOST, host)).origin())
    if TRANSPORT_UPLOAD in entry.data.get(CONF_TRANSPORTS, []):
        port = int(entry.data.get(CONF_UPLOAD_PORT, DEFAULT_UPLOAD_PORT))
        return str(URL.build(scheme="http", host=host, port=port))
    return None


@callback
def async_keep_page(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Let the device's link lead to where the module is now."""
    if device := device_of(hass, entry):
        page = page_of(entry, entry.data[CONF_HOST])
        dr.async_get(hass).async_update_device(device.id, configuration_url=page)


def _hardware(facts: ModuleFacts) -> str | None:
    """Return chip and flash as data sheets call them."""
    flash = f"{facts.flash_size // _MIB} MiB" if facts.flash_size else None
    return ", ".join(filter(None, (facts.chip and facts.chip.upper(), flash))) or None


@callback
def async_keep_device(
    hass: HomeAssistant, entry: ConfigEntry, facts: ModuleFacts, version: str | None
) -> None:
    """Make the device, or keep what is known of the module by now."""
    mac = {(dr.CONNECTION_NETWORK_MAC, dr.format_mac(facts.mac))} if facts.mac else set()
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, identity_of(entry))},
        connections=mac,
        name=entry.title,
        manufacturer=_MANUFACTURERS.get(facts.family) if facts.family else None,
        model=facts.board or facts.chip,
        model_id=facts.chip,
        sw_version=version,
        hw_version=_hardware(facts),
        configuration_url=page_of(entry, facts.host),
    )


@callback
def async_keep_mac(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> None:
    """Keep a MAC that was said for the first time, so that devices can be linked."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_MAC: mac})
    if device := device_of(hass, entry):
        dr.async_get(hass).async_update_device(
            device.id, merge_connections={(dr.CONNECTION_NETWORK_MAC, mac)}
        )


def is_other_chip(entry: ConfigEntry, facts: ModuleFacts) -> bool:
    """Whether a board of another chip has a module's name now; a chip has boards of many names."""
    return facts.chip is not None and chip_from_board(entry.data.get(CONF_BOARD)) not in {
        None,
        facts.chip,
    }


@callback
def async_keep_board(hass: HomeAssistant, entry: ConfigEntry, board: str) -> bool:
    """Keep which board a module says to be; returns whether that is another one than before."""
    if board == entry.data.get(CONF_BOARD):
        return False
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_BOARD: board})
    return True
