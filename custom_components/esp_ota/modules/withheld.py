"""Why a release that is newer than what the card shows is not offered."""

from ..library import Release
from ..ota import CheckResult, ask_gate
from .coordinator import ModuleCoordinator


def withheld(coordinator: ModuleCoordinator) -> tuple[Release, CheckResult] | None:
    """Return the newest release above what is offered or runs, and what is against it."""
    offered, facts = coordinator.offered, coordinator.facts()
    shown = {coordinator.data.installed, offered.version if offered else None}
    for release in coordinator.releases:
        if release == offered:
            return None
        candidate = coordinator.candidate(release, chosen=False)
        refusal = ask_gate(candidate, facts, coordinator.accepted).refusal
        if refusal and not candidate.older and release.version not in shown:
            return release, refusal
    return None
