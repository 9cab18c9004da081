"""All releases known in this house: images named by content, facts in one store."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
import hashlib
import os
from pathlib import Path
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .ota import (
    AppDescriptor,
    Cause,
    Chip,
    FilesystemType,
    FlashMode,
    Image,
    ImageKind,
    LibraryError,
    Marker,
    read_image,
)
from .release_name import ReleaseName
from .versions import by_version

_STORE_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """One version of a firmware for one chip."""

    firmware: str
    version: str
    image: Image
    notes: str | None
    source: str
    """Where it came from: `folder` or `upload`."""
    added: str
    """ISO time in UTC."""

    @property
    def key(self) -> tuple[str, str, Chip | None, ImageKind]:
        """What may exist only once with one content."""
        return self.firmware, self.version, self.image.chip, self.image.kind


class Library:
    """Adds, finds and reads releases. All its file work is done in the executor."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Keep the places; nothing is read before `async_load`."""
        self._hass = hass
        self._images = Path(hass.config.path(DOMAIN, "images"))
        self._store = Store[dict[str, Any]](
            hass, _STORE_VERSION, f"{DOMAIN}.library", private=True, atomic_writes=True
        )
        self._releases: dict[str, Release] = {}
        self._by_md5: dict[str, Release] = {}
        self._listeners: list[CALLBACK_TYPE] = []
        self._adding = asyncio.Lock()
        """Two files that come at once must see each other, or both get the same version."""

    async def async_load(self) -> None:
        """Read the facts of all releases."""
        stored = await self._store.async_load()
        for item in (stored or {}).get("releases", []):
            release = _release_from(item)
            self._keep(release)

    def _keep(self, release: Release) -> None:
        self._releases[release.image.sha256] = release
        self._by_md5[release.image.plain_md5] = release

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back whenever releases came or went."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def releases(self) -> list[Release]:
        """All releases, oldest version first."""
        return sorted(self._releases.values(), key=lambda item: by_version(item.version))

    @property
    def firmwares(self) -> list[str]:
        """All names, sorted."""
        return sorted({release.firmware for release in self._releases.values()})

    def candidates(self, firmware: str) -> list[Release]:
        """Return the sketches of one firmware, newest version first."""
        return [
            item
            for item in reversed(self.releases)
            if item.firmware == firmware and item.image.kind is ImageKind.SKETCH
        ]

    def get(self, sha256: str) -> Release | None:
        """Return the release with this content."""
        return self._releases.get(sha256)

    def companion(self, release: Release) -> Release | None:
        """Return the files that belong to a sketch: same firmware, same version."""
        if release.image.kind is not ImageKind.SKETCH:
            return None
        for item in self._releases.values():
            same = (item.firmware, item.version) == (release.firmware, release.version)
            fits = item.image.chip in {None, release.image.chip}
            if same and fits and item.image.kind is ImageKind.FILESYSTEM:
                return item
        return None

    def running(self, plain_md5: str | None) -> Release | None:
        """Return the release whose image has this MD5 when it runs."""
        return self._by_md5.get(plain_md5) if plain_md5 else None

    async def async_add(
        self, data: bytes, name: ReleaseName, *, source: str, notes: str | None = None
    ) -> Release:
        """Add one image and return its release; the same bytes are added once.

        Raises ImageError when the bytes are no image for a module, LibraryError when nothing
        says its name and version or when other bytes have them already.
        """
        image = await self._hass.async_add_executor_job(read_image, data)
        async with self._adding:
            return await self._async_add(data, image, name, source, notes)

    async def _async_add(
        self, data: bytes, image: Image, name: ReleaseName, source: str, notes: str | None
    ) -> Release:
        if (known := self._releases.get(image.sha256)) is not None:
            return known
        firmware, version = name.resolve(image.marker)
        release = Release(
            firmware=firmware,
            version=version,
            image=image,
            notes=notes or name.notes,
            source=source,
            added=dt_util.utcnow().isoformat(),
        )
        self._refuse_conflict(release)
        await self._hass.async_add_executor_job(self._write, image.sha256, data)
        self._keep(release)
        await self._async_save()
        return release

    def _refuse_conflict(self, release: Release) -> None:
        for known in self._releases.values():
            if known.key == release.key:
                raise LibraryError(
                    Cause.RELEASE_CONFLICT,
                    firmware=release.firmware,
                    version=release.version,
                    chip=release.image.chip or release.image.kind,
                )

    async def async_remove(self, sha256: str) -> None:
        """Forget one release and delete its image."""
        if self._releases.pop(sha256, None) is None:
            return
        self._by_md5 = {item.image.plain_md5: item for item in self._releases.values()}
        await self._async_save()
        path = self._path(sha256)
        await self._hass.async_add_executor_job(lambda: path.unlink(missing_ok=True))

    async def async_read(self, release: Release) -> bytes:
        """Return the bytes of a release, checked against their name.

        Raises LibraryError when the file is gone or was changed on disk.
        """
        path = self._path(release.image.sha256)
        data = await self._hass.async_add_executor_job(_read_checked, path)
        if data is None:
            raise LibraryError(
                Cause.IMAGE_MISSING, firmware=release.firmware, version=release.version
            )
        return data

    def _path(self, sha256: str) -> Path:
        return self._images / f"{sha256}.bin"

    def _write(self, sha256: str, data: bytes) -> None:
        """Write one image so that a crash leaves either all of it or nothing."""
        self._images.mkdir(parents=True, exist_ok=True)
        temporary = self._images / f"{sha256}.part"
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path(sha256))

    async def _async_save(self) -> None:
        await self._store.async_save({"releases": [asdict(item) for item in self.releases]})
        for listener in list(self._listeners):
            listener()


def _read_checked(path: Path) -> bytes | None:
    """Return a file's bytes, None when it is gone or not what its name says."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == path.stem else None


def _release_from(item: dict[str, Any]) -> Release:
    """Return a release from its stored form."""
    image = dict(item["image"])
    kinds: dict[str, Callable[[Any], Any]] = {
        "kind": ImageKind,
        "chip": Chip,
        "flash_mode": FlashMode,
        "filesystem": FilesystemType,
        "descriptor": lambda descriptor: AppDescriptor(**descriptor),
        "marker": lambda marker: Marker(**marker),
    }
    for key, kind in kinds.items():
        if image.get(key) is not None:
            image[key] = kind(image[key])
    return Release(
        **{key: value for key, value in item.items() if key != "image"}, image=Image(**image)
    )
