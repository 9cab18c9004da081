"""One guest: its update entity, as Home Assistant knows it right now."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import time
from typing import Any, Final

from homeassistant.components.update import (
    ATTR_INSTALLED_VERSION,
    ATTR_LATEST_VERSION,
    DOMAIN as UPDATE_DOMAIN,
    UpdateEntityFeature,
)
from homeassistant.components.update.const import (
    ATTR_IN_PROGRESS,
    ATTR_SKIPPED_VERSION,
    ATTR_TITLE,
    ATTR_UPDATE_PERCENTAGE,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    ATTR_SUPPORTED_FEATURES,
    STATE_OFF,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.helpers.event import async_track_state_change_event

from ..boards import module_at
from ..house import HOUSE, House
from ..ota import GuestState, one_line
from ..owners import guest_entity_id
from .equipment import equipment_of

_ASK: Final = 60.0
"""Seconds until an entity that says nothing new is asked to look: some look four times an hour."""

_LONGEST: Final = 128
"""Characters of a name or a version, which an integration may have from anywhere."""
_NOTHING: Final = {"", "none", STATE_UNAVAILABLE, STATE_UNKNOWN}
"""Words that stand where there is no version."""
_MOST: Final = 100
"""Percent."""


class Guest:
    """Known by its key, whatever its entity is called by now."""

    def __init__(self, hass: HomeAssistant, key: str, *, answer: str | None = None) -> None:
        """Take what was said of its equipment in the call, if anything was."""
        self._hass = hass
        self.answer = answer
        """What a person said of its equipment where nothing is configured for it."""
        self.house: House = hass.data[HOUSE]
        self.entry_id = key
        """What the journal and the queue know it by."""
        self.title = one_line(self._title(), _LONGEST)
        """Its name; kept, for it may be gone when that is told."""
        self.life = _Life(hass, self)
        self._asked = time.monotonic()

    @property
    def config_entry(self) -> Guest:
        """Whose update it is: its own."""
        return self

    @property
    def options(self) -> Mapping[str, Any]:
        """What is configured of its equipment; empty where nobody has said anything."""
        return equipment_of(self.house, self.entry_id, self.answer)

    @property
    def entity_id(self) -> str:
        """What its update entity is called now."""
        return guest_entity_id(self._hass, self.entry_id)

    @property
    def _entity(self) -> er.RegistryEntry | None:
        return er.async_get(self._hass).async_get(self.entity_id)

    @property
    def _said(self) -> State | None:
        return self._hass.states.get(self.entity_id)

    @property
    def device(self) -> dr.DeviceEntry | dr.ChildDeviceEntry | None:
        """The device of its entity."""
        entity = self._entity
        device_id = entity.device_id if entity else None
        return dr.async_get(self._hass).async_get(device_id) if device_id else None

    @property
    def module(self) -> ConfigEntry | None:
        """The module of ours that is the same board, None for none."""
        return module_at(self._hass, self.house, self.entity_id)

    def _title(self) -> str:
        """Return the name of the device, of an entity that is not its only one its own."""
        if (device := self.device) is not None:
            registry = er.async_get(self._hass)
            found = er.async_entries_for_device(registry, device.id)
            name = device.name_by_user or device.name
            if name and sum(item.domain == UPDATE_DOMAIN for item in found) == 1:
                return name
        return self._said.name if self._said else self.entity_id

    @property
    def software(self) -> str:
        """What is updated, as its integration calls it."""
        said = self._said
        title = said.attributes.get(ATTR_TITLE) if said else None
        entity = self._entity
        return one_line(title or (entity.platform if entity else self.title), _LONGEST)

    @property
    def features(self) -> UpdateEntityFeature:
        """What its entity can do."""
        said = self._said
        return UpdateEntityFeature(said.attributes.get(ATTR_SUPPORTED_FEATURES, 0) if said else 0)

    def any_version(self) -> bool:
        """Whether a version can be named to its integration."""
        return UpdateEntityFeature.SPECIFIC_VERSION in self.features

    def state(self) -> GuestState:
        """Return what it says right now."""
        if (said := self._said) is None:
            return GuestState(is_there=False, is_available=False)
        if said.state == STATE_UNAVAILABLE:
            return GuestState(is_available=False)
        found = said.attributes
        return GuestState(
            can_install=UpdateEntityFeature.INSTALL in self.features,
            installed=_version(found.get(ATTR_INSTALLED_VERSION)),
            latest=_version(found.get(ATTR_LATEST_VERSION)),
            skipped=_version(found.get(ATTR_SKIPPED_VERSION)),
            in_progress=found.get(ATTR_IN_PROGRESS) not in {None, False},
            percent=_percent(found.get(ATTR_UPDATE_PERCENTAGE)),
            is_newest=said.state == STATE_OFF,
        )

    async def look(self) -> None:
        """Return when it has said something else, or after a few seconds."""
        changed = asyncio.Event()

        @callback
        def tell(_event: Event[EventStateChangedData]) -> None:
            changed.set()

        stop = async_track_state_change_event(self._hass, [self.entity_id], tell)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.house.patience.look_again):
                    await changed.wait()
        finally:
            stop()

    @callback
    def async_ask(self) -> None:
        """Have it look now and then, where it is there and says nothing of an update."""
        state = self.state()
        if state.in_progress or not state.is_available:
            self._asked = time.monotonic()
        elif time.monotonic() - self._asked >= _ASK:
            self._asked = time.monotonic()
            self._hass.async_create_background_task(
                async_update_entity(self._hass, self.entity_id), f"ESP OTA asks {self.title}"
            )


class _Life:
    """Whether a guest is there, for who waits until it is back."""

    def __init__(self, hass: HomeAssistant, guest: Guest) -> None:
        self._hass = hass
        self._guest = guest
        self.last = float("-inf")

    async def sign(self, since: float) -> None:
        """Return when it has been available later than this."""
        while not self._guest.state().is_available or time.monotonic() <= since:
            await self._guest.look()
        self.last = time.monotonic()


def _version(value: Any) -> str | None:
    said = one_line("" if value is None else value, _LONGEST)
    return None if said.lower() in _NOTHING else said


def _percent(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= _MOST else None
