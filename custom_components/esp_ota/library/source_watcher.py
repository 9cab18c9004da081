"""One source of firmware: looked at now and then, its new files become releases."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
import hashlib
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_INTERVAL,
    CONF_REPOSITORY,
    CONF_SOURCE_FIRMWARE,
    CONF_URL,
    DEFAULT_INTERVAL,
    LOGGER,
)
from ..helpers import async_file_sentence
from ..issues import (
    async_clear_source_issue,
    async_raise_source_files,
    async_raise_source_issue,
    async_raise_source_names,
)
from ..ota import (
    CallBudget,
    Cause,
    LibraryError,
    Listed,
    Listing,
    Marker,
    OtaError,
    ReleaseName,
    SourceError,
    took_too_long,
)
from .download import async_download, async_download_signature
from .given_names import GivenNames
from .library import Library, Release
from .source_kinds import KINDS, Answer, page_of
from .source_memory import SourceMemories, SourceMemory

_RETRY: Final = 300.0
"""Seconds after the first failure; after that the source's own interval."""
_LOOK_SECONDS: Final = 3600.0
"""For one look with all its files: whoever drips holds nobody else, and not for ever."""
_PATIENT: Final = frozenset(
    {
        Cause.SOURCE_UNREACHABLE,
        Cause.SOURCE_ERROR,
        Cause.SOURCE_BUSY,
        Cause.DOWNLOAD_BROKEN,
    }
)
"""They mostly pass by themselves; a repair is raised when they come twice in a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """What all sources of the house use together."""

    library: Library
    memories: SourceMemories
    budget: CallBudget
    owners: Callable[[str, str], list[str]]
    """Answers who has a name of firmware besides the source with that id."""
    keep: Callable[[], int]
    on_change: CALLBACK_TYPE


class SourceWatcher:
    """Lives as long as its subentry, with these settings."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, shared: Shared
    ) -> None:
        """Take the settings; nothing is asked before `async_start`."""
        self._hass = hass
        self._entry = entry
        self._shared = shared
        self.subentry_id = subentry.subentry_id
        self.title = subentry.title
        self.page = page_of(subentry.data)
        """Where people read of what it publishes."""
        self.settings: Mapping[str, Any] = subentry.data
        self._kind = KINDS[subentry.subentry_type](subentry.data, shared.budget)
        fingerprint = hashlib.sha256(repr(sorted(subentry.data.items())).encode()).hexdigest()
        where = str(subentry.data.get(CONF_URL) or subentry.data.get(CONF_REPOSITORY))
        self._memory = shared.memories.of(self.subentry_id, fingerprint, where)
        self.names = GivenNames(
            self._memory,
            subentry.data.get(CONF_SOURCE_FIRMWARE) or None,
            lambda firmware: shared.owners(self.subentry_id, firmware),
        )
        self._timer: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self._looks_again = False
        """Whether there is reason to look again at once."""

    @property
    def memory(self) -> SourceMemory:
        """What is known of it; only to be read."""
        return self._memory

    @callback
    def async_start(self) -> None:
        """Look at it when the last look is old enough; a new or a failing one at once."""
        last = dt_util.parse_datetime(self._memory.checked or "")
        known = last is not None and not self._memory.failures
        age = (dt_util.utcnow() - last).total_seconds() if last and known else self._interval
        if age < 0:  # the clock was set back since then
            age = self._interval
        self._async_schedule(max(0.0, self._interval - age))
        refused = list(self._memory.refused.values())
        async_raise_source_files(self._hass, self.subentry_id, self.title, refused)
        self._tell_names()

    @callback
    def _tell_names(self) -> None:
        """Ask about names of firmware that were not given to it."""
        async_raise_source_names(self._hass, self.subentry_id, self.title, self.names.wanted)

    async def async_give(self, names: list[str]) -> None:
        """Let it publish these names from now on, and look at it again."""
        self.names.give(names)
        self._memory.etag = None
        await self._shared.memories.async_save()
        self._tell_names()
        if self._timer is not None:
            self._timer()
            self._async_schedule(0)
        else:  # a look is on its way, and may have passed them
            self._looks_again = True

    @callback
    def async_stop(self) -> None:
        """Look no more, and say nothing more of it; a look that runs is broken off."""
        async_clear_source_issue(self._hass, self.subentry_id)
        async_raise_source_files(self._hass, self.subentry_id, self.title, [])
        async_raise_source_names(self._hass, self.subentry_id, self.title, {})
        if self._timer is not None:
            self._timer()
            self._timer = None
        if self._task is not None:
            self._task.cancel()

    @property
    def _interval(self) -> float:
        return float(self.settings.get(CONF_INTERVAL, DEFAULT_INTERVAL)) * 60

    @callback
    def _async_schedule(self, seconds: float) -> None:
        self._timer = async_call_later(self._hass, seconds, self._async_due)

    @callback
    def _async_due(self, _now: datetime) -> None:
        self._timer = None
        self._task = self._entry.async_create_background_task(
            self._hass, self._async_look(), f"ESP OTA source {self.title}"
        )

    async def _async_look(self) -> None:
        try:
            await self.async_check()
        except Exception:  # noqa: BLE001 - logged; one odd answer must not end all looks
            LOGGER.exception("Source %s: looking at it failed by an error of ours", self.title)
        again = _RETRY if self._memory.failures == 1 else self._interval
        again = 0.0 if self._looks_again else min(again, self._interval)
        self._looks_again = False
        self._async_schedule(again)

    async def async_check(self) -> None:
        """Look once, take what is new, and tell the person of what cannot be used."""
        memory = self._memory
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._async_ask()
        except TimeoutError:
            memory.etag = None
            self._fails(took_too_long(_LOOK_SECONDS))
        memory.checked = dt_util.utcnow().isoformat()
        await self._shared.memories.async_save()
        self._shared.on_change()

    async def _async_ask(self) -> None:
        session, memory = async_get_clientsession(self._hass), self._memory
        etag = None if self._shared.library.images.lost & {*memory.taken.values()} else memory.etag
        try:
            answer = await self._kind.async_list(session, etag=etag, last=self._shared.keep())
        except OtaError as err:
            LOGGER.info("Source %s: %s", self.title, err)
            if self._fails(err):
                async_raise_source_issue(self._hass, self.subentry_id, self.title, err)
        else:
            await self._async_take(answer)

    def _fails(self, err: OtaError) -> bool:
        """Remember why a look was not whole; return whether the person is to be told."""
        self._memory.cause = str(err.cause)
        self._memory.failures += 1
        return err.cause not in _PATIENT or self._memory.failures > 1

    async def _async_take(self, answer: Answer) -> None:
        """Add every file that is not here yet."""
        memory, failed = self._memory, False
        told: list[str] = []
        async_clear_source_issue(self._hass, self.subentry_id)
        for item in self._missing(answer.listing):
            try:
                memory.taken[item.key] = await self._async_add(item)
            except OtaError as err:
                LOGGER.info("Source %s: %s is not usable: %s", self.title, item.file_name, err)
                if err.cause is Cause.NAME_NOT_GIVEN:
                    self.names.withhold(item.key, err.facts["firmware"])
                    continue
                sentence = f"{item.file_name}: {await async_file_sentence(self._hass, err)}"
                if _speaks_against_the_file(err):
                    memory.refused[item.key] = sentence
                    if err.cause is Cause.RELEASE_CONFLICT:
                        memory.conflicts[item.key] = [err.facts["firmware"], err.facts["version"]]
                    continue
                if failed or self._fails(err):
                    told.append(sentence)
                failed = True
        if answer.listing is not None:
            self.names.close(answer.listing)
            await self._async_flag(answer.listing)
            for file, cause in answer.listing.refused.items():
                sentence = await async_file_sentence(self._hass, SourceError(cause))
                memory.refused[file] = f"{file}: {sentence}"
        # Asked with an ETag, the list would not come again for what is still missing.
        memory.etag = None if failed or memory.conflicts else answer.etag
        if not failed:
            memory.cause, memory.failures = None, 0
        told += memory.refused.values()
        async_raise_source_files(self._hass, self.subentry_id, self.title, told)
        self._tell_names()

    async def _async_flag(self, listing: Listing) -> None:
        """Take over which of its files are pre-releases: one becomes the release by a click."""
        for item in listing.files:
            if item.prerelease is not None and (sha256 := self._memory.taken.get(item.key)):
                with suppress(LibraryError):  # a repair has told
                    await self._shared.library.async_flag(sha256, prerelease=item.prerelease)

    def _missing(self, listing: Listing | None) -> list[Listed]:
        """Return the files that are new, and forget those that are not listed any more."""
        if listing is None:
            return []
        memory, listed = self._memory, {item.key for item in listing.files}
        get = self._shared.library.get
        self.names.adopt([known for sha256 in memory.taken.values() if (known := get(sha256))])
        conflicts = memory.conflicts.keys() & listed
        lost = self._shared.library.images.lost  # it comes once more
        memory.taken = {
            key: sha for key, sha in memory.taken.items() if key in listed and sha not in lost
        }
        memory.refused = {key: text for key, text in memory.refused.items() if key in listed}
        find = self._shared.library.find
        memory.conflicts = {
            key: at for key, at in memory.conflicts.items() if key in listed and find(*at)
        }
        # What stood in the way was removed, as its sentence advised.
        for key in conflicts - memory.conflicts.keys():
            memory.refused.pop(key, None)
        done = memory.taken.keys() | memory.refused.keys() | memory.withheld.keys()
        return [item for item in listing.files if item.key not in done]

    async def _async_add(self, item: Listed) -> str:
        """Download one file and add it; return its content's name (sha256)."""
        library = self._shared.library
        name = self._name(item)
        if name.firmware is not None:
            self.names.check(name.firmware, item.url)
        account, reach = self._kind.account, self._kind.reach
        data = await async_download(self._hass, item, account=account, reach=reach)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in library.removed:
            return sha256
        signature = await async_download_signature(self._hass, item, account=account, reach=reach)
        name = replace(name, signature=signature)
        if item.is_rolling:
            name = _dated(name, item, sha256)
        try:
            release = await self._async_keep(data, name, item)
        except LibraryError as err:
            # The marker in the image may stay the same as well.
            if err.cause is not Cause.RELEASE_CONFLICT or not item.is_rolling:
                raise
            version = _told_apart(err.facts["version"], item, sha256)
            release = await self._async_keep(data, replace(name, version=version), item)
        LOGGER.info("%s has %s %s", self.title, release.firmware, release.version)
        return release.image.sha256

    async def _async_keep(self, data: bytes, name: ReleaseName, item: Listed) -> Release:
        permit = partial(self.names.check, url=item.url)
        add = self._shared.library.async_add
        return await add(data, name, source=self.title, permit=permit)

    def _name(self, item: Listed) -> ReleaseName:
        """Return what was said of a file; what the person said of the source wins."""
        said = {
            "firmware": self.settings.get(CONF_SOURCE_FIRMWARE) or item.firmware,
            "version": item.version,
            "notes": item.notes,
            "chip": item.chip,
            "kind": item.kind,
            "prerelease": item.prerelease,
        }
        return replace(ReleaseName.stated(item.file_name, said), fallback=item.fallback)


def _dated(name: ReleaseName, item: Listed, sha256: str) -> ReleaseName:
    """Return a rolling release's name with what tells its files apart."""
    version, fallback = name.version, name.fallback
    if fallback is not None:
        told_apart = _told_apart(fallback.version, item, sha256)
        fallback = Marker(name=fallback.name, version=told_apart)
    version = _told_apart(version, item, sha256) if version else None
    return replace(name, version=version, fallback=fallback)


def _told_apart(version: str, item: Listed, sha256: str) -> str:
    """Return a version with the date of the file, so that later is newer; else with its sum."""
    return f"{version}.{item.stamp}" if item.stamp else f"{version}+{sha256[:8]}"


def _speaks_against_the_file(err: OtaError) -> bool:
    """Whether the same bytes will never be of use; everything else is tried again."""
    if isinstance(err, SourceError):
        return err.cause is Cause.OVERSIZED_FILE
    return err.cause is not Cause.NOT_STORED
