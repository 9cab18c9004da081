"""Where an update stands, how the last one ended, and what is known of the module."""

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

from .entity import ModuleEntity
from .installs import ModuleConfigEntry
from .modules import ModuleCoordinator, Outcome
from .ota import InstallStage, Verdict

PARALLEL_UPDATES = 0  # nothing is asked of the module

_IDLE: Final = "idle"
_SEEN_ROW: Final = timedelta(hours=1)
"""How often *Last seen* is written: a module may ask each minute, and each state is a row of the
recorder."""
_ATTRIBUTES: Final = ("cause", "sentence", "version", "previous_version")
"""What the last verdict keeps over a restart, besides itself."""


@dataclass(frozen=True, kw_only=True)
class ModuleSensorDescription(SensorEntityDescription):
    """A value of the coordinator."""

    value_fn: Callable[[ModuleCoordinator], str | int | None]


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
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the module's sensors."""
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

    @override
    async def async_added_to_hass(self) -> None:
        """Show the value as it is now."""
        await super().async_added_to_hass()
        self._attr_native_value = self.entity_description.value_fn(self.coordinator)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show a new value; most updates are a percent that concerns others."""
        value = self.entity_description.value_fn(self.coordinator)
        if value != self._attr_native_value:
            self._attr_native_value = value
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
