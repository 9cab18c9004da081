"""How the last installs of each module ended, for people who look back: it decides nothing.

They say much the same again and again, and are written packed: a sixth of what they are.
"""

from base64 import b64decode, b64encode
import json
from typing import Any, Final, TypedDict
import zlib

from homeassistant.core import HomeAssistant, callback

from ..owners import is_guest
from ..stored import KeptStore, fits

MOST: Final = 20
"""Installs that are kept of a module: a year of monthly updates, and those that were repeated."""
_SOON: Final = 10.0
"""Seconds until it is written: a house that updates all its modules ends several a minute."""


class Past(TypedDict):
    """One install that has ended."""

    ended: float
    """Seconds since the epoch."""
    seconds: int
    """From the press to the end."""
    verdict: str
    cause: str | None
    sentence: str
    firmware: str
    version: str
    before: str | None
    """The version that ran when it began."""
    transport: str | None
    who: str | None
    """The name of who pressed; None for an automation, or a restart."""
    stages: dict[str, float]
    """Seconds that it was in each of its stages, in their order."""


class History:
    """One store for all modules and guests."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._store = KeptStore(hass, "history", self._stored)
        self._past: dict[str, list[Past]] = {}
        self._packed: dict[str, str] = {}

    async def async_load(self) -> None:
        """Read what was kept; what cannot be read is left out, and a copy of it set aside."""
        found = (await self._store.async_load() or {}).get("past", {})
        stored = found if isinstance(found, dict) else {}
        past = {entry_id: _unpacked(items) for entry_id, items in stored.items()}
        self._past = {
            entry_id: [item for item in items if fits(item, Past)]
            for entry_id, items in past.items()
            if isinstance(items, list)
        }
        self._packed = {entry_id: _packed(items) for entry_id, items in self._past.items()}
        if found is not stored or self._past != past:
            await self._store.async_set_aside()

    def of(self, entry_id: str) -> list[Past]:
        """Return what is known of a module, the last one first."""
        return self._past.get(entry_id, [])

    @property
    def guests(self) -> set[str]:
        """The guests of which something is known (keys)."""
        return {key for key in self._past if is_guest(key)}

    @callback
    def async_add(self, entry_id: str, past: Past) -> None:
        """Keep one that has just ended."""
        self._past[entry_id] = [past, *self.of(entry_id)][:MOST]
        self._packed[entry_id] = _packed(self._past[entry_id])
        self._store.async_save_later(_SOON)

    @callback
    def async_forget(self, entry_id: str) -> None:
        """Forget a module that was removed."""
        if self._past.pop(entry_id, None) is not None:
            del self._packed[entry_id]
            self._store.async_save_later(_SOON)

    def _stored(self) -> dict[str, Any]:
        return {"past": dict(self._packed)}


def _packed(past: list[Past]) -> str:
    return b64encode(zlib.compress(json.dumps(past).encode(), 9)).decode()


def _unpacked(packed: Any) -> Any:
    """Return what was packed, else what it is, which is no list of installs then."""
    if not isinstance(packed, str):
        return packed
    try:
        return json.loads(zlib.decompress(b64decode(packed, validate=True)))
    except ValueError, zlib.error:
        return packed
