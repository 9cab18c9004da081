"""What is running, written before it takes effect, so that a crash forgets nothing."""

from typing import Any, Final, NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..ota import same_version
from .install_note import InstallNote

_STORE_VERSION: Final = 1
_GOOD: Final = 2
"""Images that ran well and are kept: the one that runs, and the one before it."""


class Known(TypedDict):
    """What a module ran when it was last heard or installed."""

    version: str
    firmware: str | None
    assumed: bool
    """Installed by us, but never stated by the module."""
    previous: NotRequired[str]
    """The version before it, which a rollback would bring back."""


class FailedOffer(TypedDict):
    """An image that a module fetched and that did not run after it."""

    sha256: str
    tries: int


class Journal:
    """One atomic store for all modules' open installs and what is known to run on them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._store = Store[dict[str, Any]](
            hass, _STORE_VERSION, f"{DOMAIN}.journal", private=True, atomic_writes=True
        )
        self._open: dict[str, InstallNote] = {}
        self._known: dict[str, Known] = {}
        self._learnt: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, FailedOffer] = {}
        self._good: dict[str, list[str]] = {}

    async def async_load(self) -> None:
        """Read what was open when Home Assistant last wrote."""
        stored = await self._store.async_load() or {}
        self._open = stored.get("open", {})
        self._known = stored.get("known", {})
        self._learnt = stored.get("learnt", {})
        self._failed = stored.get("failed_offers", {})
        self._good = stored.get("good", {})

    def open_install(self, entry_id: str) -> InstallNote | None:
        """Return a module's install that has not ended."""
        return self._open.get(entry_id)

    def known(self, entry_id: str) -> Known | None:
        """Return what a module ran when we last knew."""
        return self._known.get(entry_id)

    async def async_write(self, entry_id: str, install: InstallNote) -> None:
        """Write one stage; returns when it is on disk."""
        self._open[entry_id] = install
        await self._async_save()

    async def async_close(self, entry_id: str) -> None:
        """End a module's install."""
        if self._open.pop(entry_id, None) is not None:
            await self._async_save()

    async def async_remember(self, entry_id: str, known: Known) -> None:
        """Keep what a module runs, for the time it cannot be asked, and what ran before."""
        if last := self._known.get(entry_id):
            changed = not same_version(last["version"], known["version"])
            if previous := last["version"] if changed else last.get("previous"):
                known = {**known, "previous": previous}
        if self._known.get(entry_id) != known:
            self._known[entry_id] = known
            await self._async_save()

    def learnt(self, entry_id: str) -> dict[str, Any]:
        """Return what a module's own answers taught about it."""
        return self._learnt.get(entry_id, {})

    async def async_learn(self, entry_id: str, learnt: dict[str, Any]) -> None:
        """Keep what a module's own answers taught; nothing to forget it."""
        if self._learnt.get(entry_id, {}) != learnt:
            self._learnt[entry_id] = learnt
            await self._async_save()

    def failed_offers(self, entry_id: str, sha256: str) -> int:
        """Return how often in a row an image was fetched by a module and did not run after."""
        failed = self._failed.get(entry_id)
        return failed["tries"] if failed and failed["sha256"] == sha256 else 0

    async def async_count_offer(self, entry_id: str, sha256: str, tries: int) -> int:
        """Add failed tries of an image; return how many there were in a row."""
        tries += self.failed_offers(entry_id, sha256)
        self._failed[entry_id] = {"sha256": sha256, "tries": tries}
        await self._async_save()
        return tries

    async def async_forget_offers(self, entry_id: str) -> None:
        """Let a module's last image be offered again."""
        if self._failed.pop(entry_id, None) is not None:
            await self._async_save()

    def good(self, entry_id: str) -> list[str]:
        """Return the images that ran well on a module, the last one first (sha256)."""
        return list(self._good.get(entry_id, []))

    async def async_proved(self, entry_id: str, sha256: str, *, instead_of: str = "") -> None:
        """Keep that an image runs well on a module, and that another one does not."""
        known = self.good(entry_id)
        good = [sha256, *(item for item in known if item not in {sha256, instead_of})][:_GOOD]
        if good != known:
            self._good[entry_id] = good
            await self._async_save()

    async def async_forget(self, entry_id: str) -> None:
        """Forget a module that was removed."""
        self._open.pop(entry_id, None)
        self._known.pop(entry_id, None)
        self._learnt.pop(entry_id, None)
        self._failed.pop(entry_id, None)
        self._good.pop(entry_id, None)
        await self._async_save()

    async def _async_save(self) -> None:
        stored = {
            "open": self._open,
            "known": self._known,
            "learnt": self._learnt,
            "failed_offers": self._failed,
            "good": self._good,
        }
        await self._store.async_save(stored)
