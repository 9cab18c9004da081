"""The probation of a new firmware: so many minutes in which it must show that it works."""

from datetime import timedelta
import time
from typing import Final

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event

from ..const import CONF_SOAK_ENTITIES, CONF_SOAK_MINUTES, LOGGER
from ..modules import ModuleCoordinator
from ..ota import Candidate, Cause, InstallRefused, ModuleFacts, Sighting, VerifyError

GRACE: Final = timedelta(minutes=2)
"""For entities to appear again: MQTT and polling integrations notice a module's return late."""


class Soak:
    """Watches one module and the entities that a person chose."""

    def __init__(self, hass: HomeAssistant, coordinator: ModuleCoordinator) -> None:
        """Take what the module's options say."""
        self._hass = hass
        self._watch = coordinator.watch
        self._entry = coordinator.config_entry
        self._minutes = int(self._entry.options.get(CONF_SOAK_MINUTES, 0))
        self._minute = coordinator.house.patience.minute
        self._missing: str | None = None

    @property
    def _entities(self) -> list[str]:
        """What a person chose, by the names that they have now."""
        entities: list[str] = self._entry.options.get(CONF_SOAK_ENTITIES, [])
        return entities

    def raise_if_blind(self) -> None:
        """Raise InstallRefused where something that is to be watched is not there any more.

        No firmware could bring it back, and each one would be put back for it.
        """
        registry = er.async_get(self._hass)
        for entity_id in self._entities if self._minutes else ():
            if self._hass.states.get(entity_id) is None and registry.async_get(entity_id) is None:
                raise InstallRefused(Cause.SOAK_MISSING, entity=entity_id)

    async def watch(self, candidate: Candidate, before: ModuleFacts) -> Sighting | None:
        """Return the best statement heard meanwhile; raises VerifyError when it does not work."""
        if not self._minutes:
            return None
        LOGGER.info("%s: is watched for %d minutes", self._entry.title, self._minutes)
        began = time.monotonic()
        stop = async_track_state_change_event(self._hass, self._entities, self._changed)
        try:
            await self._until_all_are_there(began)
            until = time.monotonic() + self._minutes * self._minute
            while time.monotonic() < until:
                self._raise_for_missing()
                await self._raise_for_restart(began)
                await self._watch.pause()
            self._raise_for_missing()
        finally:
            stop()
        return await self._watch.said(began, candidate, before)

    async def _until_all_are_there(self, began: float) -> None:
        grace = began + GRACE.total_seconds() / 60 * self._minute
        while (missing := self._first_missing()) is not None:
            await self._raise_for_restart(began)
            if time.monotonic() > grace:
                raise self._unavailable(missing)
            await self._watch.pause()
        self._missing = None

    def _first_missing(self) -> str | None:
        for entity_id in self._entities:
            state = self._hass.states.get(entity_id)
            if state is None or state.state == STATE_UNAVAILABLE:
                return entity_id
        return None

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        """Take note of an entity that went, however soon it is back."""
        state = event.data["new_state"]
        if event.data["entity_id"] not in self._entities:
            return  # it has another name by now
        if state is None or state.state == STATE_UNAVAILABLE:
            self._missing = event.data["entity_id"]

    def _raise_for_missing(self) -> None:
        if self._missing is not None:
            raise self._unavailable(self._missing)

    def _unavailable(self, entity_id: str) -> VerifyError:
        return VerifyError(Cause.SOAK_UNAVAILABLE, entity=entity_id, minutes=self._minutes)

    async def _raise_for_restart(self, began: float) -> None:
        if await self._watch.restarted(began):
            raise VerifyError(Cause.SOAK_RESTARTED, minutes=self._minutes)
