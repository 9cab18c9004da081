"""One module at its server: polled for, its deployments followed, its endings told once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import time
from typing import Final

from homeassistant.core import Context, HomeAssistant

from ..const import BEGINS_BY_ITSELF, LOGGER
from ..helpers import async_sentence
from ..installs import ModuleRuntime
from ..ota import (
    Action,
    Cause,
    DdiExecution,
    DdiTarget,
    Finished,
    ImageKind,
    InstallRefused,
    OtaError,
    Poll,
    SourceError,
    Way,
    digest_of,
)
from .fetching import Shelf
from .note import TargetNote
from .progress import Progress
from .wish import Wish
from .words import attributes_of

SOON: Final = 5.0
"""Seconds until a server that was told something is asked what follows from it."""
_AGAIN: Final = 1800.0
"""Seconds until an update is begun again that could not begin, where nobody presses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """What a target needs of its server's side here."""

    save: Callable[[], Awaitable[bool]]
    begins: Callable[[], str]
    """Who begins an update."""
    shelf: Shelf


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
        self._not_before = 0.0
        self.due = 0.0
        """When it is visited next (`time.monotonic()`)."""
        self.is_busy = False
        self.failures = 0
        """Visits in a row that failed."""
        self.is_answered = False
        """Whether the server answered the poll of the last visit."""
        self.progress = Progress(hass, self._coordinator, note, at_server)
        self.wish = Wish(hass, runtime, note, at_server, ports.save, ports.shelf)

    # What a visit is

    async def async_visit(self) -> float:
        """Ask the server, and do what follows; return the seconds until the next visit.

        Raises SourceError where the server cannot be asked.
        """
        self.is_answered = False
        poll = await self._server.poll()
        self.is_answered = True
        if "closing" in self._note:
            await self._close(poll)
            return SOON
        if poll.cancel is not None:
            await self._cancel(poll.cancel)
            return SOON
        # A server that hears of the new version before the ending thinks that it never ended.
        if not self.wish.is_installing and await self._say_attributes(wanted=poll.wants_attributes):
            return min(SOON, poll.seconds)
        if poll.deployment is None:
            await self.wish.withdraw()
            self._not_before = 0.0
        else:
            await self.wish.follow(poll.deployment)
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
        if poll.deployment is not None and is_offered and await self._is_other(poll.deployment):
            del self._note["closing"]
            await self._ports.save()
            return
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

    async def _is_other(self, action: Action) -> bool:
        """Whether what ended was something else: a server that was made anew gives ids again."""
        try:
            deployment = await self._server.deployment(action)
        except SourceError as err:
            if err.cause is not Cause.DEPLOYMENT_UNUSABLE:
                raise
            return False
        ended = self._note["closing"]["mark"].removeprefix(f"{action.id} ")
        return deployment is not None and deployment.mark != ended

    async def _cancel(self, cancel: Action) -> None:
        """Do not install what is not wanted any more; what has begun is carried to its end."""
        stop = await self._server.to_cancel(cancel)
        assigned = self._note.get("assigned")
        is_ours = assigned is not None and assigned["action"] == stop
        if is_ours and self.wish.is_installing and not self.runtime.installer.is_waiting:
            said = await async_sentence(self._hass, "server_too_late", {}, module=self._entry.title)
            await self._server.say_cancelled(cancel.id, Finished.FAILURE, [said])
            return
        if is_ours:
            await self.wish.withdraw()
        await self._server.say_cancelled(cancel.id, Finished.SUCCESS, [])

    # Its install

    def _begin_by_itself(self) -> None:
        """Put it into the queue, where nobody has to press: it waits for its window there."""
        release = self._coordinator.offered
        if self._ports.begins() != BEGINS_BY_ITSELF or not self._coordinator.is_assigned(release):
            return
        if self.runtime.installer.is_running or time.monotonic() < self._not_before:
            return
        assert release is not None
        skipped = self._house.journal.skipped(self._entry.entry_id, ImageKind.SKETCH)
        if not self._hass.is_running or release.version in (skipped or ()):
            return
        self._not_before = time.monotonic() + _AGAIN
        self.runtime.installer.async_begin(release, Context(), chosen=True)

    async def async_remark(self, details: list[str]) -> None:
        """Tell what came in between, and changes nothing; it may be lost."""
        if (assigned := self._note.get("assigned")) is None:
            return
        async with self.progress.lock:
            try:
                await self._server.say(
                    assigned["action"], DdiExecution.REJECTED, Finished.NONE, details
                )
            except SourceError as err:
                LOGGER.debug("The server was not told why it waits on: %s", err)

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
            detail = await self.wish.sentence(err)
            raise InstallRefused(Cause.DEPLOYMENT_NOT_CONFIRMED, detail=detail) from err
        if deployment is None or deployment.mark != assigned["mark"]:
            self.wish.doubt()
            self.due = 0.0
            raise InstallRefused(Cause.DEPLOYMENT_CHANGED, version=assigned["version"])
        if deployment.update is Way.SKIP:
            assigned["is_on_hold"] = True
            self.wish.show()
            raise InstallRefused(Cause.DEPLOYMENT_HELD, version=assigned["version"])
