"""Whether a module is there, as far as it says so by itself.

Nothing is sent to find out: probes belong to installs, and a house may have hundreds of modules.
So there is one only for modules that announce themselves, or ask for updates.
"""

from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from .const import CONF_SERVICE_NAME, LOGGER, TRANSPORT_PULL
from .entity import ModuleEntity
from .installs import ModuleConfigEntry
from .modules import ModuleCoordinator

PARALLEL_UPDATES = 0  # nothing is asked of the module

_ANNOUNCED_FOR: Final = timedelta(minutes=80)
"""mDNS service records live 75 minutes, and Home Assistant's browser asks for them before."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add whether the module is there, if it ever says so."""
    coordinator = entry.runtime_data.coordinator
    if entry.data.get(CONF_SERVICE_NAME) or TRANSPORT_PULL in coordinator.transports:
        async_add_entities([Reachable(coordinator)])


class Reachable(ModuleEntity, BinarySensorEntity):
    """On while the module was heard as recently as it has to be heard."""

    _attr_translation_key = "reachable"
    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        """Belong to a module; nothing is known before it is heard."""
        super().__init__(coordinator, "reachable")
        self._seen: datetime | None = None
        self._stop_timer: CALLBACK_TYPE | None = None

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._look()

    @override
    async def async_will_remove_from_hass(self) -> None:
        self._cancel_timer()
        await super().async_will_remove_from_hass()

    @property
    def _patience(self) -> timedelta:
        """How long a module that is there may be silent."""
        if self.coordinator.config_entry.data.get(CONF_SERVICE_NAME):
            return _ANNOUNCED_FOR
        return timedelta(seconds=self.coordinator.desk.patience)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        before = self._attr_is_on
        self._look()
        if self._attr_is_on is not before:
            self._log(was=before)
            self.async_write_ha_state()

    @callback
    def _look(self) -> None:
        """Take what the module last said."""
        data = self.coordinator.data
        if data.left:
            self._cancel_timer()
            self._attr_is_on = False
        elif data.last_seen is not None and data.last_seen != self._seen:
            self._cancel_timer()
            self._stop_timer = async_call_later(self.hass, self._patience, self._silent)
            self._attr_is_on = True
        self._seen = data.last_seen

    @callback
    def _silent(self, _now: datetime) -> None:
        self._stop_timer = None
        self._attr_is_on = False
        self._log(was=True)
        self.async_write_ha_state()

    @callback
    def _cancel_timer(self) -> None:
        if self._stop_timer is not None:
            self._stop_timer()
            self._stop_timer = None

    def _log(self, *, was: bool | None) -> None:
        """Say once that it went, and once that it is back."""
        name = self.coordinator.config_entry.title
        if not self._attr_is_on:
            LOGGER.info("%s is not heard any more", name)
        elif was is False:
            LOGGER.info("%s is heard again", name)
