"""The update cards of one module: its firmware, and its files where there are any."""

from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .files_update import FilesUpdate, releases_of_files
from .helpers import async_sentence
from .installer import ModuleConfigEntry, ModuleRuntime
from .library import Release
from .ota import ImageKind
from .update_card import UNKNOWN, UpdateCard
from .withheld import withheld

PARALLEL_UPDATES = 0  # the house's own limit reaches across modules, this one cannot


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ModuleConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the module's cards; that of its files once the library has some."""
    runtime = entry.runtime_data
    async_add_entities([ModuleUpdate(runtime)])
    added = False

    @callback
    def add_files() -> None:
        nonlocal added
        if not added and releases_of_files(runtime):
            added = True
            async_add_entities([FilesUpdate(runtime)])

    entry.async_on_unload(runtime.coordinator.house.library.async_add_listener(add_files))
    entry.async_on_unload(runtime.coordinator.async_add_listener(add_files))
    add_files()


class ModuleUpdate(UpdateCard):
    """One module's firmware; its device class gives the name."""

    kind = ImageKind.SKETCH

    def __init__(self, runtime: ModuleRuntime) -> None:
        """Belong to a module."""
        super().__init__(runtime, "firmware")

    @property
    @override
    def offered(self) -> Release | None:
        return self.coordinator.offered

    @property
    @override
    def installed_version(self) -> str | None:
        return self.coordinator.data.installed or UNKNOWN

    @override
    async def async_release_notes(self) -> str | None:
        """Return the notes of the offered release, and why a newer one is not offered."""
        offered = self.offered
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
    def extra_state_attributes(self) -> dict[str, Any]:
        """What automations and the person want to know besides the card."""
        data = self.coordinator.data
        return {
            "stage": data.progress.stage if data.progress else None,
            "installed_is_assumed": data.assumed,
            "last_verdict": data.result.verdict if data.result else None,
            "last_cause": data.result.cause if data.result else None,
        }
