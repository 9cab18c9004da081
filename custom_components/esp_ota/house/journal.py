"""What is running, written before it takes effect, so that a crash forgets nothing.

`Store.async_save` of Home Assistant returns in the same way when it could not write (a full or a
read-only disk) and only logs it: what has to be on disk is read back.
"""

import asyncio
from typing import Any, Final, NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..issues import async_clear_journal_issue, async_raise_journal_issue
from ..ota import Cause, OtaError, same_version
from .install_note import InstallNote

_STORE_VERSION: Final = 1
_AGAIN: Final = 60.0
"""Seconds until a write that failed is tried again; it is at the stop as well."""
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


class Failure(TypedDict):
    """An image that a module got and that did not run well after it, how often in a row."""

    sha256: str
    tries: int
    cause: NotRequired[str]
    """Of all these tries; release 0.1.0 did not keep it."""
    put_back: NotRequired[int]
    """How often what ran before was sent because of it, whatever the cause."""


class JournalError(OtaError):
    """What is to be kept is not on disk."""


class Journal:
    """One atomic store for all modules' open installs and what is known to run on them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._writes = 0
        """How often it was written: the number on disk says which write that was."""
        self._store = Store[dict[str, Any]](
            hass, _STORE_VERSION, f"{DOMAIN}.journal", private=True, atomic_writes=True
        )
        self._open: dict[str, InstallNote] = {}
        self._known: dict[str, Known] = {}
        self._learnt: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, Failure] = {}
        self._good: dict[str, list[str]] = {}

    async def async_load(self) -> None:
        """Read what was open when Home Assistant last wrote."""
        stored = await self._store.async_load() or {}
        self._writes = stored.get("writes", 0)
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
        """Write one stage; returns when it is on disk, raises JournalError when it is not."""
        self._open[entry_id] = install
        if not await self._async_save():
            raise JournalError(Cause.NOT_NOTED, path=self._store.path)

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

    def failure(self, entry_id: str) -> Failure | None:
        """Return which image failed on a module last, and how often."""
        return self._failed.get(entry_id)

    async def async_keep_failure(self, entry_id: str, failure: Failure) -> None:
        """Keep which image failed on a module, and how often."""
        self._failed[entry_id] = failure
        await self._async_save()

    async def async_forget_failure(self, entry_id: str) -> None:
        """Let a module's last image be sent again."""
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

    async def _async_save(self) -> bool:
        """Write all of it; tell whether it is on disk, the person as well."""
        async with self._lock:  # a write that waits behind this one would be read instead
            self._writes += 1
            writes = self._writes
            await self._store.async_save(self._stored())
            try:
                on_disk = await self._store.async_load() or {}
            except HomeAssistantError, OSError, ValueError:
                on_disk = {}
            if on_disk.get("writes") != writes:
                self._store.async_delay_save(self._stored, _AGAIN)
                async_raise_journal_issue(self._hass, self._store.path)
                return False
        async_clear_journal_issue(self._hass)
        return True

    def _stored(self) -> dict[str, Any]:
        return {
            "writes": self._writes,
            "open": self._open,
            "known": self._known,
            "learnt": self._learnt,
            "failed_offers": self._failed,
            "good": self._good,
        }
