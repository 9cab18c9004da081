"""What is collected of one module, and announcements of it as from the wire."""

from typing import Any

from custom_components.esp_ota.modules import ModuleCoordinator
from custom_components.esp_ota.ota import ModuleFacts
from tests.kit.entries import entry_for
from tests.kit.garden import Garden
from tests.virtual_module import VirtualModule


async def coordinator_of(
    garden: Garden, module: VirtualModule, **changes: Any
) -> ModuleCoordinator:
    """Set up the module and return what collects its facts."""
    entry = await garden.add(entry_for(module, **changes))
    coordinator: ModuleCoordinator = entry.runtime_data.coordinator
    return coordinator


def said(**facts: Any) -> ModuleFacts:
    """Return one announcement of the module."""
    usual: dict[str, Any] = {"name": "garden-valve", "host": "127.0.0.1", "port": 8266}
    return ModuleFacts(**usual | facts)


def hear(coordinator: ModuleCoordinator, **facts: Any) -> None:
    """Let one announcement under the module's name be heard, as from the wire."""
    announced = said(**{"port": coordinator.port} | facts)
    coordinator.house.announcements.async_claimed("garden-valve._arduino._tcp.local.", announced)
    coordinator._heard(announced)
