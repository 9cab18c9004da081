"""ESP OTA: updates of Arduino modules, with the equipment in a safe state first."""

from homeassistant.const import Platform
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.translation import async_load_integrations
from homeassistant.helpers.typing import ConfigType

from .const import (
    CONF_KIND,
    CONF_SERVICE_NAME,
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
    HOUSE_UNIQUE_ID,
    KIND_HOUSE,
    KIND_MODULE,
)
from .guests import GUESTS, Guests
from .house import HOUSE, House, async_make_house_entry, async_newcomers
from .installs import ModuleConfigEntry, ModuleInstaller, ModuleRuntime, async_abandon
from .issues import async_clear_module_issues, async_raise_entry_newer
from .modules import ModuleCoordinator, async_settle_identity, is_usable
from .rollouts import ROLLOUTS, Rollouts
from .servers import SERVERS, Servers
from .services import async_register_actions
from .web import PullView, UploadView, async_hide_page, async_prepare_page, async_show_page

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.SENSOR,
    Platform.UPDATE,
]
HOUSE_PLATFORMS = [Platform.EVENT, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what the whole house shares."""
    # A failure is told from memory, also when Home Assistant is about to stop.
    await async_load_integrations(hass, {DOMAIN})
    house = House(hass)
    await house.async_setup()
    hass.data[HOUSE] = house
    guests = hass.data[GUESTS] = Guests(hass)
    guests.async_start()
    rollouts = hass.data[ROLLOUTS] = Rollouts(hass)
    await rollouts.async_setup()
    servers = hass.data[SERVERS] = Servers(hass)
    await servers.async_setup()
    hass.http.register_view(PullView(hass, house))
    hass.http.register_view(UploadView())
    await async_prepare_page(hass)
    async_register_actions(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.version > ENTRY_VERSION:
            async_raise_entry_newer(hass, entry)
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: ModuleConfigEntry) -> bool:
    """Take over an entry of release 0.1.0, whose ids were the entry's own, or `house`.

    One of a newer release is left as it is: what this one wrote into it would be lost there. Home
    Assistant asks for none of a newer major version, and does not set it up.
    """
    if entry.minor_version > ENTRY_MINOR_VERSION:
        return True
    unique_id: str | None = HOUSE_UNIQUE_ID
    if entry.data[CONF_KIND] == KIND_MODULE:
        async_settle_identity(hass, hass.data[HOUSE], entry)
        unique_id = entry.unique_id
    hass.config_entries.async_update_entry(
        entry, minor_version=ENTRY_MINOR_VERSION, unique_id=unique_id
    )
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ModuleConfigEntry) -> bool:
    """Set up a module, or the house's own entry."""
    house = hass.data[HOUSE]
    await house.async_serve()
    await async_show_page(hass)
    if entry.data[CONF_KIND] == KIND_HOUSE:
        house.async_open(entry)
        hass.data[SERVERS].async_open(entry)
        await hass.config_entries.async_forward_entry_setups(entry, HOUSE_PLATFORMS)
        return True
    if not is_usable(entry):
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="entry_unusable",
            translation_placeholders={"module": entry.title},
        )
    if house.entry is None:
        hass.async_create_task(async_make_house_entry(hass), "ESP OTA house entry")
    async_settle_identity(hass, house, entry)
    coordinator = ModuleCoordinator(hass, entry, house)
    installer = ModuleInstaller(hass, coordinator)
    entry.runtime_data = ModuleRuntime(coordinator=coordinator, installer=installer)
    entry.async_on_unload(coordinator.async_start())
    entry.async_on_unload(house.holds.async_add(entry, coordinator.async_update_listeners))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    stop = HassJob(installer.async_stop, f"ESP OTA stop {entry.title}")
    entry.async_on_unload(hass.async_add_shutdown_job(stop))
    entry.async_on_unload(installer.async_put_aside)

    @callback
    def recover(_hass: HomeAssistant) -> None:
        installer.async_recover()

    if installer.may_begin_while_starting:
        recover(hass)
    entry.async_on_unload(async_at_started(hass, recover))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ModuleConfigEntry) -> bool:
    """Unload a module; a running install is cancelled and its equipment restored."""
    house = hass.data[HOUSE]
    if entry.data[CONF_KIND] == KIND_HOUSE:
        if not await hass.config_entries.async_unload_platforms(entry, HOUSE_PLATFORMS):
            return False
        house.async_close()
        hass.data[SERVERS].async_close()
    elif not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await house.async_rest()  # the last one may just have been disabled
    return True


async def async_remove_entry(hass: HomeAssistant, entry: ModuleConfigEntry) -> None:
    """Forget a module, or let the next one make the house's entry again."""
    if not hass.config_entries.async_entries(DOMAIN):
        async_hide_page(hass)
    if house := hass.data.get(HOUSE):
        await async_abandon(hass, house, entry)
        await house.journal.async_forget(entry.entry_id)
        house.history.async_forget(entry.entry_id)
        house.memory.async_forget(entry.entry_id)
        if entry.data[CONF_KIND] == KIND_HOUSE:
            await house.outliving.async_keep_house(entry.data, entry.options)
        else:
            await house.outliving.async_keep_module(entry)
            if (name := entry.data.get(CONF_SERVICE_NAME)) is not None:
                async_newcomers(hass).async_offer_again(house.announcements, name)
        await house.async_rest()
    async_clear_module_issues(hass, entry.entry_id)
