"""One module: what is known of it, its running install, and who is told."""

from dataclasses import replace
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import (
    CONF_ACCEPTED,
    CONF_FIRMWARE,
    CONF_MAC,
    CONF_SERVICE_NAME,
    CONF_SLOT_SIZE,
    CONF_TRANSPORTS,
    CONF_UPLOAD_PORT,
    DEFAULT_UPLOAD_PORT,
    LOGGER,
    TRANSPORT_PULL,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..house import House
from ..library import Release
from ..ota import (
    Address,
    Candidate,
    Cause,
    Check,
    Delivery,
    EvidenceSource,
    Image,
    ImageKind,
    InstallProgress,
    InstallStage,
    ModuleFacts,
    ModuleKnowledge,
    ModuleWatch,
    PollWatch,
    PullDesk,
    PullRequest,
    Sighting,
    SlotKnowledge,
    SlotSource,
    Statements,
    ask_gate,
    is_alive,
    is_listening,
    is_there,
)
from .asking import Asking
from .device import async_keep_board, async_keep_device, async_keep_mac, device_of, is_other_chip
from .ears import Ears
from .life import Life
from .likeness import Likeness
from .moves import Moves
from .named_entities import NamedEntities
from .named_evidence import NamedEvidence
from .names import Names
from .offering import assigned_to, may_be_offered, releases_for, version_for_query
from .outcome import Outcome
from .state import ModuleState, candidate_of, merged_facts, state_before
from .vigil import Speech, presence_of
from .whereabouts import Whereabouts


class ModuleCoordinator(DataUpdateCoordinator[ModuleState]):
    """Collects what one module says; it is never polled."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, house: House) -> None:
        """Start with what was known before the last restart."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self.house = house
        self.desk = PullDesk(house.patience.pull)
        self.statements = Statements()
        self.named_evidence = NamedEvidence(hass, entry, self)
        likeness = Likeness(entry, self._async_probe_at, self.named_evidence, house.patience.upload)
        self.whereabouts = Whereabouts(
            hass,
            entry,
            house,
            moves=Moves(hass, entry, house, likeness),
            other_mac=self.named_evidence.async_other_mac,
            on_found=self._heard,
        )
        self.asking = Asking(
            entry,
            self.desk,
            self.whereabouts,
            house,
            on_heard=self._heard_asking,
            version_for_query=lambda: version_for_query(self.offered, self.data.installed),
        )
        self.life = Life(hass, entry)
        self.named_entities = NamedEntities(hass, entry, self.named_evidence, self.life)
        self.ears = Ears(entry, house, self._heard)
        self.names = Names(hass, entry, house, self.whereabouts, likeness, self.ears)
        self.watch = self._watch()
        self.presence = presence_of(
            *(hass, entry, house, self.desk, self._presence_changed),
            speech=Speech(self.ears, self.whereabouts.moves, self.names.async_search),
            is_busy=lambda: self.is_busy,
        )
        self.ears.unclear = self.presence.async_unclear
        self._announced: ModuleFacts | None = None
        self._told_by_all: ModuleState | None = None
        """What was shown when all statements were weighed last."""
        self._stop_polls: CALLBACK_TYPE | None = None
        self.knowledge = ModuleKnowledge(house.journal.learnt(entry.entry_id), self._learnt)
        self.data = state_before(house, entry, self.presence)

    def _watch(self) -> ModuleWatch:
        """Return how the module is observed: by probes where it is known to listen."""
        limits = self.house.patience.watch
        if self.transports == [TRANSPORT_PULL]:
            return PollWatch(lambda: self.desk.patience_after, limits, self._async_ask)
        return ModuleWatch(self._async_probe, self._async_ask, limits)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen to the module; returns what stops it."""
        self.async_listen_for_polls()
        sources = self.ears, self.names, self.named_evidence, self.presence, self.life
        stops = [source.async_start() for source in (*sources, self.named_entities)]
        async_keep_device(self.hass, self.config_entry, self.facts(), self.data.installed)

        def stop() -> None:
            for stop in stops:
                stop()
            if self._stop_polls is not None:
                self._stop_polls()

        return stop

    @callback
    def async_listen_for_polls(self) -> None:
        """Be found by the MAC that requests carry, once it is known."""
        if mac := self.config_entry.data.get(CONF_MAC):
            self._stop_polls = self.house.pollers.async_add(mac, self.asking)

    @property
    def host(self) -> str:
        """The module's address as last announced or typed; it may change at any time."""
        return self.whereabouts.address.host

    @property
    def port(self) -> int:
        """The module's OTA port (UDP), or that of its update page where that is the only way."""
        data = self.config_entry.data
        if TRANSPORT_UPLOAD in self.transports and TRANSPORT_PUSH not in self.transports:
            return int(data.get(CONF_UPLOAD_PORT, DEFAULT_UPLOAD_PORT))
        return self.whereabouts.address.port

    @property
    def transports(self) -> list[str]:
        """The ways an image may take, in the person's order."""
        return list(self.config_entry.data.get(CONF_TRANSPORTS) or [TRANSPORT_PUSH])

    @property
    def password(self) -> str | None:
        """The OTA password; None when the module has none."""
        return self.config_entry.data.get(CONF_PASSWORD) or None

    async def _async_probe(self, timeout: float) -> bool:
        return await self._async_probe_at(self.whereabouts.address, timeout)

    async def _async_probe_at(self, address: Address, timeout: float) -> bool:
        """Ask at its OTA port, or at its web server where it has nothing else."""
        if self.transports == [TRANSPORT_PULL]:
            return await is_there(*address, timeout)
        if TRANSPORT_PUSH in self.transports:
            return await is_alive(*address, timeout)
        return await is_listening(address.host, self.port, timeout)

    @callback
    def _async_ask(self) -> None:
        """Have everybody report again who can be asked."""
        self.named_evidence.async_ask()
        self.ears.async_ask()

    @callback
    def _presence_changed(self) -> None:
        seen, reachable = self.presence.last_seen, self.presence.reachable
        self._set(replace(self.data, last_seen=seen, reachable=reachable))

    @callback
    def _heard(self, facts: ModuleFacts | None, at: float | None = None) -> None:
        """Take an announcement, None for goodbye; `at` is when it was said, else its record."""
        # Other records may come alone, and what the cache adds to them is older.
        if facts is None:
            self.watch.left()
            self.presence.async_left()
            return
        self.whereabouts.async_heard(facts)
        known, name = (self.config_entry.data.get(key) for key in (CONF_MAC, CONF_SERVICE_NAME))
        sighting = Sighting(
            source=EvidenceSource.TXT,
            at=at or self.house.announcements.told_at(name or "") or time.monotonic(),
            firmware=facts.firmware,
            version=facts.version,
            sketch_md5=facts.sketch_md5,
            mac=facts.mac,
        )
        ours = self.whereabouts.is_ours(facts)
        if ours or self.whereabouts.is_here(facts):
            self.watch.heard(sighting)  # a running install has to know of a stranger as well
        if not ours:
            if at is None:  # who spoke before this was loaded may be gone
                self.whereabouts.async_introduce(facts)
            return
        self._announced = facts
        if is_other_chip(self.config_entry, facts):
            self.knowledge.board_replaced()
        self.knowledge.heard(SlotSource.TXT, facts, time.time())
        self.presence.async_heard(at)
        self.life.heard(at)
        if at is None:
            self.names.async_heard()
            self.named_evidence.async_heard()
        if facts.mac is not None and known is None:
            self.async_learn_mac(facts.mac)
        if facts.board is not None and async_keep_board(self.hass, self.config_entry, facts.board):
            async_keep_device(self.hass, self.config_entry, self.facts(), self.data.installed)
        self._believe(sighting)

    @callback
    def _heard_asking(self, request: PullRequest, sighting: Sighting) -> None:
        """Take what a request that is believed says."""
        self.knowledge.polled(request, time.time())
        self.presence.async_heard()
        self.life.heard(sighting.at)
        self.async_told(sighting)

    @callback
    def async_told(self, sighting: Sighting) -> None:
        """Take a statement: a running install may wait for it, and the card shows it."""
        self.watch.heard(sighting)
        self._believe(sighting)

    @callback
    def _believe(self, sighting: Sighting) -> None:
        """Show what the strongest source says; all is said already where nothing is new."""
        is_other = self.knowledge.was_flashed()
        is_news = self.statements.heard(sighting) or is_other
        if not is_news and self.data is self._told_by_all:
            return
        if (best := self.statements.best) is not None and best.version is not None:
            self.async_set_installed(best.version, best.firmware, assumed=False)
        elif is_other:
            self.async_set_installed(None, None, assumed=False)
            self.named_evidence.async_repeat()
        self._told_by_all = self.data

    @callback
    def _learnt(self) -> None:
        """Keep what the module's statements and answers taught."""
        self.config_entry.async_create_task(
            self.hass,
            self.house.journal.async_learn(self.config_entry.entry_id, self.knowledge.stored),
        )

    @callback
    def async_delivered(self, image: Image, delivery: Delivery) -> None:
        """Take that the module has an image of a running install."""
        if image.kind is ImageKind.SKETCH:
            self.statements.image_replaced(time.monotonic())
        self.whereabouts.moves.async_proved()
        self.knowledge.delivered(image, delivery, self.facts().family)

    @callback
    def async_table_read(self, slot_size: int, filesystem_area: int | None = None) -> None:
        """Take what a merged image of this firmware says about the module's slots."""
        self.knowledge.table_read(slot_size, time.time(), filesystem_area)
        self.async_update_listeners()

    @callback
    def async_refused(self, image: Image, cause: Cause) -> None:
        """Take the module's own no to an image of a running install."""
        self.knowledge.refused(cause, image, self.facts().family, time.time())

    @callback
    def async_learn_mac(self, mac: str) -> None:
        """Keep a MAC that was said for the first time; another module's is never learnt."""
        if self.house.roster.with_mac(mac):
            return
        async_keep_mac(self.hass, self.config_entry, mac)
        self.async_listen_for_polls()

    @property
    def device(self) -> dr.DeviceEntry | None:
        """The module's device, once it has one."""
        return device_of(self.hass, self.config_entry)

    @callback
    def async_set_installed(
        self, version: str | None, firmware: str | None, *, assumed: bool
    ) -> None:
        """Take over which version runs, or None, and keep it for the time the module is silent."""
        firmware = self.config_entry.options.get(CONF_FIRMWARE) or firmware or self.data.firmware
        if (state := self.data.running(version, firmware, assumed=assumed)) == self.data:
            return
        self._set(state)
        remember = self.house.journal.async_remember(
            self.config_entry.entry_id,
            {"version": version, "firmware": firmware, "assumed": assumed},
        )
        self.config_entry.async_create_task(self.hass, remember)
        if device := self.device:
            dr.async_get(self.hass).async_update_device(device.id, sw_version=version)

    def facts(self) -> ModuleFacts:
        """Return what is known of the module now; what it announces wins over what was stored."""
        entry = self.config_entry
        said = self._announced, self.polled, self._running
        facts = merged_facts(entry, self.data, *said, port=self.port)
        return self.knowledge.complete(facts, entry.options.get(CONF_SLOT_SIZE))

    @property
    def slot(self) -> SlotKnowledge | None:
        """Who is believed about how large a sketch the module takes."""
        return self.knowledge.slot(self.config_entry.options.get(CONF_SLOT_SIZE))

    @property
    def is_busy(self) -> bool:
        """Whether an install of it runs, or waits."""
        return self.data.progress is not None

    @property
    def polled(self) -> PullRequest | None:
        """What it said of itself when it asked for an update last, since the start."""
        return self.asking.last

    @property
    def _running(self) -> Image | None:
        """The image that runs, where its sum proves which one of the library it is."""
        running = self.house.library.running(self.polled.sketch_md5 if self.polled else None)
        return running.image if running else None

    @property
    def accepted(self) -> frozenset[Check]:
        """The checks whose "cannot tell" the person accepted for this module."""
        return frozenset(Check(slug) for slug in self.config_entry.options.get(CONF_ACCEPTED, []))

    @property
    def releases(self) -> list[Release]:
        """The releases of this module's firmware, newest first."""
        return releases_for(self.house, self.config_entry.entry_id, self.data.firmware)

    def is_assigned(self, release: Release | None) -> bool:
        """Whether a release is what a server wants this module to run."""
        return release is not None and release == assigned_to(
            self.house, self.config_entry.entry_id
        )

    def candidate(self, release: Release, *, chosen: bool) -> Candidate:
        """Return a release as something to install on this module."""
        signature = self.house.signatures.state(release)
        is_lost = release.image.sha256 in self.house.library.images.lost
        return candidate_of(release, self.data, signature, chosen=chosen, is_lost=is_lost)

    @property
    def offered(self) -> Release | None:
        """The newest release that pre-flight would let pass now, or the one of its server."""
        facts, entry_id = self.facts(), self.config_entry.entry_id
        for release in may_be_offered(self.house, entry_id, self.releases):
            candidate = self.candidate(release, chosen=self.is_assigned(release))
            if ask_gate(candidate, facts, self.accepted).refusal is None:
                return release
        return None

    @callback
    def _set(self, state: ModuleState) -> None:
        """Show a state; the base class would write a debug line for each percent."""
        self.data = state
        self.async_update_listeners()

    @callback
    def async_begin(self, kind: ImageKind) -> None:
        """Show that an install begins."""
        progress = InstallProgress(stage=InstallStage.CHECKING)
        self._set(replace(self.data, progress=progress, installing=kind))

    @callback
    def async_set_progress(self, progress: InstallProgress | None) -> None:
        """Show where the running install stands; None when there is none."""
        self._set(replace(self.data, progress=progress))

    @callback
    def async_set_outcome(self, outcome: Outcome) -> None:
        """Show how the last install ended."""
        ended = outcome.ended
        self.house.memory.async_note(self.config_entry.entry_id, {"ended": ended}, soon=True)
        self._set(replace(self.data, progress=None, outcome=outcome, ended=ended))
