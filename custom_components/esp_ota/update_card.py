"""What the update cards of a module have in common: they read it, and call its installer."""

from typing import Any, Final, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityFeature,
)
from homeassistant.core import callback

from .entity import ModuleEntity
from .installer import ModuleRuntime
from .library import Release
from .ota import ImageKind, InstallProgress
from .versions import is_newer

UNKNOWN: Final = "unknown"
"""Shown when nobody said what runs; a card without an installed version has no button."""


class UpdateCard(ModuleEntity, UpdateEntity):
    """One kind of image of one module."""

    kind: ImageKind

    _attr_device_class = UpdateDeviceClass.FIRMWARE
    _attr_supported_features = (
        UpdateEntityFeature.INSTALL
        | UpdateEntityFeature.PROGRESS
        | UpdateEntityFeature.SPECIFIC_VERSION
        | UpdateEntityFeature.RELEASE_NOTES
    )

    def __init__(self, runtime: ModuleRuntime, key: str) -> None:
        """Belong to a module."""
        super().__init__(runtime.coordinator, key)
        self._installer = runtime.installer
        self._on_offer: Release | None = None

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
    def offered(self) -> Release | None:
        """What pressing Update would install."""
        raise NotImplementedError

    @callback
    @override
    def _async_write_ha_state(self) -> None:
        """Ask the gate once: what follows from its answer is asked for three times."""
        self._on_offer = self.offered
        super()._async_write_ha_state()

    @property
    @override
    def latest_version(self) -> str | None:
        """The newest release that would not be refused; what runs when there is none newer."""
        if self._on_offer is None:
            return self.installed_version
        return self._on_offer.version

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Versions that cannot be ordered count as new: they differ."""
        if installed_version == UNKNOWN:
            return latest_version != UNKNOWN
        return is_newer(latest_version, installed_version) is not False

    @property
    @override
    def release_summary(self) -> str | None:
        offered = self._on_offer
        notes = offered.notes.strip() if offered and offered.notes else ""
        return notes.splitlines()[0] if notes else None

    @override
    async def async_release_notes(self) -> str | None:
        """Return the notes of the offered release."""
        return self.offered.notes if self.offered else None

    @property
    def _progress(self) -> InstallProgress | None:
        """One value tells both of the next two, so neither outlives the other."""
        data = self.coordinator.data
        return data.progress if data.installing is self.kind else None

    @property
    @override
    def in_progress(self) -> bool:
        return self._progress is not None

    @property
    @override
    def update_percentage(self) -> int | None:
        return self._progress.percent if self._progress else None

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        """Install, and return only when the module is back with it."""
        context = self._context  # taken first, it is dropped by later state writes
        await self._installer.async_install(version, context, self.kind)

    async def async_cancel_install(self) -> None:
        """End the install that runs; the action `esp_ota.cancel`."""
        await self._installer.async_cancel()

    async def async_roll_back(self) -> None:
        """Put back what ran well before; the action `esp_ota.rollback`."""
        context = self._context
        await self._installer.async_roll_back(context)
