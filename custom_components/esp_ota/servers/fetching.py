"""From a deployment to a release in the library: fetched, unpacked, looked at, and chosen."""

import asyncio
from dataclasses import dataclass
from typing import Final

from homeassistant.core import HomeAssistant

from ..const import SOURCE_SERVER
from ..library import Library, Release, async_download_resumed
from ..modules import ModuleCoordinator
from ..ota import (
    MAX_FILE_SIZE,
    Account,
    Cause,
    Deployment,
    Detail,
    Image,
    ImageKind,
    Marker,
    ModuleFacts,
    Reach,
    ReleaseName,
    SourceError,
    is_container,
    unpack,
)

_UNNAMED: Final = "firmware"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """One image of a deployment."""

    data: bytes
    name: ReleaseName
    image: Image


class Shelf:
    """What was fetched of one server: hundreds of modules are assigned the same."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Have fetched nothing."""
        self._hass = hass
        self._fetched: dict[tuple[str, str | None], str] = {}
        self._lock = asyncio.Lock()
        """One deployment at a time is fetched, and is in memory."""

    async def async_release_of(
        self,
        coordinator: ModuleCoordinator,
        deployment: Deployment,
        *,
        account: Account,
        reach: Reach,
    ) -> Release:
        """Return the sketch that a deployment has for a module; its files are in the library too.

        Raises SourceError where they do not come, ImageError or LibraryError where they are no use.
        """
        facts, library = coordinator.facts(), coordinator.house.library
        key = deployment.mark, facts.chip or facts.family
        async with self._lock:
            if (known := library.whole(self._fetched.get(key, ""))) is not None:
                return known
            found = await self._async_fetch(coordinator, deployment, account, reach)
            release = await _async_keep(library, found, facts)
        self._fetched[key] = release.image.sha256
        return release

    async def _async_fetch(
        self,
        coordinator: ModuleCoordinator,
        deployment: Deployment,
        account: Account,
        reach: Reach,
    ) -> list[_Found]:
        size = sum(one.size or 0 for one in deployment.artifacts)
        _raise_if_oversized(size)
        files: list[tuple[str, bytes]] = []
        for artifact in deployment.artifacts:
            data = await async_download_resumed(self._hass, artifact, account=account, reach=reach)
            size += len(data) - (artifact.size or 0)
            _raise_if_oversized(size)
            if is_container(data):
                files += await self._hass.async_add_executor_job(unpack, data)
            else:
                files.append((artifact.file_name, data))
        firmware = coordinator.data.firmware or deployment.name or _UNNAMED
        fallback = Marker(name=firmware, version=deployment.version or "")
        found = []
        for file_name, data in files:
            name = ReleaseName(file_name=file_name, fallback=fallback)
            look = await coordinator.house.library.async_look(data, name)
            found.append(_Found(data=data, name=name, image=look.image))
        return found


def _raise_if_oversized(size: int) -> None:
    """Raise SourceError for more bytes than all files of a deployment may have."""
    if size > MAX_FILE_SIZE:
        raise SourceError(Cause.OVERSIZED_FILE, size=size, limit=MAX_FILE_SIZE)


async def _async_keep(library: Library, found: list[_Found], facts: ModuleFacts) -> Release:
    sketches = [one for one in found if one.image.kind is ImageKind.SKETCH]
    if not sketches:
        raise SourceError(Cause.DEPLOYMENT_UNUSABLE, detail=Detail.NO_SKETCH)
    # Of several boards' sketches the one for this chip; the gate says no to one that fits none.
    fitting = [one for one in sketches if _is_for(one.image, facts)] or sketches[:1]
    if len({one.image.sha256 for one in fitting}) > 1:
        raise SourceError(Cause.DEPLOYMENT_UNUSABLE, detail=Detail.SEVERAL_SKETCHES)
    for one in found:
        if one.image.kind is ImageKind.FILESYSTEM:
            await library.async_add(one.data, one.name, source=SOURCE_SERVER)
    sketch = fitting[0]
    return await library.async_add(sketch.data, sketch.name, source=SOURCE_SERVER)


def _is_for(image: Image, facts: ModuleFacts) -> bool:
    if image.chip is None or facts.chip is not None:
        return image.chip in {None, facts.chip}
    return facts.family in {None, image.chip.family}
