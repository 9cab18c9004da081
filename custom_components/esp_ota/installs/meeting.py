"""A discovered module may be one that is set up already, moved or called anew."""

from collections.abc import Iterable

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, UnknownEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_SERVICE_NAME
from ..modules import async_rename
from ..ota import Address, ModuleFacts
from .installer import ModuleRuntime


async def async_meet(
    entry: ConfigEntry, service_name: str | None, facts: ModuleFacts
) -> bool | None:
    """Follow a known module to where, and as what, it was discovered.

    Returns whether it is this module, None where that cannot be told, not now or not at all. Its
    entry may be gone then: a look takes seconds, and a person deletes when they like.
    """
    runtime = getattr(entry, "runtime_data", None)
    if entry.state is not ConfigEntryState.LOADED or not isinstance(runtime, ModuleRuntime):
        return None
    coordinator = runtime.coordinator
    try:
        if service_name is not None and coordinator.names.is_another(service_name):
            return await coordinator.names.async_look(service_name, facts)
        return await coordinator.whereabouts.async_meet(facts)
    except UnknownEntry:
        return None


async def async_meet_by_address(
    entries: Iterable[ConfigEntry], service_name: str | None, facts: ModuleFacts
) -> None:
    """Have a person asked whether an unknown name at a known module's address is its new one."""
    for entry in entries:
        here = entry.data.get(CONF_HOST), entry.data.get(CONF_PORT)
        if here == (facts.host, facts.port) and entry.data.get(CONF_SERVICE_NAME) is not None:
            await async_meet(entry, service_name, facts)


@callback
def async_lent(entry: ConfigEntry, host: str) -> None:
    """Look whether a module is at an address that a router says to have lent to it."""
    runtime = getattr(entry, "runtime_data", None)
    if entry.state is ConfigEntryState.LOADED and isinstance(runtime, ModuleRuntime):
        # Believed enough to look, and not to ask a person: anybody can say it.
        runtime.coordinator.whereabouts.async_asked_from(host, believed=True)


@callback
def async_renamed(
    hass: HomeAssistant, entry: ConfigEntry, service_name: str, there: Address
) -> None:
    """Take that a person says what a module announces itself as, and where; loaded or not."""
    runtime = getattr(entry, "runtime_data", None)
    if entry.state is ConfigEntryState.LOADED and isinstance(runtime, ModuleRuntime):
        runtime.coordinator.names.async_told(service_name, there, renamed=True)
    else:
        async_rename(hass, entry, service_name)
