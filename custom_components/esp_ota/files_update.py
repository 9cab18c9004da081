"""The second card of a module: the files it serves, where the library has any for it.

A sketch takes the files of its own version along; this card is for files alone.
"""

from typing import override

from .installer import ModuleRuntime
from .library import Release
from .ota import ImageKind
from .update_card import UNKNOWN, UpdateCard


def releases_of_files(runtime: ModuleRuntime) -> list[Release]:
    """Return the file releases of a module's firmware that could be its, newest first."""
    coordinator = runtime.coordinator
    facts = coordinator.facts()
    if facts.firmware is None:
        return []
    files = coordinator.house.library.files(facts.firmware)
    return [item for item in files if item.chip in {None, facts.chip, facts.family}]


class FilesUpdate(UpdateCard):
    """The files of one module."""

    _attr_translation_key = "files"
    kind = ImageKind.FILESYSTEM

    def __init__(self, runtime: ModuleRuntime) -> None:
        """Belong to a module."""
        super().__init__(runtime, "files")
        self._runtime = runtime

    @property
    @override
    def installed_version(self) -> str | None:
        """What we brought there last: no module says what its files are."""
        sha256 = self.coordinator.facts().filesystem_sha256
        known = self.coordinator.house.library.get(sha256) if sha256 else None
        return known.version if known else UNKNOWN

    @property
    @override
    def offered(self) -> Release | None:
        return next(iter(releases_of_files(self._runtime)), None)
