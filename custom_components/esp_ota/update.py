"""The update cards of one module: its firmware, and its files where there are any.

A sketch takes the files of its own version along; the second card is for files alone.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityFeature,
)
from homeassistant.components.update.const import ATTR_SKIPPED_VERSION
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoredExtraData

from .const import CONF_HOLD, CONF_MODULE_CHANNEL, CONF_PIN
from .entity import ModuleEntity
from .helpers import queue_sentence
from .installs import ModuleConfigEntry, ModuleRuntime
from .library import Release
from .modules import (
    Skipped,
    async_set_bound,
    not_offered,
    offered_files,
    releases_of_files,
    shown_bounds,
)
from .ota import (
    ImageKind,
    InstallProgress,
    as_text,
    is_newer,
    lines_as_text,
    same_version,
)

PARALLEL_UPDATES = 0  # the house's own limit reaches across modules, this one cannot

_SKIPPED: Final = "skipped"
_PERCENT: Final = 5
"""Shown in such steps: each state is a row of the recorder, and a hundred are too many."""
UNKNOWN: Final = "unknown"
"""Shown when nobody said what runs; a card without an installed version has no button."""


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
        if not added and releases_of_files(runtime.coordinator):
            added = True
            async_add_entities([FilesUpdate(runtime)])

    entry.async_on_unload(runtime.coordinator.house.cards.async_add(add_files))
    entry.async_on_unload(runtime.coordinator.async_add_listener(add_files))
    add_files()


def _notes(release: Release | None) -> str | None:
    """Return the notes of a release, which the card shows as Markdown, as the text they are."""
    return lines_as_text(release.notes) if release and release.notes else None


class UpdateCard(ModuleEntity, UpdateEntity):
    """One kind of image of one module."""

    kind: ImageKind

    _attr_device_class = UpdateDeviceClass.FIRMWARE
    _attr_entity_category: EntityCategory | None
    _attr_supported_features = (
        UpdateEntityFeature.INSTALL
        | UpdateEntityFeature.PROGRESS
        | UpdateEntityFeature.SPECIFIC_VERSION
        | UpdateEntityFeature.RELEASE_NOTES
    )

    _unrecorded_attributes = frozenset({"not_offered", "queue_place", "queue_sentence"})

    def __init__(self, runtime: ModuleRuntime, key: str) -> None:
        """Belong to a module."""
        super().__init__(runtime.coordinator, key)
        self._installer = runtime.installer
        self._on_offer: Release | None = None
        self._skipped = Skipped()
        self._known: tuple[Any, ...] | None = None
        """What it was shown by."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        await self._async_restore_skipped()
        cards = self.coordinator.house.cards
        self.async_on_remove(cards.async_add(self.async_write_ha_state))

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Show what changed, but not each percent; that it was seen again is shown by others."""
        data, step = replace(self.coordinator.data, last_seen=None, reachable=None), None
        if (progress := self._progress) is not None and progress.percent is not None:
            data, step = (
                replace(data, progress=None),
                (progress.stage, progress.percent // _PERCENT),
            )
        wanted = self.coordinator.house.assignments.of(self.coordinator.config_entry.entry_id)
        if (known := (data, step, self.coordinator.facts(), wanted)) != self._known:
            self._known = known
            self.async_write_ha_state()

    async def _async_restore_skipped(self) -> None:
        """Take what was skipped before the restart.

        Home Assistant writes its own down each quarter of an hour and at the stop, and forgets it
        after a week without the card; release 0.1.0 left it to that.
        """
        entry_id = self.coordinator.config_entry.entry_id
        if (kept := self.coordinator.house.journal.skipped(entry_id, self.kind)) is not None:
            self._skipped.restore(kept)
            return
        if (extra := await self.async_get_last_extra_data()) is not None:
            self._skipped.restore(extra.as_dict().get(_SKIPPED, []))
        if (last := await self.async_get_last_state()) is not None:
            self._skipped.restore([last.attributes.get(ATTR_SKIPPED_VERSION)])

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData:
        """What Home Assistant is to keep of the card over a restart."""
        return RestoredExtraData({_SKIPPED: self._skipped.versions})

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
        attributes = self.state_attributes
        assert attributes is not None
        skipped, latest = attributes[ATTR_SKIPPED_VERSION], self.latest_version
        self._skipped.look(latest, self.installed_version, skipped)
        self._keep_skipped()
        super()._async_write_ha_state()
        if skipped is None and self._skipped.holds(latest):  # it has come back
            self.hass.async_create_task(self._async_skip_again(), "ESP OTA skip again")

    @callback
    def _keep_skipped(self) -> None:
        """Write down at once what a person skipped; the power may fail, and the night come."""
        journal, entry = self.coordinator.house.journal, self.coordinator.config_entry
        versions = self._skipped.versions
        if versions != (journal.skipped(entry.entry_id, self.kind) or []):
            keep = journal.async_keep_skipped(entry.entry_id, self.kind, versions)
            self.hass.async_create_task(keep, "ESP OTA keep skipped")

    async def _async_skip_again(self) -> None:
        """Have Home Assistant skip once more what the person skipped."""
        if self._skipped.holds(self.latest_version):
            await self.async_skip()

    @property
    @override
    def latest_version(self) -> str | None:
        """The newest release that would not be refused; what runs when there is none newer."""
        installed, offered = self.installed_version, self._on_offer
        if offered is None or (installed is not None and same_version(offered.version, installed)):
            return installed  # in its spelling: Home Assistant compares letter by letter
        return offered.version

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Where nobody knows what runs everything is new; what has no order is not, nor a skip."""
        if self._skipped.holds(latest_version):
            return False
        if self.coordinator.is_assigned(self._on_offer):  # also an older one
            return not same_version(latest_version, installed_version)
        if installed_version == UNKNOWN:
            return latest_version != UNKNOWN
        return is_newer(latest_version, installed_version) is True

    @property
    @override
    def release_url(self) -> str | None:
        """Where its notes are, with all that belongs to it: known of releases on GitHub."""
        offered = self._on_offer
        return self.coordinator.house.sources.page_of(offered.source) if offered else None

    @property
    @override
    def release_summary(self) -> str | None:
        offered = self._on_offer
        notes = offered.notes.strip() if offered and offered.notes else ""
        return as_text(notes.splitlines()[0]) if notes else None

    @override
    async def async_release_notes(self) -> str | None:
        """Return the notes of the offered release."""
        return _notes(self.offered)

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

    async def async_install_now(
        self, version: str | None = None, *, now: bool = False, transport: str | None = None
    ) -> None:
        """Install as the card does, or by one way, or whatever the window says.

        The action `esp_ota.install`.
        """
        context, kind = self._context, self.kind
        await self._installer.async_install(version, context, kind, now=now, way=transport)

    async def async_pin(self, version: str | None = None) -> None:
        """Let the module have one version or range only; the action `esp_ota.pin`."""
        async_set_bound(self.coordinator, CONF_PIN, version)

    async def async_hold(self, until: datetime | str | None = None) -> None:
        """Let the module have nothing until then; the action `esp_ota.hold`."""
        async_set_bound(self.coordinator, CONF_HOLD, until)

    async def async_set_channel(self, channel: str) -> None:
        """Say whether it is offered pre-releases; the action `esp_ota.set_channel`."""
        async_set_bound(self.coordinator, CONF_MODULE_CHANNEL, channel)

    async def async_cancel_install(self) -> None:
        """End the install that runs; the action `esp_ota.cancel`."""
        await self._installer.async_cancel(self._context)

    async def async_move_in_queue(self, place: int) -> None:
        """Put the install that waits at a place in the queue; the action `move_in_queue`."""
        await self._installer.async_move(place, self._context)

    async def async_roll_back(self) -> None:
        """Put back what ran well before; the action `esp_ota.rollback`."""
        context = self._context
        await self._installer.async_roll_back(context)


class ModuleUpdate(UpdateCard):
    """One module's firmware; its device class gives the name.

    It has no category: whoever targets a device, an area or a label would pass over it in silence
    (`async_extract_referenced_entity_ids` in `helpers/target.py`), and think that it was updated.
    """

    _attr_entity_category = None
    _attr_translation_key = "firmware"
    kind = ImageKind.SKETCH

    def __init__(self, runtime: ModuleRuntime) -> None:
        """Belong to a module."""
        super().__init__(runtime, "firmware")
        self._not_offered: str | None = None

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
        reason = not_offered(self.coordinator)
        parts = [as_text(reason, 2000) if reason else None, _notes(offered)]
        return "\n\n".join(part for part in parts if part) or None

    @property
    @override
    def release_summary(self) -> str | None:
        """The first line of its notes; where nothing newer is offered, why."""
        offered, reason = self._on_offer, self._not_offered
        is_there = offered is None or self.latest_version == self.installed_version
        return as_text(reason) if is_there and reason else super().release_summary

    @callback
    @override
    def _async_write_ha_state(self) -> None:
        self._not_offered = not_offered(self.coordinator)
        super()._async_write_ha_state()

    @property
    def _waiting(self) -> dict[str, Any]:
        """Where it stands in the queue of the house, and what it waits for."""
        progress = self.coordinator.data.progress
        sentence = None
        if progress is not None and progress.place is not None:
            name = self.coordinator.config_entry.title
            sentence = queue_sentence(self.hass, progress, name)
        return {
            "waits_for": progress.waits_for if progress else None,
            "waits_because": progress.why if progress else None,
            "queue_place": progress.place if progress else None,
            "queue_sentence": sentence,
        }

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What automations and the person want to know besides the card."""
        data = self.coordinator.data
        return {
            "stage": data.progress.stage if data.progress else None,
            **self._waiting,
            **shown_bounds(self.coordinator.config_entry.options, data.compared_with),
            "not_offered": self._not_offered,
            "installed_is_assumed": data.assumed,
            "last_verdict": data.ended["verdict"] if data.ended else None,
            "last_cause": data.ended["cause"] if data.ended else None,
        }


class FilesUpdate(UpdateCard):
    """The files of one module, reached by its name alone: a sketch takes its files along."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_translation_key = "files"
    kind = ImageKind.FILESYSTEM

    def __init__(self, runtime: ModuleRuntime) -> None:
        """Belong to a module."""
        super().__init__(runtime, "files")

    @property
    @override
    def installed_version(self) -> str | None:
        """What we brought there last: no module says what its files are."""
        sha256 = self.coordinator.facts().filesystem_sha256
        known = self.coordinator.house.library.get(sha256) if sha256 else None
        return known.version if known else UNKNOWN

    @property
    @override
    def offered(self) -> Release | None:
        return offered_files(self.coordinator)
