"""What is running, written before it takes effect, so that a crash forgets nothing."""

from typing import Any, Final, NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .const import DOMAIN

_STORE_VERSION: Final = 1


class OpenInstall(TypedDict):
    """One install that has not ended."""

    stage: str
    sha256: str
    version: str
    before: str | None
    """The version that ran when it began."""
    started: str
    user: NotRequired[str | None]
    """Id of who pressed."""
    chosen: NotRequired[bool]
    """Whether the person named this very version."""


class Known(TypedDict):
    """What a module ran when it was last heard or installed."""

    version: str
    firmware: str | None
    assumed: bool
    """Installed by us, but never stated by the module."""


class Journal:
    """One atomic store for all modules' open installs and what is known to run on them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._store = Store[dict[str, Any]](
            hass, _STORE_VERSION, f"{DOMAIN}.journal", private=True, atomic_writes=True
        )
        self._open: dict[str, OpenInstall] = {}
        self._known: dict[str, Known] = {}

    async def async_load(self) -> None:
        """Read what was open when Home Assistant last wrote."""
        stored = await self._store.async_load() or {}
        self._open = stored.get("open", {})
        self._known = stored.get("known", {})

    def open_install(self, entry_id: str) -> OpenInstall | None:
        """Return a module's install that has not ended."""
        return self._open.get(entry_id)

    def known(self, entry_id: str) -> Known | None:
        """Return what a module ran when we last knew."""
        return self._known.get(entry_id)

    async def async_write(self, entry_id: str, install: OpenInstall) -> None:
        """Write one stage; returns when it is on disk."""
        self._open[entry_id] = install
        await self._async_save()

    async def async_close(self, entry_id: str) -> None:
        """End a module's install."""
        if self._open.pop(entry_id, None) is not None:
            await self._async_save()

    async def async_remember(self, entry_id: str, known: Known) -> None:
        """Keep what a module runs, for the time it cannot be asked."""
        if self._known.get(entry_id) != known:
            self._known[entry_id] = known
            await self._async_save()

    async def async_forget(self, entry_id: str) -> None:
        """Forget a module that was removed."""
        self._open.pop(entry_id, None)
        self._known.pop(entry_id, None)
        await self._async_save()

    async def _async_save(self) -> None:
        await self._store.async_save({"open": self._open, "known": self._known})
