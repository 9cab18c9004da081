"""The watched folder: a finished file becomes a release, a bad one a clear answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
import os
from pathlib import Path
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .const import DOMAIN, FOLDER_SCAN_SECONDS, LOGGER
from .issues import async_clear_file_issue, async_raise_file_issue
from .library import Library
from .ota import MAX_FILE_SIZE, Cause, LibraryError, OtaError
from .release_name import ReleaseName

SOURCE: Final = "folder"
_ENDINGS: Final = (".bin", ".bin.gz", ".elf", ".uf2", ".hex")
"""Files that people take for firmware; the last three are there to be refused by name."""
_SIDECAR_LIMIT: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What must stay the same between two scans for a file to count as finished."""

    size: int
    changed: int
    sidecar_changed: int


class WatchedFolder:
    """Scans `<config>/esp_ota/firmware/`."""

    def __init__(self, hass: HomeAssistant, library: Library) -> None:
        """Nothing is scanned before `async_start`."""
        self._hass = hass
        self._library = library
        self.path = Path(hass.config.path(DOMAIN, "firmware"))
        self._seen: dict[str, _Stamp] = {}
        self._done: dict[str, _Stamp] = {}
        self._scanning = False
        self._conflicting: set[str] = set()
        self._unreadable: set[str] = set()
        library.async_add_listener(self._retry_conflicts)

    @callback
    def _retry_conflicts(self) -> None:
        """Look at conflicting files once more: the release in their way may be gone."""
        for name in self._conflicting:
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
        return async_track_time_interval(
            self._hass,
            self.async_scan,
            timedelta(seconds=FOLDER_SCAN_SECONDS),
            name="ESP OTA firmware folder",
            cancel_on_shutdown=True,
        )

    async def async_scan(self, _now: datetime | None = None) -> None:
        """Take every file that has not changed since the last scan and is not yet known."""
        if self._scanning:
            return
        self._scanning = True
        try:
            found = await self._hass.async_add_executor_job(_list, self.path)
            for name, stamp in found.items():
                known = self._done.get(name) == stamp and name not in self._unreadable
                if self._seen.get(name) == stamp and not known:
                    self._done[name] = stamp
                    await self._async_take(name)
            for name in self._done.keys() - found.keys():
                async_clear_file_issue(self._hass, name)
            self._done = {name: stamp for name, stamp in self._done.items() if name in found}
            self._seen = found
        finally:
            self._scanning = False

    async def _async_take(self, name: str) -> None:
        self._unreadable.discard(name)
        try:
            data, sidecar = await self._hass.async_add_executor_job(_read, self.path / name)
            known = (
                ReleaseName(file_name=name)
                if sidecar is None
                else ReleaseName.from_sidecar(name, sidecar)
            )
            release = await self._library.async_add(data, known, source=SOURCE)
        except OtaError as err:
            LOGGER.info("%s in the firmware folder is not usable: %s", name, err)
            async_raise_file_issue(self._hass, name, err)
            if err.cause is Cause.RELEASE_CONFLICT:
                self._conflicting.add(name)
        except OSError as err:  # tried again at each scan: permissions leave no stamp
            self._unreadable.add(name)
            error = LibraryError(Cause.UNREADABLE_FILE, detail=err.strerror or err)
            async_raise_file_issue(self._hass, name, error)
        else:
            async_clear_file_issue(self._hass, name)
            LOGGER.info("%s is %s %s", name, release.firmware, release.version)


def _list(folder: Path) -> dict[str, _Stamp]:
    """Return the firmware files of a folder with their stamps (executor)."""
    return dict(_stamps(folder))


def _stamps(folder: Path) -> Iterator[tuple[str, _Stamp]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # the folder was taken away; it may be a share that is not mounted
        return
    facts = {entry.name: stat for entry in entries if (stat := _stat(entry)) is not None}
    for name, stat in facts.items():
        if not name.startswith(".") and name.lower().endswith(_ENDINGS):
            sidecar = facts.get(f"{name}.json")
            changed = sidecar.st_mtime_ns if sidecar else 0
            yield name, _Stamp(stat.st_size, stat.st_mtime_ns, changed)


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Return the facts of a file, None for what is none or cannot be looked at."""
    try:
        return entry.stat() if entry.is_file() else None
    except OSError:  # gone meanwhile, or a link that leads in circles
        return None


def _read(path: Path) -> tuple[bytes, str | None]:
    """Return a file and its sidecar, if it has one (executor)."""
    if (size := path.stat().st_size) > MAX_FILE_SIZE:
        raise LibraryError(Cause.OVERSIZED_FILE, size=size, limit=MAX_FILE_SIZE)
    sidecar = path.with_name(f"{path.name}.json")
    if not sidecar.is_file():
        return path.read_bytes(), None
    with sidecar.open("rb") as file:
        text = file.read(_SIDECAR_LIMIT).decode("utf-8", "replace")
    return path.read_bytes(), text
