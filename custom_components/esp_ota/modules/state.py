"""What is known of one module: what its entities show, and the facts that installs decide by."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.util import dt as dt_util

from ..const import (
    CHANNEL_BETA,
    CHANNEL_STABLE,
    CONF_AUTH,
    CONF_BOARD,
    CONF_CHIP,
    CONF_FIRMWARE,
    CONF_HOLD,
    CONF_MAC,
    CONF_MODULE_CHANNEL,
    CONF_PIN,
    CONF_SERVICE_NAME,
    CONF_TRANSPORTS,
    TRANSPORT_PULL,
    TRANSPORT_UPLOAD,
)
from ..house import Ended, House
from ..library import Release
from ..ota import (
    Candidate,
    Chip,
    Image,
    ImageKind,
    InstallProgress,
    ModuleFacts,
    PullRequest,
    SignatureState,
    chip_from_board,
    family_from_port,
    held_until,
)
from .outcome import Outcome
from .presence import Presence

_NOTHING: Final = ModuleFacts(name="", host="", port=0)
_TAKES: Final[dict[str, bool]] = {CHANNEL_BETA: True, CHANNEL_STABLE: False}
"""Whether a channel has pre-releases; where none was chosen, what runs decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleState:
    """What the entities of one module show."""

    firmware: str | None = None
    installed: str | None = None
    """The version that runs: stated by the module, else known from the last install."""
    assumed: bool = False
    """Nothing but our own install says so."""
    before: str | None = None
    """The version that ran before an update which was not followed; it may run still."""
    progress: InstallProgress | None = None
    installing: ImageKind = ImageKind.SKETCH
    """What the progress is about."""
    outcome: Outcome | None = None
    """How the last install since the start ended."""
    ended: Ended | None = None
    """What is shown of the last install, over restarts."""
    last_seen: datetime | None = None
    """When it last said something by itself."""
    reachable: bool | None = None
    """Whether it is there, None where nobody can tell."""

    @property
    def compared_with(self) -> str | None:
        """The version that others are older or newer than: what runs, or what ran before."""
        return self.installed or self.before

    def running(self, version: str | None, firmware: str | None, *, assumed: bool) -> Self:
        """Return the same of a module that runs another version, or one that nobody knows."""
        before = self.compared_with if version is None else None
        return replace(self, installed=version, firmware=firmware, assumed=assumed, before=before)


def state_before(house: House, entry: ConfigEntry, presence: Presence) -> ModuleState:
    """Return what was known of a module before the last restart."""
    known = house.journal.known(entry.entry_id)
    is_open = known is not None and known["version"] is None
    return ModuleState(
        firmware=entry.options.get(CONF_FIRMWARE) or (known["firmware"] if known else None),
        installed=known["version"] if known else None,
        assumed=known["assumed"] if known else False,
        before=known.get("previous") if known and is_open else None,
        ended=house.memory.of(entry.entry_id).get("ended"),
        last_seen=presence.last_seen,
        reachable=presence.reachable,
    )


def merged_facts(
    entry: ConfigEntry,
    state: ModuleState,
    announced: ModuleFacts | None,
    polled: PullRequest | None,
    running: Image | None,
    *,
    port: int,
) -> ModuleFacts:
    """Return who a module is: by what it announces, by what it asks with, and as it was added.

    `running` is the image whose sum it says to run.

    Its port tells nothing: a sketch chooses it. Where it was added because it asked, the port is
    what its first request said of its family. Another board may have taken its place: what it was
    added as counts only where neither its announcement nor its request says otherwise, and neither
    of these where they contradict each other.
    """
    data, said = entry.data, announced or _NOTHING
    board = said.board or data.get(CONF_BOARD)
    chip = said.chip or chip_from_board(board)
    family = chip.family if chip else said.family
    if polled is not None and family not in {None, polled.family}:
        board, chip, family = None, None, None if said.family else polled.family
    if entry.options.get(CONF_CHIP):
        chip = Chip(entry.options[CONF_CHIP])
        family = chip.family
    elif polled is not None and said.family is None:
        family = polled.family
    elif data.get(CONF_TRANSPORTS) == [TRANSPORT_PULL] and data.get(CONF_SERVICE_NAME) is None:
        family = family or family_from_port(data[CONF_PORT])
    hold = entry.options.get(CONF_HOLD)
    until = held_until(hold, dt_util.now()) if hold is not None else None
    return ModuleFacts(  # all that can be said; what was learnt of it is added to it
        name=data[CONF_NAME],
        host=str(data[CONF_HOST]),
        port=port,
        family=family,
        chip=chip or (running.chip if running else None),
        firmware=state.firmware,
        version=None if state.assumed else state.installed,
        staged_low=TRANSPORT_UPLOAD in (data.get(CONF_TRANSPORTS) or ()),
        # An updater that rewrites the mode changes the sum with it.
        flash_mode=running.flash_mode if running else None,
        mac=data.get(CONF_MAC) or said.mac,
        board=board,
        auth_required=data.get(CONF_AUTH) if said.auth_required is None else said.auth_required,
        pin=entry.options.get(CONF_PIN),
        held_until=f"{until:%Y-%m-%d %H:%M}" if until else None,
        takes_prereleases=_TAKES.get(entry.options.get(CONF_MODULE_CHANNEL, "")),
    )


def candidate_of(
    release: Release,
    state: ModuleState,
    signature: SignatureState,
    *,
    chosen: bool,
    is_lost: bool,
) -> Candidate:
    """Return a release as something to install on a module; files have no order of versions."""
    is_sketch = release.image.kind is ImageKind.SKETCH
    installed = state.compared_with if is_sketch else None
    return Candidate(
        image=release.image,
        firmware=release.firmware,
        version=release.version,
        installed=installed,
        chosen=chosen,
        signature=signature,
        is_lost=is_lost,
        is_prerelease=release.is_prerelease,
    )
