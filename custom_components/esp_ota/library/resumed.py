"""A file that is fetched in as many parts as it takes, and proven by what was said of it."""

import asyncio
import hashlib
from http import HTTPStatus
import re
from typing import Final

from aiohttp import ClientResponse

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..ota import (
    MAX_FILE_SIZE,
    Account,
    Artifact,
    Cause,
    Detail,
    Reach,
    SourceError,
    open_url,
    read_chunks,
    took_too_long,
)
from .incoming import IncomingFile

_SECONDS: Final = 900.0
"""For all of it; 32 MiB at 37 kB/s."""
_TRIES: Final = 5
_PAUSE: Final = 2.0
"""Seconds before the second part, and so many more before each other."""
_PASSES: Final = frozenset({Cause.DOWNLOAD_BROKEN, Cause.SOURCE_UNREACHABLE, Cause.SOURCE_ERROR})
_BEGINS: Final = re.compile(r"bytes (\d{1,12})-")


async def async_download_resumed(
    hass: HomeAssistant, artifact: Artifact, *, account: Account, reach: Reach
) -> bytes:
    """Return the bytes of a file, proven by size and sums.

    Raises SourceError or LibraryError when they do not come, or are not those.
    """
    limit = MAX_FILE_SIZE
    if artifact.size is not None and artifact.size > limit:
        raise SourceError(Cause.OVERSIZED_FILE, size=artifact.size, limit=limit)
    try:
        async with asyncio.timeout(_SECONDS), IncomingFile(hass) as file:
            await _Fetching(hass, artifact, account, reach, file).run()
            data = await file.async_read()
    except TimeoutError as err:
        raise took_too_long(_SECONDS) from err
    if artifact.size is not None and artifact.size != len(data):
        facts = {"size": len(data), "expected": artifact.size}
        raise SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.BYTES_MISSING, **facts)
    await hass.async_add_executor_job(_prove, artifact, data)
    return data


def _prove(artifact: Artifact, data: bytes) -> None:
    """Raise SourceError where a sum is another one (executor)."""
    said = {"sha256": artifact.sha256, "sha1": artifact.sha1, "md5": artifact.md5}
    for name, wanted in said.items():
        found = hashlib.new(name, data, usedforsecurity=False).hexdigest() if wanted else None
        if found != wanted:
            raise SourceError(Cause.CHECKSUM_MISMATCH, algorithm=name.upper())


class _Fetching:
    """One file on its way."""

    def __init__(
        self,
        hass: HomeAssistant,
        artifact: Artifact,
        account: Account,
        reach: Reach,
        file: IncomingFile,
    ) -> None:
        self._session = async_get_clientsession(hass)
        self._artifact = artifact
        self._account = account
        self._reach = reach
        self._file = file
        self._etag: str | None = None

    async def run(self) -> None:
        """Fetch part by part; raises SourceError for what does not pass, and after the last try."""
        for tries in range(1, _TRIES + 1):
            try:
                await self._part()
            except SourceError as err:
                if err.cause not in _PASSES or tries == _TRIES:
                    raise
                if err.cause is Cause.SOURCE_ERROR:  # it may be the part that it does not like
                    self._etag = None
            else:
                if self._is_whole:
                    return
            await asyncio.sleep(_PAUSE * tries)

    @property
    def _is_whole(self) -> bool:
        size = self._artifact.size
        return size is None or self._file.size >= size

    async def _part(self) -> None:
        """Fetch what is missing, if it is still a part of the same; else all of it."""
        file = self._file
        headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
        if file.size and self._etag is not None:
            headers |= {"Range": f"bytes={file.size}-", "If-Range": self._etag}
        async with open_url(
            self._session,
            self._artifact.url,
            headers=headers,
            account=self._account,
            reach=self._reach,
        ) as response:
            if file.size and not _goes_on(response, file.size, self._etag):
                self._etag = None
                await file.async_begin_anew()
                if response.status == HTTPStatus.PARTIAL_CONTENT:
                    raise SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.ENDED_EARLY)
            etag = response.headers.get("ETag", "")
            self._etag = etag if etag.startswith('"') else None  # a weak one names no bytes
            limit = (self._artifact.size or MAX_FILE_SIZE) - file.size
            async for chunk in read_chunks(response, limit):
                await file.async_write(chunk)


def _goes_on(response: ClientResponse, at: int, etag: str | None) -> bool:
    """Whether an answer begins where the file ends, and is of the same file.

    aiohttp 3.14 compares `If-Range` only with dates: it sends a part of whatever is there by then.
    """
    found = _BEGINS.match(response.headers.get("Content-Range", ""))
    is_next = found is not None and int(found[1]) == at
    is_same = response.headers.get("ETag", etag) == etag
    return response.status == HTTPStatus.PARTIAL_CONTENT and is_next and is_same
