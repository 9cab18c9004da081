"""What one install brings to a module: the images in their order, with their bytes."""

from .coordinator import ModuleCoordinator
from .library import Release
from .ota import Part, Payload


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
    return [
        part_of(coordinator, item, await library.async_read(item), chosen=chosen)
        for item in releases
    ]


def part_of(coordinator: ModuleCoordinator, release: Release, data: bytes, *, chosen: bool) -> Part:
    """Return one release as a part of an install."""
    image = release.image
    return Part(
        candidate=coordinator.candidate(release, chosen=chosen, wanted=image.kind),
        payload=Payload(data=data, kind=image.kind, md5=image.md5),
    )
