"""What the whole house shares: library, folder, journal, announcements, limits."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import time
from typing import Any, Final

from homeassistant.components import zeroconf
from homeassistant.config_entries import SOURCE_SYSTEM, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from ..const import (
    CONF_CALLBACK_PORT,
    CONF_FIRMWARE,
    CONF_KEEP,
    CONF_KEYS,
    CONF_KIND,
    CONF_PARALLEL,
    CONF_PIN,
    CONF_PULL_SECRET,
    CONF_REMOTE_POLLS,
    CONF_STAGGER,
    CONF_STAGGER_LABELS,
    DEFAULT_KEEP,
    DEFAULT_PARALLEL,
    DOMAIN,
    KIND_HOUSE,
    STAGGER_AREA,
)
from ..library import (
    Library,
    Payloads,
    ReleaseName,
    Signatures,
    SourceRegistry,
    WatchedFolder,
    async_learn_slot,
)
from ..ota import (
    GuestLimits,
    InstallResult,
    InstallStage,
    Limits,
    PullLimits,
    PushLimits,
    UploadLimits,
    WatchLimits,
)
from ..owners import GuestOwner
from .announcements import Announcements
from .assignments import Assignments
from .cards import Cards
from .history import History
from .holds import Holds
from .journal import Journal
from .memory import Memory
from .outliving import Outliving
from .pace import Pace, Questions
from .pollers import Pollers, new_secret
from .queue import Queue
from .roll_call import async_start_roll_call
from .roster import Roster

HOUSE: Final[HassKey[House]] = HassKey(DOMAIN)
_EVERY: Final = timedelta(hours=1)
"""Between two looks at the folder of the images."""
_HAVE_TURN: Final = {InstallStage.RESTARTING, InstallStage.VERIFYING}
"""In them an install goes on in the next life, with its equipment shut off."""
_GUESTS_HAVE_TURN: Final = {InstallStage.SENDING, InstallStage.VERIFYING}
"""The same of a guest: from when on its integration may have been told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long installs wait for modules; tests put a shorter one into the house."""

    install: Limits = field(default_factory=Limits)
    push: PushLimits = field(default_factory=PushLimits)
    upload: UploadLimits = field(default_factory=UploadLimits)
    pull: PullLimits = field(default_factory=PullLimits)
    watch: WatchLimits = field(default_factory=WatchLimits)
    guest: GuestLimits = field(default_factory=GuestLimits)
    breath: float = 1.4
    """Seconds in which a question by mDNS is answered, and an answer is fresh: a responder may hold
    one back for a second (RFC 6762, 6), and no module restarts faster."""
    doubt: float = 8.0
    """Seconds until a module must have said that it is not the other one at its address: what lost
    its power has to join the Wi-Fi first."""
    pauses: tuple[float, ...] = (15.0, 60.0, 240.0)
    """Seconds until a module that did not answer at its turn is asked again: a restart, a router
    that restarts, a radio channel that is full."""
    look_again: float = 5.0
    """Seconds until what forbids an install is asked for again, and its window and deadline."""
    minute: float = 60.0
    """Seconds of a minute of watching a new firmware."""


class House:
    """Made once when the integration is set up, whichever entry comes first."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read or watched before `async_setup`."""
        self._hass = hass
        self.roster = Roster(hass)
        self.library = Library(
            hass, keep=self._keep_last, in_use=self.in_use, waited_for=self.waited_for
        )
        self.library.on_merged = self._async_merged
        self.cards = Cards(hass, self.library)
        self.holds = Holds(hass, self.cards)
        self.payloads = Payloads(hass, self.library)
        self.signatures = Signatures(hass, self.library, self.key_of)
        self.folder = WatchedFolder(hass, self.library)
        self.sources = SourceRegistry(hass, self.library, self._keep_last)
        self.journal = Journal(hass)
        self.memory = Memory(hass)
        self.since = time.monotonic()
        """Since when modules can be heard."""
        self.outliving = Outliving(hass)
        self.pollers = Pollers(hass, self.roster, self.outliving.secret_of)
        self.history = History(hass)
        self.assignments = Assignments()
        self.patience = Patience()
        self.put_aside: dict[str, tuple[float, bool]] = {}
        """When an install was put aside for a reload (`time.monotonic()`), and whether its module
        had gone by then; by entry id."""
        self._announcements: Announcements | None = None
        self.queue = Queue(hass)
        self.pace = Pace()
        self.questions = Questions()
        self._held: Counter[str] = Counter()
        self.running: dict[str, asyncio.Task[InstallResult]] = {}
        """The last install or try of each module (entry id), which may outlive its entry."""
        self._entry: ConfigEntry | None = None
        """Asked for with each release and module, so it is looked for once."""
        self._stops: list[CALLBACK_TYPE] = []
        self._serving = asyncio.Lock()

    async def async_setup(self) -> None:
        """Read the stores, and begin to serve."""
        await self.journal.async_load()  # which says what of the library is in use
        self.queue.async_keep_behind(self.journal.last_in_queue)
        self._keep_turns()
        await self.memory.async_load()
        await self.outliving.async_load()  # and which keys count without the house's entry
        await self.library.async_load()
        await self.sources.async_load()
        await self.history.async_load()
        self._announcements = Announcements(await zeroconf.async_get_instance(self._hass))
        self.library.async_add_listener(self.signatures.async_changed)
        self.signatures.async_changed()
        await self.async_serve()

    def _keep_turns(self) -> None:
        """Let those whose module has its image go on first: their equipment is still shut off."""
        for entry in self.modules:
            note = self.journal.open_install(entry.entry_id)
            if note and note["stage"] in _HAVE_TURN and entry.disabled_by is None:
                self.queue.async_keep_for(entry)
        for key, note in self.journal.open_guests().items():
            if note["stage"] in _GUESTS_HAVE_TURN:
                self.queue.async_keep_for(GuestOwner.noted(key, note))

    async def async_serve(self) -> None:
        """Scan the folder and listen to the network, if that is not done yet."""
        async with self._serving:
            if not self._stops:
                self._stops = [
                    self.roster.async_start(),
                    self.queue.async_start(),
                    self.holds.async_start(),
                    self.announcements.async_start(),
                    async_start_roll_call(self._hass, self.announcements),
                    self._start_to_look(),
                    self.memory.async_start(),
                    await self.folder.async_start(),
                ]

    def _start_to_look(self) -> CALLBACK_TYPE:
        """Look now and then whether the images of the library are there."""

        async def look(_now: datetime) -> None:
            await self.library.async_look_for_images()

        return async_track_time_interval(
            self._hass, look, _EVERY, name="ESP OTA images", cancel_on_shutdown=True
        )

    async def async_rest(self) -> None:
        """Do neither any more, where no entry is left that is not disabled."""
        entries = self._hass.config_entries
        async with self._serving:
            if not entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False):
                for stop in self._stops:
                    stop()
                self._stops = []

    @property
    def announcements(self) -> Announcements:
        """What modules say about themselves."""
        assert self._announcements is not None
        return self._announcements

    @property
    def entry(self) -> ConfigEntry | None:
        """The house's own config entry, once it was made."""
        entries, known = self._hass.config_entries, self._entry
        if known is None or entries.async_get_entry(known.entry_id) is not known:
            kinds = ((entry, entry.data.get(CONF_KIND)) for entry in entries.async_entries(DOMAIN))
            self._entry = next((entry for entry, kind in kinds if kind == KIND_HOUSE), None)
        return self._entry

    @property
    def options(self) -> Mapping[str, Any]:
        """The house's options, without its entry those that outlive it; empty means defaults."""
        entry = self.entry
        return entry.options if entry else self.outliving.options

    @property
    def modules(self) -> list[ConfigEntry]:
        """The entries of all modules, loaded or not."""
        return self.roster.modules

    async def _async_merged(self, data: bytes, name: ReleaseName) -> None:
        await async_learn_slot(self._hass, self.modules, data, name)

    def key_of(self, firmware: str) -> str | None:
        """Return the public key that releases of a firmware must be signed for, if there is one."""
        keys: Mapping[str, str] = self.options.get(CONF_KEYS, {})
        return keys.get(firmware)

    def _keep_last(self) -> int:
        return int(self.options.get(CONF_KEEP, DEFAULT_KEEP))

    @contextmanager
    def holding(self, sha256: str) -> Iterator[None]:
        """Keep a release from being removed while something waits for it."""
        self._held[sha256] += 1
        try:
            yield
        finally:
            self._held[sha256] -= 1

    def waited_for(self) -> set[str]:
        """Return the contents that an install needs until it has ended (sha256)."""
        notes = (self.journal.open_install(entry.entry_id) for entry in self.modules)
        open_installs = [note for note in notes if note]
        wanted = {note["sha256"] for note in open_installs}
        back = {note["back_to"] for note in open_installs if "back_to" in note}
        return set(+self._held) | wanted | back | self.assignments.held()

    def in_use(self) -> set[str]:
        """Return the contents that modules run, go back to, are pinned to, or wait for (sha256)."""
        used = self.waited_for()
        named, pins = set[tuple[str, str]](), set[tuple[str, str]]()
        # Hundreds of modules name the same few.
        for entry in self.modules:
            used.update(self.journal.good(entry.entry_id))
            note = self.journal.open_install(entry.entry_id)
            versions = {note["before"]} if note else set()
            known = self.journal.known(entry.entry_id)
            firmware: str | None = entry.options.get(CONF_FIRMWARE)
            if known:
                versions |= {known["version"], known.get("previous")}
                firmware = firmware or known["firmware"]
            pin: str | None = entry.options.get(CONF_PIN)
            if pin is not None and firmware is not None:
                pins.add((firmware, pin))
            if firmware is not None:
                named.update((firmware, version) for version in filter(None, versions))
        assigned = (self.library.get(sha256) for sha256 in self.assignments.held())
        named.update((item.firmware, item.version) for item in assigned if item)  # files as well
        for firmware, version in named:
            used |= {item.image.sha256 for item in self.library.find(firmware, version)}
        for firmware, pin in pins:
            used |= {item.image.sha256 for item in self.library.newest_of(firmware, pin)}
        return used

    def is_of_another_time(self, entry_id: str) -> bool:
        """Whether what is open of a module was noted long before this start of Home Assistant."""
        return self.memory.was_away and self.journal.was_left(entry_id)

    @property
    def callback_port(self) -> int:
        """The fixed call-back port, 0 for any."""
        return int(self.options.get(CONF_CALLBACK_PORT, 0))

    @property
    def allows_remote_polls(self) -> bool:
        """Whether modules outside the local network may ask for updates."""
        return bool(self.options.get(CONF_REMOTE_POLLS, False))

    @callback
    def async_open(self, entry: ConfigEntry) -> None:
        """Begin to serve with what the house's entry says."""
        if CONF_PULL_SECRET not in entry.data:  # made before modules could ask
            data = {**entry.data, CONF_PULL_SECRET: self.outliving.secret or new_secret()}
            self._hass.config_entries.async_update_entry(entry, data=data)
        self.pollers.secret = entry.data[CONF_PULL_SECRET]
        keep = self.outliving.async_keep_house(entry.data, entry.options)
        self._hass.async_create_task(keep, "ESP OTA keep house")
        self.async_apply_options()
        self.sources.async_open(entry)

    @callback
    def async_close(self) -> None:
        """Know no secret any more: nobody may ask; and ask no source."""
        self.pollers.secret = ""
        self.sources.async_close()

    @callback
    def async_apply_options(self) -> None:
        """Take over changed limits; what runs counts, and who waits already keeps the place."""
        # One fixed call-back port serves one module at a time.
        parallel = 1 if self.callback_port else self.options.get(CONF_PARALLEL, DEFAULT_PARALLEL)
        self.queue.async_set(
            limit=int(parallel),
            stagger=self.options.get(CONF_STAGGER, STAGGER_AREA),
            labels=frozenset(self.options.get(CONF_STAGGER_LABELS, ())),
        )
        self._hass.async_create_task(self.library.async_apply_keep_rule(), "ESP OTA keep rule")
        self.signatures.async_changed()


async def async_make_house_entry(hass: HomeAssistant) -> None:
    """Make the house's entry with the first module, never a second."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.data.get(CONF_KIND) == KIND_HOUSE:
            return
    await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_SYSTEM})
