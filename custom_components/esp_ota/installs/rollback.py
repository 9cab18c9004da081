"""Going back to what ran before: which image that is, and when a person is asked about it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_ROLLBACK, ROLLBACK_ASK, ROLLBACK_NEVER
from ..library import Release
from ..modules import ModuleCoordinator
from ..ota import Cause, ImageKind, InstallResult, Part, Verdict, goes_back, same_version
from .preparation import async_parts, with_candidate

_FOLLOWED: Final = frozenset({Verdict.VERIFIED, Verdict.UNVERIFIED, Verdict.ROLLED_BACK})
"""How an update ends after which it is known which images a module has; a refusal tells nothing of
what the one before it has left there."""


def rollback_mode(options: Mapping[str, Any]) -> str:
    """Return what the person wants of it: never, ask, or by itself."""
    return str(options.get(CONF_ROLLBACK, ROLLBACK_ASK))


def running_release(coordinator: ModuleCoordinator) -> Release | None:
    """Return the release that a module runs, by its sum or else by the version it shows."""
    library, facts = coordinator.house.library, coordinator.facts()
    if (running := library.running(facts.sketch_md5)) is not None:
        return running
    firmware, version = coordinator.data.firmware, coordinator.data.installed
    if firmware is None or version is None:
        return None
    found = library.find(firmware, version)
    named = [item for item in found if item.image.kind is ImageKind.SKETCH]
    if facts.family is None and len(named) == 1:
        return named[0]
    return next((item for item in named if item.chip in {None, facts.chip, facts.family}), None)


def last_good(coordinator: ModuleCoordinator, *, instead_of: str | None = None) -> Release | None:
    """Return the image that ran well last, other than what runs and what failed (sha256)."""
    library, entry_id = coordinator.house.library, coordinator.config_entry.entry_id
    if not (good := coordinator.house.journal.good(entry_id)):
        return None
    # After a failure, what nothing has said since is what ran before it.
    is_told = instead_of is None or coordinator.statements.best is not None
    running = running_release(coordinator) if is_told else None
    others = {instead_of, running.image.sha256 if running else None}
    found = (library.whole(sha256) for sha256 in good)
    return next((item for item in found if item and item.image.sha256 not in others), None)


def files_before(
    coordinator: ModuleCoordinator, release: Release, *, touched: bool = False
) -> Release | None:
    """Return the files of a release, where the module has others of ours now.

    `touched` says that others were sent just now, whatever became of them.
    """
    assigned = coordinator.is_assigned(release)
    files = coordinator.house.library.companion(release, assigned=assigned)
    delivered = coordinator.facts().filesystem_sha256
    if files is None or delivered == files.image.sha256 or (delivered is None and not touched):
        return None
    return files


def to_put_back(
    coordinator: ModuleCoordinator, failed: InstallResult, wanted: str, *, touched: bool
) -> Release | None:
    """Return what is put back after a failure, None for nothing.

    `wanted` is the content of what was installed (sha256). A module that is back with its old
    sketch needs no other one, but its files may have been replaced.
    """
    if failed.verdict is Verdict.ROLLED_BACK or not goes_back(failed, files_touched=touched):
        return None
    if failed.verdict is not Verdict.UNCHANGED:
        return last_good(coordinator, instead_of=wanted)
    running = running_release(coordinator)
    return files_before(coordinator, running, touched=touched) if running else None


async def async_way_back(
    coordinator: ModuleCoordinator, release: Release, *, touched: bool = False
) -> list[Part]:
    """Return the parts that put a release back; raises LibraryError when bytes are gone.

    A module may have its sketch still, in the slot that the update did not touch. Where that was
    not followed to its end, the slot may as well have what it is to go back from.
    """
    releases = [release]
    if (files := files_before(coordinator, release, touched=touched)) is not None:
        releases.insert(0, files)
    parts = await async_parts(coordinator, releases, chosen=True)
    parts = [with_candidate(part, goes_back=True) for part in parts]
    data, is_sketch = coordinator.data, release.image.kind is ImageKind.SKETCH
    was_followed = data.ended is None or data.ended["verdict"] in _FOLLOWED
    if data.installed and was_followed and is_sketch and len(parts) == 1:
        return [replace(parts[0], in_other_slot=True)]
    return parts


def is_proven(coordinator: ModuleCoordinator, failed: InstallResult, wanted: str) -> bool:
    """Whether something else runs than was wanted (sha256): only then it goes back by itself.

    A version that nobody knows is a name spelt differently, in the sketch or by who added the file.
    """
    library = coordinator.house.library
    if failed.cause is not Cause.OTHER_VERSION_BACK or failed.by_sum:
        return True
    release = library.get(wanted)
    if release is None or failed.version is None:
        return False
    marker = release.image.marker
    wanted_names = {release.version} | ({marker.version} if marker else set())
    if any(same_version(failed.version, version) for version in wanted_names):
        return False
    named = library.find(release.firmware, failed.version)
    return any(item.image.sha256 != wanted for item in named)


def asks(entry: ConfigEntry) -> bool:
    """Whether a person is to be asked about what did not go back by itself."""
    return rollback_mode(entry.options) != ROLLBACK_NEVER
