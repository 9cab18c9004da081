"""What one install brings to a module: the images in their order, with their bytes."""

from dataclasses import replace

from .const import CONF_GZIP, LOGGER
from .coordinator import ModuleCoordinator
from .library import Release
from .ota import Packed, Part, Payload, pack_for


async def async_prepare(
    coordinator: ModuleCoordinator, release: Release, *, chosen: bool
) -> list[Part]:
    """Return the parts of an install, the sketch last.

    Files of the same version go first: a sketch that finds old files may not even start, old
    sketches mostly live with new ones. Those that a try before has brought already stay as they
    are, unless the person names the version. Raises LibraryError when bytes are gone.
    """
    library = coordinator.house.library
    releases = [release]
    files = library.companion(release)
    delivered = coordinator.facts().filesystem_sha256
    if files is not None and (chosen or files.image.sha256 != delivered):
        releases.insert(0, files)
    parts = []
    for item in releases:
        data = await library.async_read(item)
        part = part_of(coordinator, item, data, chosen=chosen)
        parts.append(await _async_packed(coordinator, part))
    return parts


def part_of(coordinator: ModuleCoordinator, release: Release, data: bytes, *, chosen: bool) -> Part:
    """Return one release as a part of an install."""
    candidate = replace(coordinator.candidate(release, chosen=chosen), wanted=release.image.kind)
    image = release.image
    return Part(candidate=candidate, payload=Payload(data=data, kind=image.kind, md5=image.md5))


async def _async_packed(coordinator: ModuleCoordinator, part: Part) -> Part:
    """Return the smaller form of an image, where that is without risk for this module."""
    if not coordinator.config_entry.options.get(CONF_GZIP, True):
        return part
    packed: Packed = await coordinator.hass.async_add_executor_job(
        pack_for, part.payload.data, part.candidate.image, coordinator.facts()
    )
    name = coordinator.config_entry.title
    LOGGER.info("%s: packing: %s %s", name, packed.advice.reason, packed.advice.facts)
    image = packed.image
    return Part(
        candidate=replace(part.candidate, image=image),
        payload=Payload(data=packed.data, kind=image.kind, md5=image.md5),
    )
