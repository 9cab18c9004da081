"""Whether a module is there: only of those that announce themselves, or ask for updates."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_SERVICE_NAME, LOGGER, TRANSPORT_PULL
from .entity import ModuleEntity
from .installs import ModuleConfigEntry
from .modules import ModuleCoordinator

PARALLEL_UPDATES = 0  # nothing is asked of the module


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
    """On while the module was heard as recently as it has to be heard, or answers when asked."""

    _attr_translation_key = "reachable"
    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        """Belong to a module; what was known before a restart counts until more is known."""
        super().__init__(coordinator, "reachable")
        self._attr_is_on = coordinator.data.reachable

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        before, now = self._attr_is_on, self.coordinator.data.reachable
        if now is before:
            return
        self._attr_is_on = now
        name = self.coordinator.config_entry.title
        if before and not now:
            LOGGER.info("%s is not heard any more", name)
        elif now and before is False:
            LOGGER.info("%s is heard again", name)
        self.async_write_ha_state()
