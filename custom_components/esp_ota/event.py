"""How a module's updates end, and what happens to rollouts: one event each, for automations."""

from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_KIND, KIND_HOUSE
from .entity import HouseEntity, ModuleEntity
from .installs import ModuleConfigEntry
from .modules import ModuleCoordinator, Outcome
from .ota import Verdict
from .rollouts import ROLLOUTS, RolloutEvent, Rollouts

PARALLEL_UPDATES = 0  # nothing is asked of the module


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event of a module, or that of the house."""
    if entry.data[CONF_KIND] == KIND_HOUSE:
        async_add_entities([RolloutHappened(entry, hass.data[ROLLOUTS])])
        return
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


class RolloutHappened(HouseEntity, EventEntity):
    """Tells each wave of a rollout, and its end."""

    _attr_event_types = [str(event) for event in RolloutEvent]  # noqa: RUF012 - as the base has it

    def __init__(self, entry: ModuleConfigEntry, rollouts: Rollouts) -> None:
        """Belong to the house."""
        super().__init__(entry, "rollout")
        self._rollouts = rollouts

    @override
    async def async_added_to_hass(self) -> None:
        """Tell whatever happens from now on."""
        self.async_on_remove(self._rollouts.async_add_listener(self._told))

    @callback
    def _told(self, event: RolloutEvent | None, progress: dict[str, Any]) -> None:
        if event is not None:
            self._trigger_event(event, progress)
            self.async_write_ha_state()
