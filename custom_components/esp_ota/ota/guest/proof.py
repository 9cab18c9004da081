"""What the update entity of a guest says, and whether that proves an update.

Integrations differ (Home Assistant 2026.10): Zigbee and Z-Wave hold the call until all is over,
ESPHome's own entity and MQTT return at once and report progress later, WLED returns when the file
is uploaded and restarts then. Most are unavailable for a while; some spell what is installed
otherwise than what was on offer, as ESPHome's projects do (`2025.11.5_c51f7548`).
"""

from dataclasses import dataclass, replace

from ..causes import Cause
from ..exceptions import InstallRefused, ModuleConnectionError, OtaError
from ..naming import is_newer, same_version, says_less


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestState:
    """What the update entity of a guest says right now; None is what it does not say."""

    is_there: bool = True
    """Whether the entity exists."""
    is_available: bool = True
    can_install: bool = True
    installed: str | None = None
    latest: str | None = None
    skipped: str | None = None
    in_progress: bool = False
    percent: float | None = None
    is_newest: bool = False
    """Whether the entity itself takes what is installed for no older than `latest`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestLimits:
    """Seconds for which the proof of an update is awaited; each sign of progress begins anew."""

    quiet: float = 600.0
    """Nothing runs, or the guest is away: a restart and a poll once in five minutes fit in."""
    in_progress: float = 3600.0
    """It says that it is being updated, and how far does not change: some never say how far."""
    failed: float = 60.0
    """After an error nothing runs: an answer that was lost is told from an update that was."""
    all_in_all: float = 86400.0
    """However often there was progress; Zigbee takes hours."""


def is_offered(state: GuestState) -> bool:
    """Whether there is something to install that is not there already, or was skipped."""
    if state.installed is None or state.latest is None or state.is_newest:
        return False
    return not has_version(state.installed, state.latest)


def has_version(installed: str, wanted: str) -> bool:
    """Whether what is installed is a version, however it is spelt; it may name a build besides.

    An entity for which Home Assistant cannot order the two says for ever that there is an update.
    """
    return same_version(installed, wanted) or says_less(wanted, installed)


def keeps_from(state: GuestState, wanted: str, *, any_version: bool) -> OtaError | None:
    """Return why an update cannot begin now, None where it can, or need not.

    `any_version` is for an entity to which a version can be named.
    """
    if not state.is_there:
        return InstallRefused(Cause.GUEST_GONE)
    if not state.is_available:
        return ModuleConnectionError(Cause.GUEST_UNAVAILABLE)
    if not state.can_install:
        return InstallRefused(Cause.GUEST_NO_INSTALL)
    if state.in_progress:
        return InstallRefused(Cause.GUEST_BUSY)
    if state.installed is None or (state.latest is None and not any_version):
        return InstallRefused(Cause.GUEST_NO_VERSION)
    is_there = has_version(state.installed, wanted)
    if state.latest != wanted and not any_version and not is_there:
        return InstallRefused(Cause.GUEST_OTHER_OFFER, version=wanted, offered=state.latest)
    return None


def proves(state: GuestState, wanted: str, before: str | None) -> bool:
    """Whether what is said proves that the wanted version runs.

    Spelt otherwise it counts where it is another one than `before`, and either names the wanted
    one without its build, or the entity itself says that there is no newer one and nobody can tell
    it to be older than the wanted one.
    """
    if not state.is_available or state.in_progress or state.installed is None:
        return False
    if same_version(state.installed, wanted):
        return True
    if state.installed == before:
        return False
    if has_version(state.installed, wanted) or says_less(state.installed, wanted):
        return True
    is_newest = state.is_newest and state.skipped is None
    return is_newest and is_newer(wanted, state.installed) is not True


@dataclass(kw_only=True, slots=True)
class Vigil:
    """How long there was no progress; asked again and again while an update is awaited."""

    limits: GuestLimits
    began: float
    """Seconds by any clock that does not jump."""
    last: GuestState | None = None
    moved: float = 0.0
    has_failed: bool = False
    """Whether the call has ended with an error."""

    def is_over(self, state: GuestState, now: float) -> bool:
        """Take what is said now; return whether there is nothing left to wait for."""
        said = replace(state, latest=None, skipped=None, is_newest=False)
        if said != self.last:
            self.last, self.moved = said, now
        limit = self.limits.failed if self.has_failed else self.limits.quiet
        if state.in_progress:
            limit = self.limits.in_progress
        elif not state.is_available:
            limit = self.limits.quiet
        return now - self.moved >= limit or now - self.began >= self.limits.all_in_all
