"""All servers that decide about modules of this house, and what is kept of it on disk."""

import asyncio
from collections.abc import Iterator
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_SOURCE_FIRMWARE, DOMAIN, KIND_SERVER
from ..house import HOUSE, InstallNote
from ..installs import ModuleRuntime
from ..ota import Cause, Detail, Finished, InstallRefused, InstallResult, same_name
from ..stored import KeptStore
from .note import Notes, TargetNote, readable
from .server import Server
from .target import Target
from .wish import close
from .words import details_of, finished_of

SERVERS: Final[HassKey[Servers]] = HassKey(f"{DOMAIN}_servers")
_LOOKS: Final = 6
"""For who asks a server about a module, before its install is not begun without it."""


class Servers:
    """Made once when the integration is set up."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_setup`."""
        self._hass = hass
        self._house = hass.data[HOUSE]
        self._store = KeptStore(hass, "servers", lambda: {"servers": self._notes})
        self._notes: Notes = {}
        self._servers: dict[str, Server] = {}
        self._entry: ConfigEntry | None = None
        self._stop: CALLBACK_TYPE | None = None

    async def async_setup(self) -> None:
        """Read what is known; nobody is asked before `async_open`."""
        stored = (await self._store.async_load() or {}).get("servers", {})
        self._notes, is_whole = readable(stored)
        if not is_whole:
            await self._store.async_set_aside()
        assignments = self._house.assignments
        for modules in self._notes.values():
            for entry_id, note in modules.items():
                assigned = note.get("assigned")
                on_offer = assigned if assigned and not assigned["is_on_hold"] else None
                assignments.assign(entry_id, on_offer["sha256"] if on_offer else None)
        assignments.confirm = self._async_confirm
        assignments.on_end = self._async_ended

    @property
    def all(self) -> list[Server]:
        """All servers, in the order in which they were added."""
        return list(self._servers.values())

    @callback
    def async_open(self, entry: ConfigEntry) -> None:
        """Ask the servers of the house's entry, from now on."""
        self._entry = entry
        self._stop = async_dispatcher_connect(
            self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
        )
        self._async_follow(entry)

    @callback
    def async_close(self) -> None:
        """Ask none any more; what they have assigned stays."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        for server in self._servers.values():
            server.async_stop()
        self._servers = {}

    @callback
    def _async_entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry is self._entry and change is ConfigEntryChange.UPDATED:
            self._async_follow(entry)

    @callback
    def _async_follow(self, entry: ConfigEntry) -> None:
        """Make the servers what the subentries say."""
        wanted = {
            key: subentry
            for key, subentry in entry.subentries.items()
            if subentry.subentry_type == KIND_SERVER
        }
        for key, server in list(self._servers.items()):
            subentry = wanted.get(key)
            if subentry is None or subentry.data != server.settings:
                server.async_stop()
                del self._servers[key]
            else:
                server.title = subentry.title
        gone = self._notes.keys() - wanted.keys()
        for key in gone:
            for entry_id in self._notes.pop(key):
                self._house.assignments.dismiss(entry_id)
        if gone:
            self._house.library.async_changed()  # which has all cards look again
        for key, subentry in wanted.items():
            if key not in self._servers:
                self._servers[key] = Server(
                    self._hass,
                    entry,
                    subentry,
                    self._notes.setdefault(key, {}),
                    runtimes=self._runtimes_of,
                    save=self._store.async_save,
                )
                self._servers[key].async_start()
        self._hass.async_create_task(self._store.async_save(), "ESP OTA servers")

    def _runtimes_of(self, subentry_id: str) -> Iterator[ModuleRuntime]:
        """Yield the modules that are a server's: the first one that takes a module has it."""
        for entry in self._house.modules:
            runtime = getattr(entry, "runtime_data", None)
            if entry.state is not ConfigEntryState.LOADED or not isinstance(runtime, ModuleRuntime):
                continue
            firmware = runtime.coordinator.data.firmware
            takers = (key for key, item in self._servers.items() if _takes(item, firmware))
            if next(takers, None) == subentry_id:
                yield runtime

    # What installs ask

    async def _async_confirm(self, entry_id: str, sha256: str) -> None:
        for key, note in self._of(entry_id):
            assigned = note.get("assigned")
            if assigned is None or assigned["sha256"] != sha256:
                continue
            target = await self._async_target(key, entry_id)
            if target is None:
                raise InstallRefused(Cause.DEPLOYMENT_NOT_CONFIRMED, detail=Detail.NO_ANSWER)
            await target.async_confirm()

    async def _async_target(self, key: str, entry_id: str) -> Target | None:
        """Return who asks about a module: after a start, that is some seconds after its install."""
        for _ in range(_LOOKS):
            server = self._servers.get(key)
            if server is not None and (target := server.targets.get(entry_id)) is not None:
                return target
            await asyncio.sleep(self._house.patience.look_again)
        return None

    async def _async_ended(
        self, entry_id: str, install: InstallNote, result: InstallResult, sentence: str
    ) -> None:
        """Have the server told how an update ended that it wanted; on disk when this returns."""
        for key, note in self._of(entry_id):
            assigned = note.get("assigned")
            if assigned is None or assigned["sha256"] != install["sha256"]:
                continue
            if "replaces" in install:
                continue
            server, finished = self._servers.get(key), finished_of(result)
            details = details_of(result, sentence)
            if finished is None:
                if server is not None and result.cause is not Cause.DEPLOYMENT_CHANGED:
                    server.async_ended(entry_id, details)
                continue
            close(note, assigned["action"], assigned["mark"], finished, details)
            if finished is not Finished.FAILURE:
                note["closing"]["version"] = result.version or assigned["version"]
                note["closing"]["said"] = assigned["said"]
            del note["assigned"]
            self._house.assignments.assign(entry_id, None)
            await self._store.async_save()
            if server is not None:
                server.async_ended(entry_id, [])

    def _of(self, entry_id: str) -> Iterator[tuple[str, TargetNote]]:
        for key, modules in self._notes.items():
            if entry_id in modules:
                yield key, modules[entry_id]


def _takes(server: Server, firmware: str | None) -> bool:
    wanted = server.settings.get(CONF_SOURCE_FIRMWARE)
    return not wanted or (firmware is not None and same_name(firmware, wanted))
