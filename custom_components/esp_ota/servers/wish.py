"""What a server wants one module to run: fetched, asked the gate about, offered, or refused."""

from collections.abc import Awaitable, Callable
import math
import time
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import LOGGER
from ..helpers import async_sentence
from ..installs import ModuleRuntime
from ..library import Release
from ..ota import (
    Action,
    Cause,
    DdiExecution,
    DdiTarget,
    Deployment,
    Finished,
    InstallRefused,
    OtaError,
    SourceError,
    Way,
    ask_gate,
    same_version,
)
from .fetching import Shelf
from .note import TargetNote

_PASSING: Final = frozenset(
    {
        Cause.SOURCE_UNREACHABLE,
        Cause.SOURCE_ERROR,
        Cause.SOURCE_BUSY,
        Cause.SOURCE_DENIED,
        Cause.SOURCE_NOT_FOUND,
        Cause.SOURCE_REDIRECT,
        Cause.SOURCE_INSIDE,
        Cause.SOURCE_INVALID,
        Cause.DOWNLOAD_BROKEN,
        Cause.NOT_STORED,
    }
)
"""They say nothing about what is to be installed: it is fetched again later."""
_READ_AGAIN: Final = 3600.0
"""Seconds until a deployment that is known is read once more: a server that was made anew gives its
ids a second time, and what they stood for would be offered for ever."""
_MOST_WRONG: Final = 3
"""Times that a file may have another sum than was said, before the server is told so."""


class Wish:
    """Of one module."""

    def __init__(
        self,
        hass: HomeAssistant,
        runtime: ModuleRuntime,
        note: TargetNote,
        at_server: DdiTarget,
        save: Callable[[], Awaitable[bool]],
        shelf: Shelf,
    ) -> None:
        """Take what is known, and have the card show it."""
        self._hass = hass
        self._runtime = runtime
        self._coordinator = runtime.coordinator
        self._entry = runtime.coordinator.config_entry
        self._house = runtime.coordinator.house
        self._note = note
        self._server = at_server
        self._save = save
        self._shelf = shelf
        self._wrong: dict[str, int] = {}
        """How often a deployment had files with another sum."""
        self._doubted = ""
        """Mark of what the gate could not tell about, and the server was told so."""
        self._read_at = -math.inf
        """When the deployment was read last (`time.monotonic()`)."""
        self.show()

    def show(self) -> None:
        """Let the card show what is assigned."""
        assigned = self._note.get("assigned")
        on_hold = assigned is None or assigned["is_on_hold"]
        sha256 = None if assigned is None or on_hold else assigned["sha256"]
        before = self._house.assignments.of(self._entry.entry_id)
        self._house.assignments.assign(self._entry.entry_id, sha256)
        if before != self._house.assignments.of(self._entry.entry_id):
            self._coordinator.async_update_listeners()

    @property
    def is_installing(self) -> bool:
        """Whether what the server wants is being installed, or waits for it."""
        assigned = self._note.get("assigned")
        note = self._house.journal.open_install(self._entry.entry_id)
        return bool(assigned and note and note["sha256"] == assigned["sha256"])

    def _has(self, sha256: str) -> bool:
        return self._house.library.whole(sha256) is not None

    def doubt(self) -> None:
        """Read the deployment once more at the next visit, whatever its id is."""
        self._read_at = -math.inf

    async def withdraw(self) -> None:
        """Take that there is nothing to do any more; what has begun is carried to its end."""
        self._note.pop("refused", None)
        if "assigned" not in self._note:
            self.show()
            return
        if self.is_installing:
            if not self._runtime.installer.is_waiting:
                return
            try:
                await self._runtime.installer.async_cancel(None)
            except HomeAssistantError as err:
                LOGGER.info("%s: was not taken out of the queue: %s", self._entry.title, err)
        self._note.pop("assigned", None)
        self.show()
        await self._save()

    async def follow(self, action: Action) -> None:
        """Have what the server wants here, and on offer."""
        assigned = self._note.get("assigned")
        known = Action(id=assigned["action"], query=assigned["query"]) if assigned else None
        is_here = assigned is not None and self._has(assigned["sha256"])
        is_known = assigned and is_here and known == action and not assigned["is_on_hold"]
        if is_known and time.monotonic() - self._read_at < _READ_AGAIN:
            self.show()
            return
        try:
            deployment = await self._server.deployment(action)
        except SourceError as err:
            if err.cause is not Cause.DEPLOYMENT_UNUSABLE:
                raise
            if self._note.get("refused") != (mark := f"{action.id} {action.query}"):
                await self._refuse(action.id, mark, err)
            return
        self._read_at = time.monotonic()
        if deployment is None:
            await self.withdraw()
            return
        if assigned is not None and assigned["mark"] != deployment.mark:
            await self.withdraw()
            if "assigned" in self._note:
                return  # what it replaces is being installed
        if is_known and "assigned" in self._note:  # it is what it was
            self.show()
            return
        was_refused = self._note.get("refused") == f"{action.id} {deployment.mark}"
        if not was_refused and deployment.download is not Way.SKIP:
            await self._take(action, deployment)

    async def _take(self, action: Action, deployment: Deployment) -> None:
        account, reach = self._server.account, self._server.reach
        assigned = self._note.get("assigned")
        try:
            known = self._house.library.whole(assigned["sha256"]) if assigned else None
            release = known or await self._shelf.async_release_of(
                self._coordinator, deployment, account=account, reach=reach
            )
        except OtaError as err:
            if err.cause in _PASSING or not self._is_wrong_for_good(deployment.mark, err):
                raise
            await self._refuse(action.id, f"{action.id} {deployment.mark}", err)
            return
        self._note["assigned"] = {
            "action": action.id,
            "query": action.query,
            "mark": deployment.mark,
            "sha256": release.image.sha256,
            "version": release.version,
            "said": deployment.version,
            "is_on_hold": deployment.update is Way.SKIP,
        }
        await self._save()
        LOGGER.info("%s: its server wants %s", self._entry.title, release.version)
        if not self.is_installing:
            await self._look(release, deployment.mark)
        self.show()

    def _is_wrong_for_good(self, mark: str, err: OtaError) -> bool:
        """Whether it is worth telling: what a server changes meanwhile has another sum once."""
        if err.cause is not Cause.CHECKSUM_MISMATCH:
            return True
        self._wrong[mark] = self._wrong.get(mark, 0) + 1
        if self._wrong[mark] < _MOST_WRONG:
            return False
        del self._wrong[mark]
        return True

    async def _look(self, release: Release, mark: str) -> None:
        """Ask the gate at once: what it refuses the server is told, and nobody is offered."""
        coordinator = self._coordinator
        installed, assumed = coordinator.data.installed, coordinator.data.assumed
        candidate = coordinator.candidate(release, chosen=True)
        refusal = ask_gate(candidate, coordinator.facts(), coordinator.accepted).refusal
        is_there = refusal is not None and refusal.cause is Cause.SAME_IMAGE
        if installed and not assumed and same_version(installed, release.version):
            is_there = True
        assigned = self._note["assigned"]
        if is_there:
            facts = {"version": release.version}
            said = await async_sentence(
                self._hass, "server_runs_it", facts, module=self._entry.title
            )
            self._close_with(assigned["action"], mark, Finished.SUCCESS, [said])
            await self._save()
            return
        if refusal is None or refusal.cause is None:
            return
        err = InstallRefused(refusal.cause, **refusal.facts)
        if refusal.is_certain:
            await self._refuse(assigned["action"], f"{assigned['action']} {mark}", err)
        elif self._doubted != mark:
            self._doubted = mark
            said = await self.sentence(err)
            none = Finished.NONE
            await self._server.say(assigned["action"], DdiExecution.REJECTED, none, [said])

    async def _refuse(self, action: str, mark: str, err: OtaError) -> None:
        """Have the server told why it cannot be: it is not fetched again as long as it stays."""
        LOGGER.warning("%s: what its server wants is no use: %s", self._entry.title, err)
        self._note["refused"] = mark
        said = f"{err.cause}: {await self.sentence(err)}"
        self._close_with(action, mark, Finished.FAILURE, [said])
        await self._save()

    def _close_with(self, action: str, mark: str, finished: Finished, details: list[str]) -> None:
        assigned = self._note.pop("assigned", None)
        close(self._note, action, mark, finished, details)
        if finished is Finished.SUCCESS and assigned is not None:
            self._note["closing"]["version"] = assigned["version"]
            self._note["closing"]["said"] = assigned["said"]
        self.show()

    async def sentence(self, err: OtaError) -> str:
        """Return why something cannot be, as the person reads it."""
        return await async_sentence(self._hass, err.cause, err.facts, module=self._entry.title)


def close(note: TargetNote, action: str, mark: str, finished: Finished, details: list[str]) -> None:
    """Note that the server is to be told how it ended."""
    note["closing"] = {
        "action": action,
        "mark": mark,
        "finished": str(finished),
        "details": details,
        "is_sent": False,
    }
