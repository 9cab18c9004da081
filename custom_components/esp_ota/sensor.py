"""Where an update stands, how the last one ended, what is known of the module; and the queue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, UnitOfInformation
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.restore_state import RestoreEntity

from .const import CONF_KIND, KIND_HOUSE
from .entity import HouseEntity, ModuleEntity
from .house import HOUSE, Queue
from .installs import ModuleConfigEntry
from .modules import ModuleCoordinator, Outcome
from .ota import InstallStage, Verdict
from .rollouts import ROLLOUTS, RolloutEvent, Rollouts, RolloutState

PARALLEL_UPDATES = 0  # nothing is asked of the module

_IDLE: Final = "idle"
_SEEN_ROW: Final = timedelta(hours=1)
"""How often *Last seen* is written: a module may ask each minute, and each state is a row of the
recorder."""
_ATTRIBUTES: Final = ("cause", "sentence", "version", "previous_version")
"""What the last verdict keeps over a restart, besides itself."""
_SHOWN: Final = 20
"""Of those that wait; an attribute is sent to every browser whenever it changes."""
_NAME: Final = 60
"""Letters of a name."""


@dataclass(frozen=True, kw_only=True)
class ModuleSensorDescription(SensorEntityDescription):
    """A value of the coordinator."""

    value_fn: Callable[[ModuleCoordinator], str | int | None]
    is_of_module: bool = False
    """Whether it is what the module has now: it is unavailable while the module is silent."""


def _stage(coordinator: ModuleCoordinator) -> str:
    progress = coordinator.data.progress
    return progress.stage if progress else _IDLE


SENSORS: Final = (
    ModuleSensorDescription(
        key="stage",
        translation_key="stage",
        device_class=SensorDeviceClass.ENUM,
        entity_registry_enabled_default=False,  # the card says it as well, and writes it anyway
        options=[_IDLE, *(str(stage) for stage in InstallStage)],
        value_fn=_stage,
    ),
    ModuleSensorDescription(
        key="running_image",
        translation_key="running_image",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda coordinator: coordinator.facts().sketch_md5,
        is_of_module=True,
    ),
    ModuleSensorDescription(
        key="free_slot",
        translation_key="free_slot",
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.KIBIBYTES,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda coordinator: coordinator.facts().slot_size,
        is_of_module=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of a module, or that of the house."""
    if entry.data[CONF_KIND] == KIND_HOUSE:
        async_add_entities(
            [
                QueueSensor(entry, hass.data[HOUSE].queue),
                RolloutSensor(entry, hass.data[ROLLOUTS]),
            ]
        )
        return
    coordinator = entry.runtime_data.coordinator
    async_add_entities(
        [
            *(ModuleSensor(coordinator, description) for description in SENSORS),
            LastVerdict(coordinator),
            LastSeen(coordinator),
        ]
    )


class ModuleSensor(ModuleEntity, SensorEntity):
    """One value of the coordinator."""

    entity_description: ModuleSensorDescription

    def __init__(
        self, coordinator: ModuleCoordinator, description: ModuleSensorDescription
    ) -> None:
        """Show a value of the module; two are disabled, and then nobody asks for it."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._shown: tuple[str | int | None, bool] = None, True
        """The value, and whether it is known now."""

    @override
    async def async_added_to_hass(self) -> None:
        """Show the value as it is now."""
        await super().async_added_to_hass()
        self._look()

    def _look(self) -> tuple[str | int | None, bool]:
        description, coordinator = self.entity_description, self.coordinator
        is_silent = description.is_of_module and coordinator.data.reachable is False
        self._shown = description.value_fn(coordinator), not is_silent
        self._attr_native_value = self._shown[0]
        return self._shown

    @property
    @override
    def available(self) -> bool:
        """Always, but for what the module has: nobody knows that while it is silent."""
        return self._shown[1]

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show a new value; most updates are a percent that concerns others."""
        before = self._shown
        if self._look() != before:
            self.async_write_ha_state()


class LastVerdict(ModuleEntity, SensorEntity, RestoreEntity):
    """How the last update ended, and why."""

    _attr_translation_key = "last_verdict"
    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options = [str(verdict) for verdict in Verdict]  # noqa: RUF012 - as the base has it

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        """Belong to a module."""
        super().__init__(coordinator, "last_verdict")
        self._shown: Outcome | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Show what was known before the last restart."""
        await super().async_added_to_hass()
        if self.coordinator.data.ended is not None:
            self._show()
            return
        # Release 0.1.0 remembered nothing by itself.
        last = await self.async_get_last_state()
        if last is not None and last.state in self._attr_options:
            self._attr_native_value = last.state
            self._attr_extra_state_attributes = {
                name: last.attributes.get(name) for name in _ATTRIBUTES
            }

    def _show(self) -> None:
        ended: Mapping[str, Any] | None = self.coordinator.data.ended
        assert ended is not None
        self._attr_native_value = ended["verdict"]
        self._attr_extra_state_attributes = {name: ended[name] for name in _ATTRIBUTES}

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        outcome = self.coordinator.data.outcome
        if outcome is None or outcome is self._shown:
            return
        self._shown = outcome
        self.async_set_context(outcome.press.context)
        self._show()
        self.async_write_ha_state()


class LastSeen(ModuleEntity, RestoreSensor):
    """When the module last said something by itself: an announcement, or a request.

    Written at once when that was not known, and then once an hour with the latest: that of a
    module that falls silent is right after an hour at most.
    """

    _attr_translation_key = "last_seen"
    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_entity_registry_enabled_default = False  # "Reachable" says what most want to know

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        """Belong to a module."""
        super().__init__(coordinator, "last_seen")
        self._attr_native_value: datetime | None = coordinator.data.last_seen
        self._later: CALLBACK_TYPE | None = None
        """Runs until the next row."""

    @override
    async def async_added_to_hass(self) -> None:
        """Show what was known before the last restart."""
        await super().async_added_to_hass()
        last = await self.async_get_last_sensor_data()
        if self._attr_native_value is None and last and isinstance(last.native_value, datetime):
            self._attr_native_value = last.native_value

    @override
    async def async_will_remove_from_hass(self) -> None:
        if self._later is not None:
            self._later()
        await super().async_will_remove_from_hass()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self._later is None:
            self._write()

    @callback
    def _write(self, _now: datetime | None = None) -> None:
        """Show the latest if there is one, and nothing more for an hour."""
        self._later = None
        seen = self.coordinator.data.last_seen
        if seen is not None and seen != self._attr_native_value:
            self._attr_native_value = seen
            self._later = async_call_later(self.hass, _SEEN_ROW, self._write)
            self.async_write_ha_state()


class QueueSensor(HouseEntity, SensorEntity):
    """How many updates wait in the house; who runs and who waits for what."""

    _unrecorded_attributes = frozenset({"running", "waiting", "more"})

    def __init__(self, entry: ModuleConfigEntry, queue: Queue) -> None:
        """Show the queue."""
        super().__init__(entry, "queue")
        self._queue = queue
        self._look()

    @override
    async def async_added_to_hass(self) -> None:
        """Show whatever changes from now on."""
        self.async_on_remove(self._queue.async_add_listener(self._changed))

    def _look(self) -> tuple[int, dict[str, Any]]:
        """Take how it is now; the list ends where nobody would read on."""
        waiting = self._queue.waiting
        self._attr_native_value = len(waiting)
        self._attr_extra_state_attributes = {
            "running": [ticket.name[:_NAME] for ticket in self._queue.running],
            "waiting": [
                {
                    "module": ticket.name[:_NAME],
                    "place": standing.place,
                    "waits_because": str(standing.reason.why),
                    "waits_for": standing.reason.what[:_NAME] or None,
                }
                for ticket, standing in waiting[:_SHOWN]
            ],
            "more": max(0, len(waiting) - _SHOWN),
        }
        return self._attr_native_value, self._attr_extra_state_attributes

    @callback
    def _changed(self) -> None:
        before = self._attr_native_value, self._attr_extra_state_attributes
        if self._look() != before:
            self.async_write_ha_state()


class RolloutSensor(HouseEntity, SensorEntity):
    """Where the last rollout stands, and how far it has come."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options = [_IDLE, *(str(state) for state in RolloutState)]  # noqa: RUF012 - as the base has it

    def __init__(self, entry: ModuleConfigEntry, rollouts: Rollouts) -> None:
        """Show what was known before the last restart."""
        super().__init__(entry, "rollout")
        self._rollouts = rollouts
        self._look()

    @override
    async def async_added_to_hass(self) -> None:
        """Show whatever changes from now on."""
        self.async_on_remove(self._rollouts.async_add_listener(self._told))

    def _look(self) -> None:
        last = self._rollouts.last
        self._attr_native_value = last.state if last else _IDLE
        self._attr_extra_state_attributes = last.progress if last else {}

    @callback
    def _told(self, _event: RolloutEvent | None, _progress: dict[str, Any]) -> None:
        self._look()
        self.async_write_ha_state()
