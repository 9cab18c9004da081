"""The update entities of modules that know how to update themselves, each in its own way.

Ways as Home Assistant's integrations have them: the call holds until all is over (Z-Wave, Zigbee)
or returns at once (ESPHome, MQTT), progress is a percentage (Shelly), a mere yes (ESPHome), or what
Home Assistant itself says during the call (WLED); a module is away while it restarts, and says what
runs on it a while later, maybe in another spelling.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar, override

from homeassistant.components.update import UpdateEntity, UpdateEntityFeature
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback


@dataclass(kw_only=True, slots=True)
class Manner:
    """How one module behaves; times in seconds."""

    name: str
    installed: str | None = "1.0.0"
    latest: str | None = "1.1.0"
    blocks: bool = False
    """Whether the call returns when all is over only."""
    progress: str = "percent"
    """`percent`, `yes`, or `none` for what Home Assistant says by itself."""
    flashing: float = 0.05
    away: float = 0.05
    late: float = 0.0
    """Until what is installed is said, after it is back."""
    spelt: str = "{version}"
    """How that is said."""
    becomes: str | None = None
    """What is installed instead of what was asked for."""
    raises: str | None = None
    """The message of an error, at once."""
    refuses: str | None = None
    """The message of a call that makes no sense."""
    raises_late: str | None = None
    """The message of an error at the end, although it was updated."""
    never_ends: bool = False
    does_nothing: bool = False
    removes_itself: bool = False
    stays_away: bool = False
    only_if_asked: bool = False
    """Whether it says what is installed when it is asked only."""
    any_version: bool = False
    only_tells: bool = False
    auto_update: bool = False
    unnamed_device: bool = False
    registered: bool = True
    """Whether it has an id of its own, so that Home Assistant can register it."""
    mac: str | None = None
    page: str | None = None
    """The address of its own web page."""


async def async_setup_entry(
    hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the modules that the entry describes."""
    async_add_entities(NeighbourUpdate(Manner(**item)) for item in entry.data["modules"])


class NeighbourUpdate(UpdateEntity):
    """One module."""

    _attr_should_poll = False
    _attr_has_entity_name = True
    _attr_name = "Firmware"
    _attr_title = "Neighbourware"
    runs: ClassVar[dict[str, str]] = {}
    """What each module really runs, which outlives a restart of Home Assistant in a test."""
    calls: ClassVar[list[tuple[str, str | None]]] = []
    """Each call that reached a module: its name, and the version that was named."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._task: asyncio.Task[None] | None = None
        self._attr_unique_id = manner.name if manner.registered else None
        self._attr_device_info = DeviceInfo(
            identifiers={("neighbour", manner.name)},
            name=manner.name,
            connections={(CONNECTION_NETWORK_MAC, manner.mac)} if manner.mac else set(),
            configuration_url=manner.page,
        )
        if not manner.registered:
            self.entity_id = f"update.{manner.name}_firmware"
            self._attr_device_info = None
        self._attr_auto_update = manner.auto_update
        self._attr_latest_version = manner.latest
        self._attr_installed_version = self.runs.get(manner.name, manner.installed)
        features = UpdateEntityFeature(0)
        if not manner.only_tells:
            features |= UpdateEntityFeature.INSTALL
        if manner.progress != "none":
            features |= UpdateEntityFeature.PROGRESS
        if manner.any_version:
            features |= UpdateEntityFeature.SPECIFIC_VERSION
        self._attr_supported_features = features

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        manner = self._manner
        self.calls.append((manner.name, version))
        if manner.refuses is not None:
            raise ServiceValidationError(manner.refuses)
        if manner.raises is not None:
            raise HomeAssistantError(manner.raises)
        if manner.does_nothing:
            return
        self._task = self.hass.async_create_background_task(
            self._flash(version or self._attr_latest_version or "?"), f"flash {manner.name}"
        )
        if manner.blocks:
            await asyncio.shield(self._task)
            if manner.raises_late is not None:
                raise HomeAssistantError(manner.raises_late)

    async def _flash(self, version: str) -> None:
        manner = self._manner
        await asyncio.sleep(0)  # the call may have returned by now
        for percent in range(0, 100, 20):
            self._attr_in_progress = True
            self._attr_update_percentage = percent if manner.progress == "percent" else None
            self.async_write_ha_state()
            await asyncio.sleep(manner.flashing / 5)
        if manner.never_ends:
            await asyncio.Event().wait()
        if manner.removes_itself:
            er.async_get(self.hass).async_remove(self.entity_id)
            return
        self._attr_in_progress = False
        self._attr_update_percentage = None
        self._attr_available = False
        self.async_write_ha_state()
        self.runs[manner.name] = manner.spelt.format(version=manner.becomes or version)
        if manner.stays_away:
            await asyncio.Event().wait()
        await asyncio.sleep(manner.away)
        self._attr_available = True
        self.async_write_ha_state()
        await asyncio.sleep(manner.late)
        if not manner.only_if_asked:
            await self.async_update()
            self.async_write_ha_state()

    async def async_update(self) -> None:
        self._attr_installed_version = self.runs.get(self._manner.name, self._manner.installed)
