"""The update card of one module. It reads the coordinator and calls the installer."""

from typing import Any, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityFeature,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ModuleEntity
from .helpers import async_sentence
from .installer import ModuleConfigEntry, ModuleRuntime
from .versions import is_newer
from .withheld import withheld

PARALLEL_UPDATES = 0  # the house's own limit reaches across modules, this one cannot

_UNKNOWN = "unknown"
"""Shown when nobody said what runs; a card without an installed version has no button."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the module's update entity."""
    async_add_entities([ModuleUpdate(entry.runtime_data)])


class ModuleUpdate(ModuleEntity, UpdateEntity):
    """One module's firmware."""

    _attr_device_class = UpdateDeviceClass.FIRMWARE
    _attr_supported_features = (
        UpdateEntityFeature.INSTALL
        | UpdateEntityFeature.PROGRESS
        | UpdateEntityFeature.SPECIFIC_VERSION
        | UpdateEntityFeature.RELEASE_NOTES
    )

    def __init__(self, runtime: ModuleRuntime) -> None:
        """Belong to a module; its device class gives the name."""
        super().__init__(runtime.coordinator, "firmware")
        self._installer = runtime.installer

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        library = self.coordinator.house.library
        self.async_on_remove(library.async_add_listener(self.async_write_ha_state))

    @property
    @override
    def available(self) -> bool:
        """Always: a sleeping or restarting module can still be updated, or waited for."""
        return True

    @property
    @override
    def title(self) -> str | None:
        return self.coordinator.data.firmware

    @property
    @override
    def installed_version(self) -> str | None:
        return self.coordinator.data.installed or _UNKNOWN

    @property
    @override
    def latest_version(self) -> str | None:
        """The newest release that would not be refused; what runs when there is none newer."""
        offered = self.coordinator.offered
        if offered is None:
            return self.installed_version
        return offered.version

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Versions that cannot be ordered count as new: they differ."""
        if installed_version == _UNKNOWN:
            return latest_version != _UNKNOWN
        return is_newer(latest_version, installed_version) is not False

    @property
    @override
    def release_summary(self) -> str | None:
        offered = self.coordinator.offered
        notes = offered.notes.strip() if offered and offered.notes else ""
        return notes.splitlines()[0] if notes else None

    @override
    async def async_release_notes(self) -> str | None:
        """Return the notes of the offered release, and why a newer one is not offered."""
        offered = self.coordinator.offered
        parts = [await self._async_withheld(), offered.notes if offered else None]
        return "\n\n".join(part for part in parts if part) or None

    async def _async_withheld(self) -> str | None:
        if (found := withheld(self.coordinator)) is None:
            return None
        release, refusal = found
        assert refusal.cause is not None
        module = self.coordinator.config_entry.title
        reason = await async_sentence(self.hass, refusal.cause, refusal.facts, module=module)
        facts = {"version": release.version, "reason": reason}
        return await async_sentence(self.hass, "not_offered", facts, module=module)

    @property
    @override
    def in_progress(self) -> bool:
        """One value tells both this and the percentage, so neither outlives the other."""
        return self.coordinator.data.progress is not None

    @property
    @override
    def update_percentage(self) -> int | None:
        progress = self.coordinator.data.progress
        return progress.percent if progress else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What automations and the person want to know besides the card."""
        data = self.coordinator.data
        return {
            "stage": data.progress.stage if data.progress else None,
            "installed_is_assumed": data.assumed,
            "last_verdict": data.result.verdict if data.result else None,
            "last_cause": data.result.cause if data.result else None,
        }

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        """Install, and return only when the module is back with it."""
        context = self._context  # taken first, it is dropped by later state writes
        await self._installer.async_install(version, context)
