"""What a person can do about a module's updates besides starting one: cancel, go back.

Both are always there: whoever presses in vain is told why.
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


BUTTONS: Final = (
    ModuleButtonDescription(
        key="cancel_update",
        translation_key="cancel_update",
        press_fn=lambda installer, context: installer.async_cancel(context),
    ),
    ModuleButtonDescription(
        key="roll_back",
        translation_key="roll_back",
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda installer, context: installer.async_roll_back(context),
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

    @property
    @override
    def available(self) -> bool:
        """Always: a press that is skipped in silence would tell nobody why."""
        return True

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show nothing of it."""

    @override
    async def async_press(self) -> None:
        """Do it, and return when it is done."""
        context = self._context  # taken first, it is dropped by later state writes
        await self.entity_description.press_fn(self._installer, context)
