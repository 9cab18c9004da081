"""The files of a module's firmware: images of file systems that the library has for it."""

from ..const import SOURCE_SERVER
from ..library import Release
from ..ota import ask_bounds
from .coordinator import ModuleCoordinator


def releases_of_files(coordinator: ModuleCoordinator, *, any_chip: bool = False) -> list[Release]:
    """Return the file releases of a module's firmware that could be its, newest first.

    What a server brings comes with the sketch that it assigns: alone only what is there already.
    """
    firmware = coordinator.data.firmware
    if firmware is None or not (files := coordinator.house.library.files(firmware)):
        return []  # as for most, and each change of the library and of a module asks
    facts = coordinator.facts()
    return [
        item
        for item in files
        if (any_chip or item.chip in {None, facts.chip, facts.family})
        and (item.source != SOURCE_SERVER or item.image.sha256 == facts.filesystem_sha256)
    ]


def offered_files(coordinator: ModuleCoordinator) -> Release | None:
    """Return the newest of them that the module may have by its pin, its hold and its channel."""
    if not (files := releases_of_files(coordinator)):
        return None
    facts = coordinator.facts()
    candidates = ((item, coordinator.candidate(item, chosen=False)) for item in files)
    return next((item for item, each in candidates if ask_bounds(each, facts) is None), None)
