"""What is running, written before it takes effect, so that a crash forgets nothing."""

from collections.abc import Callable
from typing import Any, Final, NotRequired, TypedDict

from homeassistant.core import HomeAssistant

from ..ota import Cause, InstallResult, OtaError, same_version
from ..owners import is_guest
from ..stored import Items, KeptStore, fits, sound_part
from .install_note import InstallEnd, InstallNote, readable_end, readable_note, stored_result

_TOOK: Final = 3
"""Installs of a module whose length is kept."""
_GOOD: Final = 2
"""Images that ran well and are kept: the one that runs, and the one before it."""


class Known(TypedDict):
    """What a module ran when it was last heard or installed."""

    version: str | None
    """None after an update of which nobody can tell whether it runs."""
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
    started: NotRequired[str]
    """When the install began that was counted last: one that a crash ends twice counts once."""


class Learnt(TypedDict, total=False):
    """What is kept of a `ModuleKnowledge`."""

    slots: list[Any]
    signature_required: bool | None
    filesystem_sha256: str | None
    filesystem_area: int | None


class JournalError(OtaError):
    """What is to be kept is not on disk."""


class Journal:
    """One atomic store for all modules' open installs and what is known to run on them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._store = KeptStore(hass, "journal", self._stored)
        self._open = Items[InstallNote]()
        self._ended = Items[InstallEnd]()
        self._known = Items[Known]()
        self._learnt = Items[dict[str, Any]]()
        self._failed = Items[Failure]()
        self._good = Items[list[str]]()
        self._took = Items[list[float]]()
        self._skipped = Items[dict[str, list[str]]]()
        self._left: set[str] = set()
        """Whose install was open when this was read, and was not noted since."""

    async def async_load(self) -> None:
        """Read what was open when Home Assistant last wrote."""
        stored = await self._store.async_load() or {}
        kept = _Kept(stored)
        self._open = kept.each("open", readable_note)
        self._ended = kept.each("ended", readable_end)
        self._known = kept.each("known", lambda item: _sound(item, Known))
        self._learnt = kept.each("learnt", lambda item: sound_part(item, Learnt))
        self._failed = kept.each("failed_offers", lambda item: _sound(item, Failure))
        self._good = kept.each("good", lambda item: _sound(item, list[str]))
        self._took = kept.each("took", lambda item: _sound(item, list[float]))
        self._skipped = kept.each("skipped", lambda item: _sound(item, dict[str, list[str]]))
        self._left = set(self._open)
        if kept.is_damaged:
            await self._store.async_set_aside()

    def open_install(self, entry_id: str) -> InstallNote | None:
        """Return a module's install that has not ended."""
        return self._open.get(entry_id)

    def was_left(self, entry_id: str) -> bool:
        """Whether what is open of a module was noted by another life of Home Assistant alone."""
        return entry_id in self._left

    def open_guests(self) -> dict[str, InstallNote]:
        """Return the updates of guests that have not ended (key of the guest)."""
        return {key: note for key, note in self._open.items() if is_guest(key)}

    @property
    def guests(self) -> set[str]:
        """The guests of which anything is kept (keys)."""
        kept = self._known, self._learnt, self._failed, self._good, self._took, self._skipped
        return {key for items in kept for key in items if is_guest(key)}

    @property
    def last_in_queue(self) -> float:
        """The order of the last one that was queued, 0 for none."""
        queued = (note["queued"] for note in self._open.values() if "queued" in note)
        return max((item["order"] for item in queued), default=0.0)

    def took(self, entry_id: str) -> list[float]:
        """Return for how long the last installs of a module ran (seconds)."""
        return self._took.get(entry_id, [])

    def note_took(self, entry_id: str, seconds: float) -> None:
        """Keep for how long one ran that came to its end; it is written when it is closed."""
        self._took[entry_id] = [*self.took(entry_id), round(seconds, 1)][-_TOOK:]

    def known(self, entry_id: str) -> Known | None:
        """Return what a module ran when we last knew."""
        return self._known.get(entry_id)

    async def async_write(self, entry_id: str, install: InstallNote) -> None:
        """Write one stage; returns when it is on disk, raises JournalError when it is not."""
        self._open[entry_id] = install
        self._left.discard(entry_id)
        if not await self._async_save():
            raise JournalError(Cause.NOT_NOTED, path=self._store.path)

    async def async_close(self, entry_id: str, result: InstallResult, sentence: str = "") -> None:
        """End a module's install.

        How it ended is kept by the same write for the rollout that it belongs to, which may die
        before it has noted that. Whom a pause takes back has not ended.
        """
        if (note := self._open.drop(entry_id)) is None:
            return
        if "rollout" in note and result.cause is not Cause.CANCELLED:
            self._ended[entry_id] = {
                "rollout": note["rollout"],
                "sha256": note["sha256"],
                "result": stored_result(result),
                "sentence": sentence,
            }
        await self._async_save()

    def end_for(self, rollout: str, entry_id: str) -> InstallEnd | None:
        """Return how a module's update ended of which a rollout has not noted that."""
        end = self._ended.get(entry_id)
        return end if end is not None and end["rollout"] == rollout else None

    def forget_end(self, rollout: str, entry_id: str) -> None:
        """Let go of an end that a rollout has noted; the next write takes it from the disk."""
        if self.end_for(rollout, entry_id) is not None:
            self._ended.drop(entry_id)

    async def async_remember(self, entry_id: str, known: Known) -> None:
        """Keep what a module runs, for the time it cannot be asked, and what ran before."""
        if last := self._known.get(entry_id):
            before = last["version"]
            changed = before is not None and not same_version(before, known["version"] or "")
            previous = before if changed else last.get("previous")
            if previous and not same_version(previous, known["version"] or ""):
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
        if self._failed.drop(entry_id) is not None:
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

    def skipped(self, entry_id: str, kind: str) -> list[str] | None:
        """Return the versions that a person skipped, None where nothing was kept yet."""
        return self._skipped.get(entry_id, {}).get(kind)

    async def async_keep_skipped(self, entry_id: str, kind: str, versions: list[str]) -> None:
        """Keep the versions that a person skipped on one card of a module."""
        self._skipped[entry_id] = self._skipped.get(entry_id, {}) | {kind: list(versions)}
        await self._async_save()

    async def async_forget(self, entry_id: str) -> None:
        """Forget a module that was removed."""
        self._open.drop(entry_id)
        self._ended.drop(entry_id)
        self._known.drop(entry_id)
        self._learnt.drop(entry_id)
        self._failed.drop(entry_id)
        self._good.drop(entry_id)
        self._took.drop(entry_id)
        self._skipped.drop(entry_id)
        await self._async_save()

    async def _async_save(self) -> bool:
        return await self._store.async_save()

    def _stored(self) -> dict[str, Any]:
        return {
            "open": self._open,
            "ended": self._ended,
            "known": self._known,
            "learnt": self._learnt,
            "failed_offers": self._failed,
            "good": self._good,
            "took": self._took,
            "skipped": self._skipped,
        }


def _sound(item: Any, kind: Any) -> Any:
    """Return what fits a kind, None for all else."""
    return item if fits(item, kind) else None


class _Kept:
    """What was kept of each module, as far as it can be read."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self._stored = stored
        self.is_damaged = False
        """Whether something could not be read."""

    def each[T](self, key: str, read: Callable[[Any], T | None]) -> Items[T]:
        """Return what is kept under a key for each module; `read` returns None for no sense."""
        found = self._stored.get(key, {})
        if not isinstance(found, dict):
            self.is_damaged = True
            return Items()
        made = {entry_id: read(item) for entry_id, item in found.items()}
        self.is_damaged |= made != found or None in made.values()
        return Items({entry_id: item for entry_id, item in made.items() if item is not None})
