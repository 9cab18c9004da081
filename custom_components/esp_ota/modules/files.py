"""The files of a module's firmware: images of file systems that the library has for it."""

from ..const import SOURCE_SERVER
from ..library import Release
from ..ota import ask_bounds
from .coordinator import ModuleCoordinator


def files_for(coordinator: ModuleCoordinator) -> list[Release]:
    """Return the file releases of a module's firmware, newest first.

    What a server brings comes with the sketch that it assigns: alone only what is there already.
    """
    firmware = coordinator.data.firmware
    if firmware is None or not (files := coordinator.house.library.files(firmware)):
        return []  # as for most, and each change of the library and of a module asks
    delivered = coordinator.facts().filesystem_sha256
    return [
        item for item in files if item.source != SOURCE_SERVER or item.image.sha256 == delivered
    ]


def companion_of(coordinator: ModuleCoordinator, release: Release) -> Release | None:
    """Return the files that go along with a sketch to this module, None where there are none."""
    assigned = coordinator.is_assigned(release)
    return coordinator.house.library.companion(release, assigned=assigned)


def releases_of_files(coordinator: ModuleCoordinator) -> list[Release]:
    """Return those that could be the module's by their chip."""
    if not (files := files_for(coordinator)):
        return []
    facts = coordinator.facts()
    return [item for item in files if item.chip in {None, facts.chip, facts.family}]


def offered_files(coordinator: ModuleCoordinator) -> Release | None:
    """Return the newest of them that the module may have by its pin, its hold and its channel."""
    if not (files := releases_of_files(coordinator)):
        return None
    facts = coordinator.facts()
    candidates = ((item, coordinator.candidate(item, chosen=False)) for item in files)
    return next((item for item, each in candidates if ask_bounds(each, facts) is None), None)
