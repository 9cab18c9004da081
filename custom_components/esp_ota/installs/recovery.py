"""Picking up what was open when Home Assistant died, by the table in `docs/states.md`."""

import asyncio
from dataclasses import replace
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import LOGGER
from ..equipment import safe_state_noted
from ..house import House, InstallNote
from ..modules import ModuleCoordinator, Press
from ..ota import (
    Cause,
    ImageKind,
    InstallProgress,
    InstallResult,
    InstallStage,
    SafeStateError,
    Verdict,
)
from .asked import ASKED
from .finishing import async_close, async_finish, async_tell_interrupted
from .noted import CANCELLED
from .run import InstallRun

INTERRUPTED: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERRUPTED)
_MADE_SAFE: Final = {InstallStage.MAKING_SAFE, InstallStage.SENDING, InstallStage.RESTORING}
"""In them the equipment is restored at once; in the next two it has to stay safe."""
_DELIVERED: Final = {InstallStage.RESTARTING, InstallStage.VERIFYING}


class Recovery:
    """What a dead Home Assistant left of one module's install, or try of its safe state."""

    def __init__(
        self, hass: HomeAssistant, coordinator: ModuleCoordinator, note: InstallNote
    ) -> None:
        """Take what the journal says."""
        library = coordinator.house.library
        release = library.get(note["sha256"])
        firmware = release.firmware if release else coordinator.data.firmware or "?"
        self._hass = hass
        self._coordinator = coordinator
        self._note = note
        self._press = Press.noted(note, firmware)
        self._stage = InstallStage(note["stage"])
        self.install_run = InstallRun(hass, coordinator, note, self._press)
        LOGGER.info(
            "%s: an install was interrupted while %s", coordinator.config_entry.title, self._stage
        )

    async def run(self) -> InstallResult:
        """Do what is left of it."""
        if "tried" in self._note:
            return await self._end_the_try()
        if (release := self.install_run.release) is not None:
            self._coordinator.async_begin(release.image.kind)
        if self._stage is InstallStage.QUEUED and not self._is_wanted:
            return await self.install_run.to_its_end(_taken_back())
        if self._stage is InstallStage.QUEUED and self._is_stale:
            return await self.install_run.to_its_end(_stale())
        if self._stage is InstallStage.QUEUED:
            return await self.install_run.run()
        if self._stage in _DELIVERED and self.install_run.release is not None:
            return await self.install_run.to_its_end(self.install_run.resume())
        return await self._restore_and_look()

    @property
    def _is_wanted(self) -> bool:
        """Whether the rollout that it belongs to, if there is one, still has it begun."""
        entry_id = self._coordinator.config_entry.entry_id
        asked = self._hass.data.get(ASKED, {}).get(entry_id)
        rollout = self._note.get("rollout")
        return rollout is None or (asked is not None and asked.rollout == rollout)

    @property
    def _is_stale(self) -> bool:
        """Whether somebody wanted it long ago; what a rollout wants is held by that."""
        entry_id = self._coordinator.config_entry.entry_id
        return "rollout" not in self._note and self._coordinator.house.is_of_another_time(entry_id)

    async def _end_the_try(self) -> InstallResult:
        result = await self._restore()
        if result.restore_error is None:
            async_tell_interrupted(self._hass, self._coordinator, self._note)
        self._coordinator.async_set_progress(None)
        await async_close(
            self._hass,
            self._coordinator.house,
            self._coordinator.config_entry,
            self._note,
            result,
        )
        return result

    async def _restore_and_look(self) -> InstallResult:
        """Restore at once; then tell what was decided, or find out what became of the image."""
        if self._stage is InstallStage.SENDING:
            self._note["looks"] = True
        result = self._decided
        if self._stage is not InstallStage.DONE:
            result = await self._restore()
        if result.restore_error is None and self._note.get("again") and self._is_wanted:
            return await self.install_run.run()
        if self._note.get("looks"):
            return await self.install_run.to_its_end(self._look(result))
        self.install_run.result = result
        await async_finish(self._hass, self._coordinator, self._note, self._press, result)
        self.install_run.turn.leave()  # a rollout hears how it ended
        return result

    async def _look(self, restored: InstallResult) -> InstallResult:
        """Return what the module runs, and how the restore before it ended."""
        if (release := self.install_run.release) is None:
            return restored
        found = await self.install_run.look()
        if found.cause is Cause.INTERRUPTED and release.image.kind is ImageKind.FILESYSTEM:
            # They are written in place: nobody knows how much of them was.
            found = replace(found, files_incomplete=True)
        return replace(
            found,
            restore_error=restored.restore_error,
            restore_facts=restored.restore_facts,
            restore_unread=restored.restore_unread,
            not_safe=restored.not_safe,
        )

    @property
    def _decided(self) -> InstallResult:
        return self.install_run.decided(INTERRUPTED)

    async def _restore(self) -> InstallResult:
        """Restore what a dead Home Assistant made safe; this is carried to its end."""
        self._coordinator.async_set_progress(InstallProgress(stage=InstallStage.RESTORING))
        return await self.install_run.async_put_back(self._decided)


async def _taken_back() -> InstallResult:
    """Return what one is that its rollout does not want any more, or that nobody knows of."""
    return CANCELLED


async def _stale() -> InstallResult:
    """Return what one is that waited when Home Assistant went away for long: nobody is asked."""
    return replace(INTERRUPTED, verdict=Verdict.REFUSED)


async def async_abandon(hass: HomeAssistant, house: House, entry: ConfigEntry) -> None:
    """Restore the equipment of a module that is removed, where an install left it safe."""
    if (running := house.running.pop(entry.entry_id, None)) is not None:
        await asyncio.wait({running})
    house.queue.async_give_up(entry.entry_id)
    note = house.journal.open_install(entry.entry_id)
    if note is None or InstallStage(note["stage"]) not in _MADE_SAFE | _DELIVERED:
        return
    try:
        await safe_state_noted(hass, house, entry, note).leave(INTERRUPTED)
    except SafeStateError as err:
        LOGGER.error("%s: the equipment was not restored: %s", entry.title, err)
