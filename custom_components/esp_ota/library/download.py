"""Bringing one file of a source here: to disk first, and only whole."""

import asyncio
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..ota import (
    MAX_FILE_SIZE,
    Account,
    Cause,
    Detail,
    Listed,
    Reach,
    SourceError,
    fetch_text,
    open_url,
    read_chunks,
    took_too_long,
)
from .incoming import IncomingFile
from .release import SIGNATURE_LIMIT

_SECONDS: Final = 600.0
"""For one file; 32 MiB at 55 kB/s. A stalled one ends long before."""
_HEADERS: Final = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
"""GitHub's API sends the file itself only when asked so, and a packed body has no known size."""


async def async_download(
    hass: HomeAssistant,
    listed: Listed,
    *,
    account: Account | None = None,
    reach: Reach | None = None,
) -> bytes:
    """Return the bytes of a file, proven by what the source says of it.

    Raises SourceError or LibraryError when they do not come, or are not those.
    """
    session = async_get_clientsession(hass)
    try:
        async with (
            asyncio.timeout(_SECONDS),
            IncomingFile(hass) as file,
            open_url(
                session, listed.url, headers=_HEADERS, account=account, reach=reach
            ) as response,
        ):
            async for chunk in read_chunks(response, MAX_FILE_SIZE):
                await file.async_write(chunk)
            data = await file.async_read()
    except TimeoutError as err:
        raise took_too_long(_SECONDS) from err
    if listed.size is not None and listed.size != file.size:
        facts = {"size": file.size, "expected": listed.size}
        raise SourceError(Cause.DOWNLOAD_BROKEN, detail=Detail.BYTES_MISSING, **facts)
    for algorithm, wanted, found in (
        ("SHA-256", listed.sha256, file.sha256),
        ("MD5", listed.md5, file.md5),
    ):
        if wanted is not None and wanted != found:
            raise SourceError(Cause.CHECKSUM_MISMATCH, algorithm=algorithm)
    return data


async def async_download_signature(
    hass: HomeAssistant,
    listed: Listed,
    *,
    account: Account | None = None,
    reach: Reach | None = None,
) -> str | None:
    """Return the detached signature of a file; None when it has none."""
    if listed.signature_url is None:
        return None
    answer = await fetch_text(
        async_get_clientsession(hass),
        listed.signature_url,
        limit=SIGNATURE_LIMIT,
        headers=_HEADERS,
        account=account,
        reach=reach,
    )
    return answer.data.decode("utf-8", "replace")
