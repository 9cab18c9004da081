"""One module at its server: polled for, its deployments followed, its endings told once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import time
from typing import Final

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import BEGINS_BY_ITSELF, LOGGER
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
    Poll,
    SourceError,
    Way,
    ask_gate,
    digest_of,
    same_version,
)
from .fetching import async_release_of
from .note import TargetNote
from .progress import Progress
from .words import attributes_of

SOON: Final = 5.0
"""Seconds until a server that was told something is asked what follows from it."""
_AGAIN: Final = 1800.0
"""Seconds until an update is begun again that could not begin, where nobody presses."""
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
_MOST_WRONG: Final = 3
"""Times that a file may have another sum than was said, before the server is told so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """What a target needs of its server's side here."""

    save: Callable[[], Awaitable[bool]]
    begins: Callable[[], str]
    """Who begins an update."""


class Target:
    """Owned by its server, as long as the module is loaded."""

    def __init__(
        self,
        hass: HomeAssistant,
        runtime: ModuleRuntime,
        note: TargetNote,
        at_server: DdiTarget,
        ports: Ports,
    ) -> None:
        """Take what is known; nothing is asked before `async_visit`."""
        self._hass = hass
        self.runtime = runtime
        self._coordinator = runtime.coordinator
        self._entry = runtime.coordinator.config_entry
        self._house = runtime.coordinator.house
        self._note = note
        self._server = at_server
        self._ports = ports
        self._wrong: dict[str, int] = {}
        """How often a deployment had files with another sum."""
        self._doubted = ""
        """Mark of what the gate could not tell about, and the server was told so."""
        self._not_before = 0.0
        self.due = 0.0
        """When it is visited next (`time.monotonic()`)."""
        self.is_busy = False
        self.is_denied = False
        """Whether the server did not want to know it, when it was asked last."""
        self.progress = Progress(hass, self._coordinator, note, at_server)
        self._show()

    def _show(self) -> None:
        assigned = self._note.get("assigned")
        on_hold = assigned is None or assigned["is_on_hold"]
        sha256 = None if assigned is None or on_hold else assigned["sha256"]
        before = self._house.assignments.of(self._entry.entry_id)
        self._house.assignments.assign(self._entry.entry_id, sha256)
        if before != self._house.assignments.of(self._entry.entry_id):
            self._coordinator.async_update_listeners()

    # What a visit is

    async def async_visit(self) -> float:
        """Ask the server, and do what follows; return the seconds until the next visit.

        Raises SourceError where the server cannot be asked.
        """
        poll = await self._server.poll()
        if "closing" in self._note:
            await self._close(poll)
            return SOON
        if poll.cancel is not None:
            await self._cancel(poll.cancel)
            return SOON
        if await self._say_attributes(wanted=poll.wants_attributes):
            return min(SOON, poll.seconds)
        if poll.deployment is None:
            await self._withdraw()
        else:
            await self._follow(poll.deployment)
        self._begin_by_itself()
        return SOON if "closing" in self._note else poll.seconds

    async def _say_attributes(self, *, wanted: bool) -> bool:
        """Tell what the module is, where that is asked for or has changed."""
        content = attributes_of(self._coordinator, self._note.get("spelt"))
        digest = digest_of(content)
        if digest == self._note.get("attributes") and not wanted:
            return False
        await self._server.say_attributes(content)
        self._note["attributes"] = digest
        await self._ports.save()
        return True

    async def _close(self, poll: Poll) -> None:
        """Tell how an update ended. Where it may have been told, the offer decides."""
        closing = self._note["closing"]
        action = closing["action"]
        is_offered = poll.deployment is not None and poll.deployment.id == action
        if not closing["is_sent"] or is_offered:
            closing["is_sent"] = True
            if not await self._ports.save():
                closing["is_sent"] = False
                return  # a repair tells; after a crash nobody would know that it was told
            finished = Finished(closing["finished"])
            details = closing["details"]
            async with self.progress.lock:
                await self._server.say(action, DdiExecution.CLOSED, finished, details)
        said, version = closing.get("said"), closing.get("version")
        if said is not None and version is not None:
            self._note["spelt"] = {"version": version, "said": said}
        del self._note["closing"]
        await self._ports.save()

    async def _cancel(self, cancel: Action) -> None:
        """Do not install what is not wanted any more; what has begun is carried to its end."""
        stop = await self._server.to_cancel(cancel)
        assigned = self._note.get("assigned")
        is_ours = assigned is not None and assigned["action"] == stop
        if is_ours and self._is_installing and not self.runtime.installer.is_waiting:
            said = await async_sentence(self._hass, "server_too_late", {}, module=self._entry.title)
            await self._server.say_cancelled(cancel.id, Finished.FAILURE, [said])
            return
        if is_ours:
            await self._withdraw()
        await self._server.say_cancelled(cancel.id, Finished.SUCCESS, [])

    async def _withdraw(self) -> None:
        """Take that there is nothing to do any more; what has begun is carried to its end."""
        self._note.pop("refused", None)
        self._not_before = 0.0
        if "assigned" not in self._note:
            self._show()
            return
        if self._is_installing:
            if not self.runtime.installer.is_waiting:
                return
            try:
                await self.runtime.installer.async_cancel(None)
            except HomeAssistantError as err:
                LOGGER.info("%s: was not taken out of the queue: %s", self._entry.title, err)
        self._note.pop("assigned", None)
        self._show()
        await self._ports.save()

    # A deployment

    async def _follow(self, action: Action) -> None:
        """Have what the server wants here, and on offer."""
        assigned = self._note.get("assigned")
        known = Action(id=assigned["action"], query=assigned["query"]) if assigned else None
        if assigned is not None and known == action and self._has(assigned["sha256"]):
            self._show()
            return
        try:
            deployment = await self._server.deployment(action)
        except SourceError as err:
            if err.cause is not Cause.DEPLOYMENT_UNUSABLE:
                raise
            if self._note.get("refused") != (mark := f"{action.id} {action.query}"):
                await self._refuse(action.id, mark, err)
            return
        if deployment is None:
            await self._withdraw()
            return
        if assigned is not None and assigned["mark"] != deployment.mark:
            await self._withdraw()
            if "assigned" in self._note:
                return  # what it replaces is being installed
        was_refused = self._note.get("refused") == f"{action.id} {deployment.mark}"
        if not was_refused and deployment.download is not Way.SKIP:
            await self._take(action, deployment)

    async def _take(self, action: Action, deployment: Deployment) -> None:
        account, reach = self._server.account, self._server.reach
        assigned = self._note.get("assigned")
        try:
            known = self._house.library.get(assigned["sha256"]) if assigned else None
            release = known or await async_release_of(
                self._hass, self._coordinator, deployment, account=account, reach=reach
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
        await self._ports.save()
        LOGGER.info("%s: its server wants %s", self._entry.title, release.version)
        if not self._is_installing:
            await self._look(release, deployment.mark)
        self._show()

    def _is_wrong_for_good(self, mark: str, err: OtaError) -> bool:
        """Whether it is worth telling: what a server changes meanwhile has another sum once."""
        if err.cause is not Cause.CHECKSUM_MISMATCH:
            return True
        self._wrong[mark] = self._wrong.get(mark, 0) + 1
        return self._wrong.pop(mark) >= _MOST_WRONG if self._wrong[mark] >= _MOST_WRONG else False

    async def _look(self, release: Release, mark: str) -> None:
        """Ask the gate at once: what it refuses the server is told, and nobody is offered."""
        coordinator = self._coordinator
        installed, assumed = coordinator.data.installed, coordinator.data.assumed
        assigned = self._note["assigned"]
        if installed and not assumed and same_version(installed, release.version):
            said = await async_sentence(
                self._hass, "server_runs_it", {"version": installed}, module=self._entry.title
            )
            self._close_with(assigned["action"], mark, Finished.SUCCESS, [said])
            await self._ports.save()
            return
        candidate = coordinator.candidate(release, chosen=True)
        refusal = ask_gate(candidate, coordinator.facts(), coordinator.accepted).refusal
        if refusal is None or refusal.cause is None:
            return
        err = InstallRefused(refusal.cause, **refusal.facts)
        if refusal.is_certain:
            await self._refuse(assigned["action"], f"{assigned['action']} {mark}", err)
        elif self._doubted != mark:
            self._doubted = mark
            said = await self._sentence(err)
            none = Finished.NONE
            await self._server.say(assigned["action"], DdiExecution.REJECTED, none, [said])

    async def _refuse(self, action: str, mark: str, err: OtaError) -> None:
        """Have the server told why it cannot be: it is not fetched again as long as it stays."""
        LOGGER.warning("%s: what its server wants is no use: %s", self._entry.title, err)
        self._note["refused"] = mark
        said = f"{err.cause}: {await self._sentence(err)}"
        self._close_with(action, mark, Finished.FAILURE, [said])
        await self._ports.save()

    def _close_with(self, action: str, mark: str, finished: Finished, details: list[str]) -> None:
        assigned = self._note.pop("assigned", None)
        close(self._note, action, mark, finished, details)
        if finished is Finished.SUCCESS and assigned is not None:
            self._note["closing"]["version"] = assigned["version"]
            self._note["closing"]["said"] = assigned["said"]
        self._show()

    async def _sentence(self, err: OtaError) -> str:
        return await async_sentence(self._hass, err.cause, err.facts, module=self._entry.title)

    # Its install

    @property
    def _is_installing(self) -> bool:
        """Whether what the server wants is being installed, or waits for it."""
        assigned = self._note.get("assigned")
        note = self._house.journal.open_install(self._entry.entry_id)
        return bool(assigned and note and note["sha256"] == assigned["sha256"])

    def _has(self, sha256: str) -> bool:
        return self._house.library.get(sha256) is not None

    def _begin_by_itself(self) -> None:
        """Put it into the queue, where nobody has to press: it waits for its window there."""
        release = self._coordinator.offered
        if self._ports.begins() != BEGINS_BY_ITSELF or not self._coordinator.is_assigned(release):
            return
        if self.runtime.installer.is_running or time.monotonic() < self._not_before:
            return
        assert release is not None
        self._not_before = time.monotonic() + _AGAIN
        self.runtime.installer.async_begin(release, Context(), chosen=True)

    async def async_confirm(self) -> None:
        """Ask once more in the moment before it is installed; raises InstallRefused."""
        assigned = self._note.get("assigned")
        assert assigned is not None
        deployment = None
        try:
            action = (await self._server.poll()).deployment
            if action is not None and action.id == assigned["action"]:
                deployment = await self._server.deployment(action)
        except OtaError as err:
            detail = await self._sentence(err)
            raise InstallRefused(Cause.DEPLOYMENT_NOT_CONFIRMED, detail=detail) from err
        if deployment is None or deployment.mark != assigned["mark"]:
            self.due = 0.0
            raise InstallRefused(Cause.DEPLOYMENT_CHANGED, version=assigned["version"])
        if deployment.update is Way.SKIP:
            assigned["is_on_hold"] = True
            self._show()
            raise InstallRefused(Cause.DEPLOYMENT_HELD, version=assigned["version"])


def close(note: TargetNote, action: str, mark: str, finished: Finished, details: list[str]) -> None:
    """Note that the server is to be told how it ended."""
    note["closing"] = {
        "action": action,
        "mark": mark,
        "finished": str(finished),
        "details": details,
        "is_sent": False,
    }
