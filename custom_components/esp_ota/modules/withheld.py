"""Why a release that is newer than what the card shows is not offered."""

from ..library import Release
from ..ota import CheckResult, ask_gate, is_newer, same_version
from .coordinator import ModuleCoordinator


def withheld(coordinator: ModuleCoordinator) -> tuple[Release, CheckResult] | None:
    """Return the newest release above what is offered or runs, and what is against it."""
    offered, facts = coordinator.offered, coordinator.facts()
    installed = coordinator.data.installed
    shown = [version for version in (installed, offered.version if offered else None) if version]
    for release in coordinator.releases:
        if release == offered:
            return None
        candidate = coordinator.candidate(release, chosen=False)
        refusal = ask_gate(candidate, facts, coordinator.accepted).refusal
        is_older = installed is not None and is_newer(installed, release.version)
        known = is_older or any(same_version(release.version, version) for version in shown)
        if refusal and not known:
            return release, refusal
    return None
