"""A file on its way in: written to disk as it comes, bounded, with its checksums."""

from collections.abc import Callable
import hashlib
from pathlib import Path
import tempfile
from typing import IO, Final, Self

from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from ..ota import MAX_FILE_SIZE, Cause, LibraryError

_FOLDER: Final = "incoming"
_FLUSH: Final = 1024 * 1024
"""Bytes that are gathered before a thread writes them."""


class IncomingFile:
    """A temporary file, gone when the context ends, whatever became of it."""

    def __init__(self, hass: HomeAssistant, limit: int = MAX_FILE_SIZE) -> None:
        """Take the limit; nothing is opened yet."""
        self._hass = hass
        self._limit = limit
        self._file: IO[bytes] | None = None
        self._gathered = bytearray()
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    async def __aenter__(self) -> Self:
        """Open it in a folder of ours, not in a system's one that may be small memory."""

        def make() -> IO[bytes]:
            folder = Path(self._hass.config.path(DOMAIN, _FOLDER))
            folder.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=folder)

        self._file = await self._async_run(make)
        return self

    async def _async_run[T](self, work: Callable[[], T]) -> T:
        """Work on the disk; raises LibraryError when it is full or not ours to write."""
        try:
            return await self._hass.async_add_executor_job(work)
        except OSError as err:
            raise LibraryError(Cause.NOT_STORED, detail=err.strerror or err) from err

    async def __aexit__(self, *_error: object) -> None:
        """Close it, which deletes it: it never had a name that others could see."""
        if self._file is not None:
            await self._hass.async_add_executor_job(self._file.close)

    async def async_write(self, data: bytes) -> None:
        """Take the next bytes; raises LibraryError when they are too many for any module."""
        self.size += len(data)
        if self.size > self._limit:
            raise LibraryError(Cause.OVERSIZED_FILE, size=f">{self._limit}", limit=self._limit)
        self._gathered += data
        if len(self._gathered) >= _FLUSH:
            await self._async_flush()

    async def async_begin_anew(self) -> None:
        """Forget what came: it is another file than what comes now."""
        file, self._gathered = self._file, bytearray()
        assert file is not None

        def clear() -> None:
            file.seek(0)
            file.truncate()

        await self._async_run(clear)
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self.size = 0

    async def _async_flush(self) -> None:
        data, self._gathered = bytes(self._gathered), bytearray()
        file = self._file
        assert file is not None

        def write() -> None:
            file.write(data)
            self._sha256.update(data)
            self._md5.update(data)

        await self._async_run(write)

    async def async_read(self) -> bytes:
        """Return all that came."""
        await self._async_flush()
        file = self._file
        assert file is not None

        def read() -> bytes:
            file.seek(0)
            return file.read()

        return await self._async_run(read)

    @property
    def sha256(self) -> str:
        """Checksum of what was read back last, in hex."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        """The same, as a module would know it."""
        return self._md5.hexdigest()
