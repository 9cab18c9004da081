"""What many modules share in the torture: areas, a window, and a person's rollouts."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from custom_components.esp_ota.const import DOMAIN as ESP_OTA
from custom_components.esp_ota.rollouts import ROLLOUTS, RolloutEvent
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.util import dt as dt_util

from .link import Link

_HOURS: Final = 2
"""For which the window of a rollout stays open."""


class Crowd:
    """One life's."""

    def __init__(self, hass: HomeAssistant, link: Link, card_of: Callable[[str], str]) -> None:
        """Nothing is shared yet."""
        self._hass = hass
        self._link = link
        self._card_of = card_of

    @callback
    def place(self, areas: Mapping[str, str]) -> None:
        """Put modules into their areas; what a kill has lost is said again."""
        devices, registry = dr.async_get(self._hass), ar.async_get(self._hass)
        for entry in self._hass.config_entries.async_entries(ESP_OTA):
            if (area := areas.get(entry.title)) is not None:
                self._place(devices, entry, registry.async_get_or_create(area).id)

    @staticmethod
    def _place(devices: dr.DeviceRegistry, entry: ConfigEntry, area_id: str) -> None:
        for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
            devices.async_update_device(device.id, area_id=area_id)

    @callback
    def listen(self) -> None:
        """Tell what rollouts tell."""

        def told(event: RolloutEvent | None, progress: dict[str, Any]) -> None:
            if event is not None:
                self._link.tell("rollout_told", event=str(event), progress=progress)

        self._hass.data[ROLLOUTS].async_add_listener(told)

    async def roll_out(self, terms: dict[str, Any], members: list[str], guests: list[str]) -> None:
        """Start a rollout as a person does; `opens_in` are seconds until its window opens."""
        said = dict(terms)
        if (seconds := said.pop("opens_in")) is not None:
            start = dt_util.now() + timedelta(seconds=seconds)
            end = start + timedelta(hours=_HOURS)
            said["window"] = {"start": f"{start:%H:%M:%S}", "end": f"{end:%H:%M:%S}"}
        if members:
            said["entity_id"] = [self._card_of(name) for name in members]
        if guests:
            said["guests"] = [self._card_of(name) for name in guests]
        self._link.tell("rollout_asked")
        await self._call("start_rollout", said)

    async def act(self, action: str) -> None:
        """Pause, resume or cancel it."""
        self._link.tell("rollout_act", action=action)
        await self._call(f"{action}_rollout", {})

    async def look(self) -> None:
        """Tell what its report says."""
        await self._call("rollout_report", {})

    async def _call(self, action: str, data: dict[str, Any]) -> None:
        answer, error = None, None
        try:
            answer = await self._hass.services.async_call(
                ESP_OTA, action, data, blocking=True, return_response=True, context=Context()
            )
        except HomeAssistantError as err:
            error = err.translation_key or f"{type(err).__name__}: {err}"
        self._link.tell("rollout_answered", action=action, answer=answer, error=error)
