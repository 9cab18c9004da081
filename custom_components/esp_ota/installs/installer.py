"""Runs one module's installs: one at a time, tied to its entry, and ends them on request."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback

from ..const import CONF_EQUIPMENT, CONF_SLEEPS, EQUIPMENT_NOTHING
from ..helpers import async_raise_for_result, error_for
from ..library import Release
from ..modules import ModuleCoordinator, releases_of_files, withheld
from ..ota import (
    Cause,
    ImageKind,
    InstallResult,
    InstallStage,
    Verdict,
    same_version,
)
from .asked import ASKED, Asked
from .chronicle import Chronicle
from .recovery import Recovery
from .rollback import last_good, running_release
from .run import InstallRun
from .who_may import async_raise_unless_may

_OVER: Final = {InstallStage.RESTORING, InstallStage.DONE}
"""In them there is nothing left to cancel."""
_NOTHING_LEFT: Final = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleRuntime:
    """What a module's entry holds while it is loaded."""

    coordinator: ModuleCoordinator
    installer: ModuleInstaller


type ModuleConfigEntry = ConfigEntry[ModuleRuntime]


def is_installing(entry: ConfigEntry) -> bool:
    """Whether an entry, of a module or not, loaded or not, has an install running."""
    runtime = getattr(entry, "runtime_data", None)
    return isinstance(runtime, ModuleRuntime) and runtime.installer.is_running


class ModuleInstaller:
    """Owned by a module's entry."""

    def __init__(self, hass: HomeAssistant, coordinator: ModuleCoordinator) -> None:
        """Take the module; nothing runs yet."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._house = coordinator.house
        self.chronicle = Chronicle(coordinator)
        self._task: asyncio.Task[InstallResult] | None = None
        self._install_run: InstallRun | None = None
        self._is_picked_up = False
        """Whether what another life left open was looked for, which needs a started one."""

    @property
    def is_running(self) -> bool:
        """Whether an install of this module runs, or a try of its safe state, or is yet to go on.

        Who begins before that would forget what was left open, and equipment that is still safe.
        """
        is_left = self._house.journal.open_install(self._entry.entry_id) is not None
        return self._is_at_work or (is_left and not self._is_picked_up)

    @property
    def _is_at_work(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def is_waiting(self) -> bool:
        """Whether an install of this module waits for its turn."""
        run = self._install_run
        return self.is_running and run is not None and run.is_waiting

    def raise_if_running(self) -> None:
        """Raise HomeAssistantError while an install of this module runs, or a try.

        And when Home Assistant stops: nothing that begins now could be ended, or written down.
        """
        if self.is_running:
            raise error_for(Cause.INSTALL_RUNNING, {}, module=self._entry.title)
        if self._hass.is_stopping:
            raise error_for(Cause.CANCELLED, {}, module=self._entry.title)

    async def async_install(
        self,
        version: str | None,
        context: Context | None,
        kind: ImageKind = ImageKind.SKETCH,
        *,
        now: bool = False,
        way: str | None = None,
    ) -> None:
        """Install a version, the offered one without; return only when it is proven to run.

        `now` does not wait for a window; one that waits for it already begins as well. `way` is
        the only transport that may be used.

        Raises HomeAssistantError with the cause for every other ending, and for who may not.
        """
        await async_raise_unless_may(self._hass, context)
        self._raise_unless_has(way)
        if now and way is None and self._install_run is not None and self._install_run.is_waiting:
            await self._async_now(self._install_run)
            return
        await self._house.pace.turn()  # one automation may press all at once
        self.raise_if_running()
        if (release := self._choose(version, kind)) is None:
            self._raise_for_withheld(version, kind)
            facts = {"version": version or "?", "firmware": self._coordinator.data.firmware or "?"}
            raise error_for(Cause.NO_RELEASE, facts, module=self._entry.title)
        chosen = self._coordinator.is_assigned(release) or (
            version is not None and self._is_chosen(release, context, kind)
        )
        install_run = self.async_begin(release, context, chosen=chosen, now=now, way=way)
        await self._async_wait(install_run)

    def _raise_unless_has(self, way: str | None) -> None:
        ways = self._coordinator.transports
        if way is not None and way not in ways:
            facts = {"way": way, "ways": ", ".join(ways)}
            raise error_for(Cause.NO_WAY, facts, module=self._entry.title)

    def _raise_for_withheld(self, version: str | None, kind: ImageKind) -> None:
        """Raise why nothing is offered, where that is asked for and something is there."""
        is_asked_for = version is None and kind is ImageKind.SKETCH
        if is_asked_for and (found := withheld(self._coordinator)) is not None:
            _, refusal = found
            assert refusal.cause is not None
            raise error_for(refusal.cause, refusal.facts, module=self._entry.title)

    def last_sentence(self) -> str | None:
        """Return how the last install ended, as its card says."""
        outcome = self._coordinator.data.outcome
        return outcome.sentence if outcome else None

    async def _async_now(self, install_run: InstallRun) -> None:
        """Let one that waits for its window begin, and return when it is proven to run."""
        install_run.note["now"] = True
        if install_run.stage is InstallStage.QUEUED:
            await install_run.async_note(InstallStage.QUEUED)
        self._house.queue.async_look()
        await self._async_wait(install_run)

    @property
    def rolls_back_to(self) -> Release | None:
        """What rolling back would bring back."""
        return last_good(self._coordinator)

    @property
    def can_roll_back(self) -> bool:
        """Whether there is something to put back, and nothing is shown to run."""
        return self._coordinator.data.progress is None and self.rolls_back_to is not None

    @property
    def can_cancel(self) -> bool:
        """Whether something is shown to run that can still be ended."""
        progress = self._coordinator.data.progress
        return progress is not None and progress.stage not in _OVER

    async def async_roll_back(self, context: Context | None) -> None:
        """Put back what ran well before; return only when it is proven to run.

        Raises HomeAssistantError with the cause for every other ending, and for who may not.
        """
        await async_raise_unless_may(self._hass, context)
        await self._house.pace.turn()  # one automation may press all at once
        self.raise_if_running()
        if (release := self.rolls_back_to) is None:
            raise error_for(Cause.NO_ROLLBACK, {}, module=self._entry.title)
        running = running_release(self._coordinator) or release
        await self._async_wait(self.async_begin(release, context, instead_of=running))

    def _choose(self, version: str | None, kind: ImageKind) -> Release | None:
        """Return the release to install; of several chips' images the one for this module."""
        offered = self._coordinator.offered if kind is ImageKind.SKETCH else None
        is_offered = offered is not None and version in {None, offered.version}
        if is_offered or (version is None and kind is ImageKind.SKETCH):
            return offered
        facts = self._coordinator.facts()
        releases = self._coordinator.releases
        if kind is ImageKind.FILESYSTEM:
            releases = releases_of_files(self._coordinator, any_chip=True)
        named = [
            item for item in releases if version is None or same_version(item.version, version)
        ]
        named.sort(key=lambda item: item.version != version)  # two may be spelt differently
        fitting = [item for item in named if item.chip in {None, facts.chip, facts.family}]
        return next(iter(fitting or named), None)

    def _is_chosen(self, release: Release, context: Context | None, kind: ImageKind) -> bool:
        """Whether somebody named another version than the offered one: the dialog names that.

        What is there already is on no offer: a person who names it wants it once more, an
        automation that does so every night does not.
        """
        offered = self._choose(None, kind)
        if offered is None or not same_version(offered.version, release.version):
            return True
        if kind is ImageKind.SKETCH:
            is_there = same_version(offered.version, self._coordinator.data.installed or "")
        else:
            is_there = offered.image.sha256 == self._coordinator.facts().filesystem_sha256
        return is_there and context is not None and context.user_id is not None

    @callback
    def async_begin(
        self,
        release: Release,
        context: Context | None,
        *,
        chosen: bool = True,
        instead_of: Release | None = None,
        once_more: bool = False,
        now: bool = False,
        way: str | None = None,
        asked: Asked | None = None,
    ) -> InstallRun:
        """Begin to install a release; `instead_of` is what somebody goes back from.

        `once_more` sends an image that has failed twice, `now` does not wait for a window.
        `asked` is what a rollout wants besides; without it the priority is that of who presses.
        """
        install_run = InstallRun.of(
            self._hass,
            self._coordinator,
            release,
            context or Context(),
            chosen=chosen,
            instead_of=instead_of,
            once_more=once_more,
        )
        if now:
            install_run.note["now"] = True
        if way is not None:
            install_run.note["ways"] = [way]
        if asked is not None:
            asked.put_into(install_run, self.last_sentence)
        self.async_start(install_run.run(), install_run)
        return install_run

    async def _async_wait(self, install_run: InstallRun) -> None:
        """Return when it has ended well; raises HomeAssistantError for every other ending."""
        assert self._task is not None
        task, name = self._task, self._entry.title
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise  # who waits is cancelled, the install goes on
            if install_run.is_put_aside:
                raise error_for(Cause.SUSPENDED, {}, module=name) from None
            result = install_run.result
        await async_raise_for_result(self._hass, result, module=name)

    @callback
    def async_start(
        self,
        work: Coroutine[Any, Any, InstallResult],
        install_run: InstallRun | None = None,
    ) -> asyncio.Task[InstallResult]:
        """Run as a task of the entry, which outlives the caller but not the entry.

        An automation that is stopped must not tear an image in two; an unloaded entry must.
        """
        self._install_run = install_run
        self._task = self._entry.async_create_background_task(
            self._hass, work, f"ESP OTA install {self._entry.title}"
        )
        self._house.running[self._entry.entry_id] = self._task
        return self._task

    async def async_cancel(self, context: Context | None) -> None:
        """End what runs, and return when the equipment is restored.

        Raises HomeAssistantError when nothing runs, when it is over already, when the equipment
        was not restored, and for who may not.
        """
        await async_raise_unless_may(self._hass, context)
        await self._house.pace.turn()  # one person may take back all at once
        name, install_run = self._entry.title, self._install_run
        if self._task is None or self._task.done():
            raise error_for(Cause.NOTHING_RUNNING, {}, module=name)
        if install_run is not None:
            install_run.raise_if_over()
        await self._async_end()
        if install_run is not None:
            install_run.raise_unless_restored()

    async def async_move(self, place: int, context: Context | None) -> None:
        """Put the install that waits at a place in the queue of the house, counted from 1.

        Raises HomeAssistantError when none waits, and for who may not.
        """
        await async_raise_unless_may(self._hass, context)
        if not self.is_waiting or self._install_run is None:
            raise error_for(Cause.NOT_QUEUED, {}, module=self._entry.title)
        await self._install_run.async_move(place)

    async def _async_end(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    @callback
    def async_put_aside(self) -> None:
        """Leave what can wait for the next start; the entry is about to be unloaded."""
        if self._install_run is not None and self._entry.disabled_by is None:
            self._install_run.put_aside()

    async def async_stop(self) -> None:
        """End what runs and wait for the restore, while Home Assistant can still do it."""
        self.async_put_aside()
        await self._async_end()

    @callback
    def async_recover(self) -> None:
        """Pick up an install that was open when Home Assistant died, or the entry was reloaded.

        Nobody waits for it: the card and a repair tell.
        """
        before = self._house.running.get(self._entry.entry_id)
        self._is_picked_up = True
        if self._is_at_work:
            return
        if before is not None and not before.done():
            self.async_start(self._async_recover_after(before))
        elif (recovery := self._recovery()) is not None:
            self.async_start(recovery.run(), recovery.install_run)

    @property
    def may_begin_while_starting(self) -> bool:
        """Whether what is queued needs nothing that Home Assistant has yet to start.

        A module that sleeps may wake just then, and has no equipment that must be there first.
        """
        options = self._entry.options
        note = self._house.journal.open_install(self._entry.entry_id)
        is_queued = note is not None and note["stage"] == InstallStage.QUEUED
        rests_on_nothing = options.get(CONF_EQUIPMENT) == EQUIPMENT_NOTHING
        return is_queued and rests_on_nothing and bool(options.get(CONF_SLEEPS, False))

    def _recovery(self) -> Recovery | None:
        entry_id = self._entry.entry_id
        if (note := self._house.journal.open_install(entry_id)) is None:
            return None
        recovery = Recovery(self._hass, self._coordinator, note)
        asked = self._hass.data.get(ASKED, {}).get(entry_id)
        if asked is not None and asked.sha256 == note["sha256"]:
            asked.put_into(recovery.install_run, self.last_sentence)
        return recovery

    async def _async_recover_after(self, before: asyncio.Task[InstallResult]) -> InstallResult:
        """Wait for a restore that outlived the entry, or the equipment would be restored twice."""
        await asyncio.wait({before})
        if (recovery := self._recovery()) is None:
            return _NOTHING_LEFT
        self._install_run = recovery.install_run
        return await recovery.run()
