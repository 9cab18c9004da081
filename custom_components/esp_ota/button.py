"""What a person can do about a module's updates besides starting one: cancel, go back.

Each is there while there is something to do. Who uses the actions in vain is told why.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ModuleEntity
from .installs import ModuleConfigEntry, ModuleInstaller, ModuleRuntime

PARALLEL_UPDATES = 0  # the house's own limit reaches across modules, this one cannot


@dataclass(frozen=True, kw_only=True)
class ModuleButtonDescription(ButtonEntityDescription):
    """Something that the installer does."""

    press_fn: Callable[[ModuleInstaller, Context | None], Awaitable[None]]
    available_fn: Callable[[ModuleInstaller], bool]


BUTTONS: Final = (
    ModuleButtonDescription(
        key="cancel_update",
        translation_key="cancel_update",
        press_fn=lambda installer, context: installer.async_cancel(context),
        available_fn=lambda installer: installer.can_cancel,
    ),
    ModuleButtonDescription(
        key="roll_back",
        translation_key="roll_back",
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda installer, context: installer.async_roll_back(context),
        available_fn=lambda installer: installer.can_roll_back,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the module's buttons."""
    async_add_entities(ModuleButton(entry.runtime_data, item) for item in BUTTONS)


class ModuleButton(ModuleEntity, ButtonEntity):
    """One button of a module."""

    entity_description: ModuleButtonDescription

    def __init__(self, runtime: ModuleRuntime, description: ModuleButtonDescription) -> None:
        """Belong to a module."""
        super().__init__(runtime.coordinator, description.key)
        self.entity_description = description
        self._installer = runtime.installer

        self._attr_available = description.available_fn(runtime.installer)

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        cards = self.coordinator.house.cards
        self.async_on_remove(cards.async_add(self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        """While there is something to do, whether the module is heard or not."""
        return self._attr_available

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Come and go; most updates are a percent that concerns others."""
        available = self.entity_description.available_fn(self._installer)
        if available is not self._attr_available:
            self._attr_available = available
            self.async_write_ha_state()

    @override
    async def async_press(self) -> None:
        """Do it, and return when it is done."""
        context = self._context  # taken first, it is dropped by later state writes
        await self.entity_description.press_fn(self._installer, context)
