"""How a module's updates end, one event each: automations and the person's log live from it."""

from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ModuleEntity
from .installs import ModuleConfigEntry
from .modules import ModuleCoordinator, Outcome
from .ota import Verdict

PARALLEL_UPDATES = 0  # nothing is asked of the module


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the module's event."""
    async_add_entities([UpdateEnded(entry.runtime_data.coordinator)])


class UpdateEnded(ModuleEntity, EventEntity):
    """Tells each end of an update once; its types are the verdicts."""

    _attr_translation_key = "update_ended"
    _attr_event_types = [str(verdict) for verdict in Verdict]  # noqa: RUF012 - as the base has it

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        """Belong to a module."""
        super().__init__(coordinator, "update_ended")
        self._told: Outcome | None = None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Tell an end that has not been told, and whose press it was."""
        outcome = self.coordinator.data.outcome
        if outcome is None or outcome is self._told:
            return
        self._told = outcome
        self.async_set_context(outcome.press.context)
        self._trigger_event(outcome.result.verdict, outcome.attributes)
        self.async_write_ha_state()
