"""All releases known in this house: images named by content, facts in one store."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import DEFAULT_KEEP, DOMAIN, LOGGER, SOURCE_SERVER
from ..issues import async_raise_strays
from ..ota import (
    Cause,
    Detail,
    ImageKind,
    LibraryError,
    OtaError,
    ReleaseName,
    by_version,
    pin_permits,
    same_version,
)
from ..stored import KeptStore, fits, storable
from .images import Images
from .keep_rule import superfluous
from .look import Look, look_at, refuse_conflict, release_of
from .release import Release, sha256_of

__all__ = ["Library", "Release"]

_REMOVED_LIMIT: Final = 200
"""Removed releases that are remembered while nobody knows whether they lie in the folder: it is a
share that is not mounted, or has a file that cannot be read."""


class Library:
    """Adds, finds and reads releases. All its file work is done in the executor."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        keep: Callable[[], int] = lambda: DEFAULT_KEEP,
        in_use: Callable[[], Collection[str]] = frozenset,
        waited_for: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Keep the places; nothing is read before `async_load`.

        `keep` tells how many releases of a firmware stay, `in_use` which contents stay whatever
        their age, `waited_for` which of them nobody may remove.
        """
        self._hass = hass
        self._keep_last = keep
        self._in_use = in_use
        self._waited_for = waited_for
        self.images = Images(hass, Path(hass.config.path(DOMAIN, "images")), self.async_changed)
        self._store = KeptStore(hass, "library", self._stored)
        self._releases: dict[str, Release] = {}
        self._by_md5: dict[str, Release] = {}
        self._sorted: list[Release] | None = None
        """Kept until something changes: every card asks for it, and comparing versions is slow."""
        self._shelves: defaultdict[tuple[str, ImageKind], list[Release]] = defaultdict(list)
        """The same by firmware and kind, newest first."""
        self._foreign: list[dict[str, Any]] = []
        """Stored by a newer version; kept as it is."""
        self._removed: dict[str, str] = {}
        self._listeners: list[CALLBACK_TYPE] = []
        self.on_merged: Callable[[bytes, ReleaseName], Awaitable[None]] | None = None
        """Called with a merged image, which is refused but tells about the modules."""
        self._changing = asyncio.Lock()
        """Two files that come at once must see each other, or both get the same version."""

    async def async_load(self) -> None:
        """Read the facts of all releases, and tidy up what a crash left."""
        stored = await self._store.async_load()
        releases, removed = (stored or {}).get("releases", []), (stored or {}).get("removed", {})
        is_whole = isinstance(releases, list) and fits(removed, dict[str, str])
        is_whole = is_whole and not self._store.was_cut
        for item in releases if isinstance(releases, list) else []:
            try:
                release = Release.restored(item)
            except KeyError, TypeError, ValueError:
                is_whole = False
                self._foreign.append(item)
            else:
                self._keep(release)
        self._removed = removed if fits(removed, dict[str, str]) else {}
        if self._store.was_cut:
            self._foreign.clear()  # halves, of what comes back from its image
        elif stored is not None and not is_whole:
            await self._store.async_set_aside()
        await self._async_tidy(adopt=stored is None or not is_whole)
        await self.async_look_for_images()

    async def async_look_for_images(self) -> None:
        """See whether the images of all releases are there."""
        await self.images.async_look(self._releases)

    def _keep(self, release: Release) -> None:
        self._releases[release.image.sha256] = release
        self._by_md5[release.image.plain_md5] = release
        self._sorted = None

    async def _async_tidy(self, *, adopt: bool) -> None:
        """See to images without facts: nothing that a person may miss is deleted.

        What was removed goes. When facts were lost, what says itself what it is comes back; all
        else stays where it is, and is told.
        """
        foreign = {sha256_of(item) for item in self._foreign}
        kept: list[str] = []
        for sha256 in await self.images.async_strays(set(self._releases) | foreign):
            if sha256 in self._removed:
                await self.images.async_remove(sha256)
            elif not (adopt and await self._async_adopt(sha256)):
                kept.append(sha256)
        async_raise_strays(self._hass, str(self.images.files.folder), kept)

    async def _async_adopt(self, sha256: str) -> bool:
        """Take an image in again whose facts were lost; tell whether that was possible."""
        if (data := await self.images.async_read(sha256)) is None:
            return False
        try:
            name = ReleaseName(file_name=f"{sha256}.bin")
            await self.async_add(data, name, source="recovered")
        except OtaError as err:  # nothing in it says what it is
            LOGGER.info("The image %s cannot be taken in again: %s", sha256[:12], err)
            return False
        return True

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back whenever releases came or went."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def releases(self) -> list[Release]:
        """All releases, oldest version first."""
        return list(self._in_order())

    def _in_order(self) -> list[Release]:
        if self._sorted is None:
            known = self._releases.values()
            self._sorted = sorted(known, key=lambda item: (by_version(item.version), item.added))
            self._shelves.clear()
            for item in reversed(self._sorted):
                self._shelves[item.firmware, item.image.kind].append(item)
        return self._sorted

    @property
    def firmwares(self) -> list[str]:
        """All names, sorted."""
        return sorted({release.firmware for release in self._releases.values()})

    def candidates(self, firmware: str) -> list[Release]:
        """Return the sketches of one firmware, newest version first."""
        return self._of(firmware, ImageKind.SKETCH)

    def files(self, firmware: str) -> list[Release]:
        """Return the files of one firmware, newest version first."""
        return self._of(firmware, ImageKind.FILESYSTEM)

    def _of(self, firmware: str, kind: ImageKind) -> list[Release]:
        self._in_order()
        return list(self._shelves.get((firmware, kind), ()))

    def find(self, firmware: str, version: str) -> list[Release]:
        """Return one version of a firmware, for all its chips and kinds; spelt so first."""
        same = [
            item
            for item in self.releases
            if item.firmware == firmware and same_version(item.version, version)
        ]
        return sorted(same, key=lambda item: item.version != version)

    def newest_of(self, firmware: str, pin: str) -> list[Release]:
        """Return the newest version of a firmware that a pin permits, for all chips and kinds."""
        for item in reversed(self._in_order()):
            if item.firmware == firmware and pin_permits(pin, item.version):
                return self.find(firmware, item.version)
        return []

    def get(self, sha256: str) -> Release | None:
        """Return the release with this content."""
        return self._releases.get(sha256)

    def whole(self, sha256: str) -> Release | None:
        """Return the same, None where its image is gone."""
        return self.get(sha256) if sha256 not in self.images.lost else None

    def companion(self, release: Release, *, assigned: bool = False) -> Release | None:
        """Return the files that belong to a sketch: same firmware, same version.

        Those of a server belong to its own sketch, or to this one where it is `assigned` by it.
        """
        if release.image.kind is not ImageKind.SKETCH:
            return None
        of_server = assigned or release.source == SOURCE_SERVER
        found = self.find(release.firmware, release.version)
        fitting = (item for item in found if item.chip in {None, release.chip})
        files = (item for item in fitting if item.image.kind is ImageKind.FILESYSTEM)
        return next((item for item in files if of_server or item.source != SOURCE_SERVER), None)

    def running(self, plain_md5: str | None) -> Release | None:
        """Return the release whose image has this MD5 when it runs."""
        return self._by_md5.get(plain_md5) if plain_md5 else None

    def signature_of(self, release: Release) -> str | None:
        """Return the detached signature that came with a release, as it came."""
        known = self._releases.get(release.image.sha256)
        return known.signature if known else None

    async def async_add(
        self,
        data: bytes,
        name: ReleaseName,
        *,
        source: str,
        notes: str | None = None,
        permit: Callable[[str], None] | None = None,
    ) -> Release:
        """Add one image and return its release; the same bytes are added once.

        `permit` raises for a name of firmware that who brings it may not use.
        Raises ImageError when the bytes are no image for a module, LibraryError when nothing
        says its name and version, when other bytes have them already, or the disk is full.
        """
        try:
            image = await self._hass.async_add_executor_job(name.read, data)
        except OtaError as err:
            if err.cause is Cause.MERGED_IMAGE and permit is None and self.on_merged:
                await self.on_merged(data, name)
            raise
        async with self._changing:
            if (known := self._releases.get(image.sha256)) is not None:
                if permit is not None:
                    permit(known.firmware)
                return await self._async_add_again(known, data, name, source)
            release = release_of(image, name, source, notes)
            if permit is not None:
                permit(release.firmware)
            refuse_conflict(self._releases.values(), release, self._in_use)
            await self.images.async_write(image.sha256, data)
            self._keep(release)
            self._removed.pop(image.sha256, None)
            await self._async_drop(added=release)
        return release

    async def _async_add_again(
        self, known: Release, data: bytes, name: ReleaseName, source: str
    ) -> Release:
        """Take what is new about a known image: its bytes, if they were lost, and a signature.

        What a server had for one module is for all as soon as somebody else brings it.
        """
        sha256 = known.image.sha256
        await self.images.async_write(sha256, data)
        if known.source == SOURCE_SERVER != source:
            known = replace(known, source=storable(source))
            self._keep(known)
            await self._async_save()
        if name.prerelease is not None:
            known = await self._async_change(known, flagged=name.prerelease)
        return await self.async_sign(known, name.signature) if name.signature else known

    async def async_sign(self, release: Release, signature: str) -> Release:
        """Keep a detached signature with a release; returns the release as it is then.

        Raises LibraryError when it cannot be written down.
        """
        return await self._async_change(release, signature=storable(signature))

    async def async_flag(self, sha256: str, *, prerelease: bool) -> None:
        """Take what a source says now of a release; raises what `async_sign` does."""
        if (known := self._releases.get(sha256)) is not None:
            await self._async_change(known, flagged=prerelease)

    async def _async_change(self, release: Release, **changes: Any) -> Release:
        changed = replace(release, **changes)
        if changed != release:
            self._keep(changed)
            if not await self._async_save():
                self._keep(release)
                raise LibraryError(Cause.NOT_STORED, detail=Detail.LIST_UNWRITTEN)
        return changed

    async def async_look(self, data: bytes, name: ReleaseName) -> Look:
        """Return what a file would be, and keep nothing of it.

        Raises ImageError when the bytes are no image for a module, LibraryError when they are
        another kind than was said.
        """
        image = await self._hass.async_add_executor_job(name.read, data)
        return look_at(self._releases, image, name, self._in_use)

    async def async_remove(self, *sha256s: str) -> None:
        """Forget releases and delete their images: all of them or none.

        Raises LibraryError when an install waits for one.
        """
        async with self._changing:
            releases = [self._releases[sha256] for sha256 in sha256s if sha256 in self._releases]
            waited_for = self._waited_for()
            for release in releases:
                if release.image.sha256 in waited_for:
                    raise LibraryError(
                        Cause.RELEASE_IN_USE, firmware=release.firmware, version=release.version
                    )
            if releases:
                await self._async_forget(releases)

    async def async_apply_keep_rule(self) -> None:
        """Drop what the keep rule drops, because its number was changed."""
        async with self._changing:
            if self._superfluous():
                with suppress(LibraryError):  # a repair has told, and they are dropped later
                    await self._async_drop()

    def _superfluous(self) -> list[Release]:
        return superfluous(self._releases.values(), self._keep_last(), self._in_use())

    async def _async_drop(self, *, added: Release | None = None) -> None:
        """Save, without the releases that are too many; raises LibraryError, see there."""
        dropped = self._superfluous()
        for release in dropped:
            LOGGER.info("%s %s is dropped: newer ones came", release.firmware, release.version)
        await self._async_forget(dropped, added=added)

    async def _async_forget(self, releases: list[Release], *, added: Release | None = None) -> None:
        """Save first: an image without facts is tidied up, facts without an image are not.

        Raises LibraryError when that is not possible; then all is as it was before `added` came.
        """
        before = dict(self._releases), dict(self._removed)
        if added is not None:
            del before[0][added.image.sha256]
        now = dt_util.utcnow().isoformat()
        for release in releases:
            del self._releases[release.image.sha256]
            self._removed[release.image.sha256] = now
        self._index()
        if not await self._async_save():
            self._releases, self._removed = before
            self._index()
            self.async_changed()
            raise LibraryError(Cause.NOT_STORED, detail=Detail.LIST_UNWRITTEN)
        for release in releases:
            await self.images.async_remove(release.image.sha256)

    def _index(self) -> None:
        self._by_md5 = {item.image.plain_md5: item for item in self._releases.values()}
        self._sorted = None

    @property
    def removed(self) -> dict[str, str]:
        """When contents were removed or dropped that may not come back by themselves, in order."""
        return dict(self._removed)

    async def async_remember_removed(self, there: Collection[str], *, is_all: bool) -> None:
        """Forget that releases were removed whose files are gone, and may come again.

        `there` are contents of files in the folder. Where that may not be all of them, only so many
        are forgotten that the list does not grow for ever.
        """
        gone = [sha256 for sha256 in self._removed if sha256 not in there]
        if gone := gone if is_all else gone[:-_REMOVED_LIMIT]:
            for sha256 in gone:
                del self._removed[sha256]
            await self._async_save()

    async def async_read(self, release: Release) -> bytes:
        """Return the bytes of a release, checked against their name.

        Raises LibraryError when the file is gone or was changed on disk.
        """
        if (data := await self.images.async_read(release.image.sha256)) is None:
            raise LibraryError(
                Cause.IMAGE_MISSING, firmware=release.firmware, version=release.version
            )
        return data

    async def _async_save(self) -> bool:
        is_on_disk = await self._store.async_save()
        self.async_changed()
        return is_on_disk

    def _stored(self) -> dict[str, Any]:
        releases = [item.stored() for item in self.releases]
        return {"releases": releases + self._foreign, "removed": self._removed}

    @callback
    def async_changed(self) -> None:
        """Tell all who listen that releases came, went, or are seen in another light."""
        for listener in list(self._listeners):
            listener()
