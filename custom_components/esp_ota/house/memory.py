"""What is remembered of each module over reloads and restarts, and what a crash may cost.

When it was heard changes with each poll, so all of this is written now and then, and when Home
Assistant stops. What must never be lost is in the journal.
"""

from datetime import datetime, timedelta
from typing import Any, Final, TypedDict, cast

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..stored import KeptStore, sound_part

_LATER: Final = 900.0
"""Seconds until something is written; as Home Assistant does with the states of entities."""
_SOON: Final = 1.0
"""The same for what is rare: how an update ended."""
_ALIVE: Final = timedelta(hours=1)
"""Between two notes that Home Assistant lives, where nothing else is noted."""
_LONG: Final = timedelta(days=1)
"""For whom Home Assistant was away so long, or whose backup of another time was restored, what was
to be done then is not simply gone on with."""


class Ended(TypedDict):
    """How the last update ended, as it is shown."""

    verdict: str
    cause: str | None
    sentence: str
    version: str
    previous_version: str | None


class Remembered(TypedDict, total=False):
    """Of one module; times are text in ISO 8601, UTC."""

    heard: str
    """When it last said something by itself."""
    reachable: bool | None
    """Whether it was there, as it was shown."""
    asked: str
    """When it last asked for an update."""
    waits: list[float]
    """Seconds between its last requests, the oldest first."""
    ended: Ended


class Memory:
    """One store for all modules."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._hass = hass
        self._store = KeptStore(hass, "memory", self._stored)
        self._modules: dict[str, Remembered] = {}
        self.was_away = False
        """Whether Home Assistant did not live for long before this start."""

    async def async_load(self) -> None:
        """Read what was remembered; what cannot be read is forgotten."""
        stored = await self._store.async_load() or {}
        modules, alive = stored.get("modules"), stored.get("alive")
        last = dt_util.parse_datetime(alive) if isinstance(alive, str) else None
        self.was_away = last is not None and dt_util.utcnow() - last > _LONG
        for entry_id, item in (modules if isinstance(modules, dict) else {}).items():
            self._modules[entry_id] = cast("Remembered", sound_part(item, Remembered))

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Note now and then that Home Assistant lives; returns what stops it."""

        @callback
        def note(_now: datetime | None = None) -> None:
            self._store.async_save_later(_LATER)

        note()
        return async_track_time_interval(
            self._hass, note, _ALIVE, name="ESP OTA lives", cancel_on_shutdown=True
        )

    def of(self, entry_id: str) -> Remembered:
        """Return what is remembered of a module."""
        return self._modules.get(entry_id, {})

    @callback
    def async_note(self, entry_id: str, news: Remembered, *, soon: bool = False) -> None:
        """Remember something of a module; `soon` is for what is rare."""
        known = self.of(entry_id)
        if (now := cast("Remembered", {**known, **news})) != known:
            self._modules[entry_id] = now
            self._store.async_save_later(_SOON if soon else _LATER)

    @callback
    def async_forget(self, entry_id: str) -> None:
        """Forget a module that was removed."""
        if self._modules.pop(entry_id, None) is not None:
            self._store.async_save_later(_SOON)

    def _stored(self) -> dict[str, Any]:
        return {"modules": self._modules, "alive": dt_util.utcnow().isoformat()}
