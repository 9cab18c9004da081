"""What all entities of a module have in common."""

from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo, format_mac
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .modules import ModuleCoordinator, identity_of
from .ota import ChipFamily

_MANUFACTURERS = {
    ChipFamily.ESP8266: "Espressif",
    ChipFamily.ESP32: "Espressif",
    ChipFamily.RP2: "Raspberry Pi",
}


class ModuleEntity(CoordinatorEntity[ModuleCoordinator]):
    """An entity on a module's device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: ModuleCoordinator, key: str) -> None:
        """Belong to the module's device."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        facts = coordinator.facts()
        self._attr_unique_id = f"{identity_of(entry)}_{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, identity_of(entry))},
            name=entry.title,
            manufacturer=_MANUFACTURERS.get(facts.family) if facts.family else None,
            model=facts.board or facts.chip,
            model_id=facts.chip,
            sw_version=coordinator.data.installed,
        )
        if facts.mac:
            self._attr_device_info["connections"] = {
                (CONNECTION_NETWORK_MAC, format_mac(facts.mac))
            }
