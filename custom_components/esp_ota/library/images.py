"""The images of the library as it asks for them, and which of them are not there any more.

Somebody may have deleted them, a share may not be mounted, or a backup was restored without them.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from homeassistant.core import HomeAssistant

from ..const import LOGGER
from ..ota import Cause, LibraryError
from .image_files import ImageFiles


class Images:
    """All file work is done in the executor."""

    def __init__(self, hass: HomeAssistant, folder: Path, on_change: Callable[[], None]) -> None:
        """Call `on_change` when others are lost than before."""
        self._hass = hass
        self._on_change = on_change
        self.files = ImageFiles(folder)
        self.lost: frozenset[str] = frozenset()
        """Contents that are known and were not there when they were looked for (sha256)."""
        self._damaged: frozenset[str] = frozenset()
        """Those that were read, and were not what their names say."""

    async def async_look(self, known: Collection[str]) -> None:
        """See which of all known images are there."""
        known = frozenset(known)  # what comes meanwhile was not looked for
        there = await self._hass.async_add_executor_job(self.files.there)
        self._damaged &= there
        self._lose((known - there) | self._damaged)

    def _lose(self, lost: frozenset[str]) -> None:
        if lost != self.lost:
            if new := lost - self.lost:
                LOGGER.error("%d firmware images are gone from %s", len(new), self.files.folder)
            self.lost = lost
            self._on_change()

    def _find(self, sha256: str) -> None:
        self._damaged -= {sha256}
        self._lose(self.lost - {sha256})

    async def async_read(self, sha256: str) -> bytes | None:
        """Return an image, None when it is gone or not what its name says."""
        run = self._hass.async_add_executor_job
        data: bytes | None = await run(self.files.read, sha256)
        if data is None:
            if await run(self.files.is_there, sha256):
                self._damaged |= {sha256}
            self._lose(self.lost | {sha256})
        else:
            self._find(sha256)
        return data

    async def async_write(self, sha256: str, data: bytes) -> None:
        """Write one image, unless it is there whole; raises LibraryError when it cannot be."""
        try:
            await self._hass.async_add_executor_job(self.files.write, sha256, data)
        except OSError as err:
            raise LibraryError(Cause.NOT_STORED, detail=err.strerror or err) from err
        self._find(sha256)

    async def async_remove(self, sha256: str) -> None:
        """Delete one image."""
        await self._hass.async_add_executor_job(self.files.remove, sha256)
        self.lost -= {sha256}
        self._damaged -= {sha256}

    async def async_strays(self, known: Collection[str]) -> list[str]:
        """Return whose images lie there although nobody knows them."""
        return await self._hass.async_add_executor_job(self.files.strays, known)
