"""The watched folder: a finished file becomes a release, a bad one a clear answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
import hashlib
import os
from pathlib import Path
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN, FOLDER_SCAN_SECONDS, LOGGER
from ..issues import shown
from ..ota import MAX_FILE_SIZE, Cause, LibraryError, OtaError, ReleaseName, one_line
from .file_troubles import FileTroubles
from .library import Library
from .release import SIGNATURE_LIMIT

SOURCE: Final = "folder"
_ENDINGS: Final = (".bin", ".bin.gz", ".elf", ".uf2", ".hex")
"""Files that people take for firmware; the last three are there to be refused by name."""
_SIDECAR: Final = ".json"
_SIDECAR_LIMIT: Final = 256 * 1024
_SIGNATURE: Final = ".minisig"
_CALM: Final = 3
"""So many times less often it is looked at a folder in which nothing is going on."""
UNKEPT_FILES: Final = 100
"""Files that are left although their releases were dropped or removed: two years of a weekly one.
A person may want one back; without an end a build machine would fill the disk."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What must stay the same between two scans for a file to count as finished."""

    size: int
    changed: int
    beside: tuple[int, int]
    """When sidecar and signature were changed; 0 where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFile:
    """A file as it was read."""

    data: bytes
    sha256: str
    name: ReleaseName


class WatchedFolder:
    """Scans `<config>/esp_ota/firmware/`."""

    def __init__(self, hass: HomeAssistant, library: Library) -> None:
        """Nothing is scanned before `async_start`."""
        self._hass = hass
        self._library = library
        self.path = Path(hass.config.path(DOMAIN, "firmware"))
        self._seen: dict[str, _Stamp] = {}
        self._done: dict[str, _Stamp] = {}
        self._troubles = FileTroubles(hass)
        self._scanning = False
        self._is_calm = False
        """Whether nothing was going on when it was looked last."""
        self._later: CALLBACK_TYPE | None = None
        self._conflicting: set[str] = set()
        self._unreadable: dict[str, bool] = {}
        """Files that are tried again, and whether they were written once more under our eyes."""
        self._contents: dict[str, str] = {}
        """What each file that is done holds (sha256)."""
        self._undeletable: set[str] = set()
        library.async_add_listener(self._look_again)

    @callback
    def _look_again(self) -> None:
        """Look at files once more: what was in their way may be gone, or the image made of them."""
        lost = self._library.images.lost
        again = {name for name, sha256 in self._contents.items() if sha256 in lost}
        for name in self._conflicting | again:
            self._done.pop(name, None)
        self._conflicting.clear()

    async def async_start(self) -> CALLBACK_TYPE:
        """Create the folder, scan it, and go on; returns what stops it."""
        try:
            await self._hass.async_add_executor_job(
                lambda: self.path.mkdir(parents=True, exist_ok=True)
            )
        except OSError as err:  # modules can be updated without it
            LOGGER.warning("The firmware folder cannot be made: %s", err)
        await self.async_scan()
        self._scan_later()
        return self._async_stop

    @callback
    def _async_stop(self) -> None:
        if self._later is not None:
            self._later()
            self._later = None

    def _scan_later(self) -> None:
        seconds = FOLDER_SCAN_SECONDS * (_CALM if self._is_calm else 1)
        job = HassJob(self._async_scan_again, "ESP OTA firmware folder", cancel_on_shutdown=True)
        self._later = async_call_later(self._hass, seconds, job)

    async def _async_scan_again(self, _now: datetime) -> None:
        try:
            await self.async_scan()
        finally:
            if self._later is not None:
                self._scan_later()

    async def async_scan(self) -> None:
        """Take every file that has not changed since the last scan and is not yet known."""
        if self._scanning:
            return
        self._scanning = True
        try:
            found = await self._hass.async_add_executor_job(_list, self.path)
            self._is_calm = found is None or found == self._done
            if found is not None:
                await self._async_take_finished(found)
                self._troubles.async_show()
        finally:
            self._scanning = False

    async def _async_take_finished(self, found: dict[str, _Stamp]) -> None:
        for name, stamp in found.items():
            known = self._done.get(name) == stamp and name not in self._unreadable
            if self._seen.get(name) == stamp and not known:
                again = self._done.get(name, stamp) != stamp or self._unreadable.get(name, False)
                self._done[name] = stamp
                await self._async_take(name, again=again)
        for name in self._done.keys() - found.keys():
            self._troubles.async_clear(name)
            self._contents.pop(name, None)
            self._unreadable.pop(name, None)
            self._undeletable.discard(name)
        self._done = {name: stamp for name, stamp in self._done.items() if name in found}
        self._seen = found
        if self._done == found:
            self._is_calm = self._is_calm and not self._unreadable
            # Who took the last copy away means another one when it comes. An empty folder may
            # be a share that is not mounted, and says nothing.
            is_all = bool(found) and not self._unreadable
            there = set(self._contents.values())
            await self._library.async_remember_removed(there, is_all=is_all)
            await self._async_clear_out()

    async def _async_clear_out(self) -> None:
        """Delete the oldest files that are no release any more, but for the last hundred."""
        order = {sha256: at for at, sha256 in enumerate(self._library.removed)}
        unkept = {
            name: order[sha256]
            for name, sha256 in self._contents.items()
            if sha256 in order and name not in self._undeletable
        }
        if (too_many := len(unkept) - UNKEPT_FILES) <= 0:
            return
        for name in sorted(unkept, key=unkept.__getitem__)[:too_many]:
            path, stamp = self.path / name, self._done[name]
            try:
                await self._hass.async_add_executor_job(_delete, path, stamp)
            except OSError as err:  # a share of somebody else; what lies there is not ours to bound
                self._undeletable.add(name)
                LOGGER.info("%s cannot be deleted: %s", one_line(shown(name)), err)
            else:
                LOGGER.info("%s is deleted: its release is not kept", one_line(shown(name)))

    async def _async_take(self, name: str, *, again: bool) -> None:
        """Add one file; `again` when it was written once more under our eyes."""
        self._unreadable.pop(name, None)
        self._contents.pop(name, None)
        try:
            found = await self._hass.async_add_executor_job(read_firmware, self.path / name)
            self._contents[name] = found.sha256
            if not again and found.sha256 in self._library.removed:
                self._troubles.async_clear(name)
                return
            release = await self._library.async_add(found.data, found.name, source=SOURCE)
        except OtaError as err:
            self._troubles.async_raise(name, err)
            if err.cause is Cause.RELEASE_CONFLICT:
                self._conflicting.add(name)
            if err.cause is Cause.NOT_STORED:
                self._unreadable[name] = again
        except OSError as err:  # tried again at each scan: permissions leave no stamp
            self._unreadable[name] = again
            error = LibraryError(Cause.UNREADABLE_FILE, detail=err.strerror or err)
            self._troubles.async_raise(name, error)
        else:
            self._troubles.async_clear(name)
            LOGGER.info("%s is %s %s", one_line(shown(name)), release.firmware, release.version)


def _list(folder: Path) -> dict[str, _Stamp] | None:
    """Return the firmware files of a folder with their stamps, None without it (executor)."""
    try:
        entries = list(os.scandir(folder))
    except OSError:  # the folder was taken away; it may be a share that is not mounted
        return None
    return dict(_stamps(entries))


def _stamps(entries: list[os.DirEntry[str]]) -> Iterator[tuple[str, _Stamp]]:
    facts = {entry.name: stat for entry in entries if (stat := _stat(entry)) is not None}

    def changed(name: str) -> int:
        return facts[name].st_mtime_ns if name in facts else 0

    # Oldest first, so that the keep rule counts them as they were built.
    for name, stat in sorted(facts.items(), key=lambda item: item[1].st_mtime_ns):
        if not name.startswith(".") and name.lower().endswith(_ENDINGS):
            beside = changed(name + _SIDECAR), changed(name + _SIGNATURE)
            yield name, _Stamp(stat.st_size, stat.st_mtime_ns, beside)


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return the facts of a file, None for what is none or cannot be looked at."""
    try:
        return entry.stat() if entry.is_file() else None
    except OSError:  # gone meanwhile, or a link that leads in circles
        return None


def _delete(path: Path, stamp: _Stamp) -> None:
    """Delete a file, as long as it is the one that was read, and what lies beside it (executor).

    Raises OSError.
    """
    now = path.stat()
    if (now.st_size, now.st_mtime_ns) != (stamp.size, stamp.changed):
        return
    path.unlink()
    for ending in (_SIDECAR, _SIGNATURE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def read_firmware(path: Path) -> FoundFile:
    """Return a file and what lies beside it (executor).

    Raises OSError, or LibraryError for what can be no firmware or no sidecar.
    """
    if (size := path.stat().st_size) > MAX_FILE_SIZE:
        raise LibraryError(Cause.OVERSIZED_FILE, size=size, limit=MAX_FILE_SIZE)
    signature = _read_text(path.with_name(path.name + _SIGNATURE), SIGNATURE_LIMIT)
    sidecar = _read_text(path.with_name(path.name + _SIDECAR), _SIDECAR_LIMIT)
    name = (
        ReleaseName(file_name=path.name, signature=signature)
        if sidecar is None
        else ReleaseName.from_sidecar(path.name, sidecar, signature=signature)
    )
    data = path.read_bytes()
    return FoundFile(data=data, sha256=hashlib.sha256(data).hexdigest(), name=name)


def _read_text(path: Path, limit: int) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(limit).decode("utf-8", "replace")
