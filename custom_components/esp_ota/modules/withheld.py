"""Why a release that is newer than what the card shows is not offered."""

from ..const import CONF_PIN
from ..helpers import async_said
from ..library import Release
from ..ota import CheckResult, ask_gate, is_newer, pin_permits, same_version
from .coordinator import ModuleCoordinator


def withheld(coordinator: ModuleCoordinator) -> tuple[Release, CheckResult] | None:
    """Return the newest release above what is offered or runs, and what is against it."""
    installed = coordinator.data.installed
    releases = coordinator.releases
    if releases and installed is not None and same_version(releases[0].version, installed):
        return None  # as of most modules, and each of their cards asks
    offered, facts = coordinator.offered, coordinator.facts()
    shown = [version for version in (installed, offered.version if offered else None) if version]
    for release in releases:
        if release == offered:
            return None
        candidate = coordinator.candidate(release, chosen=False)
        refusal = ask_gate(candidate, facts, coordinator.accepted).refusal
        is_older = installed is not None and is_newer(installed, release.version)
        known = is_older or any(same_version(release.version, version) for version in shown)
        if refusal and not known:
            return release, refusal
    return None


def _pin_of_nobody(coordinator: ModuleCoordinator) -> str | None:
    """Return the pin of a module for which the library has nothing, and that names not what runs.

    None for every other one, and for a module without.
    """
    pin: str | None = coordinator.config_entry.options.get(CONF_PIN)
    if pin is None or pin_permits(pin, coordinator.data.installed or ""):
        return None
    has_one = any(pin_permits(pin, release.version) for release in coordinator.releases)
    return None if has_one else pin


def not_offered(coordinator: ModuleCoordinator) -> str | None:
    """Return why nothing newer is offered to a module, None where nothing newer is there."""
    hass, name = coordinator.hass, coordinator.config_entry.title
    if (found := withheld(coordinator)) is not None:
        release, refusal = found
        assert refusal.cause is not None
        reason = async_said(hass, refusal.cause, refusal.facts, module=name)
        facts = {"version": release.version, "reason": reason}
        return async_said(hass, "not_offered", facts, module=name)
    if (pin := _pin_of_nobody(coordinator)) is not None:
        facts = {"firmware": coordinator.data.firmware or "?", "pin": pin}
        return async_said(hass, "pin_of_nobody", facts, module=name)
    return None
