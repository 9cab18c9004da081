"""What all entities of a module have in common, and those of the house."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, HOUSE_UNIQUE_ID
from .modules import ModuleCoordinator, identity_of


class ModuleEntity(CoordinatorEntity[ModuleCoordinator]):
    """An entity on a module's device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: ModuleCoordinator, key: str) -> None:
        """Belong to the module's device."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{identity_of(coordinator.config_entry)}_{key}"
        # Not by a device info, which each entity would have compared with the registry.
        self.device_entry = coordinator.device


class HouseEntity(Entity):
    """An entity that belongs to no module."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: ConfigEntry, key: str) -> None:
        """Belong to the house, whose ids outlive its entry: it may be deleted and made again."""
        self._attr_unique_id = f"{HOUSE_UNIQUE_ID}_{key}"
        self._attr_translation_key = key
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, HOUSE_UNIQUE_ID)},
            name=entry.title,
            entry_type=DeviceEntryType.SERVICE,
        )
