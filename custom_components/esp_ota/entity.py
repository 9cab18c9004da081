"""What all entities of a module have in common."""

from homeassistant.helpers.update_coordinator import CoordinatorEntity

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
