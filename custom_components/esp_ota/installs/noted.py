"""One run of a module or a guest, as the journal knows it: noted, put aside, restored, ended."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Final

from homeassistant.core import HomeAssistant

from ..const import LOGGER
from ..equipment import Equipment, safe_state_noted
from ..helpers import error_for, spelled_out
from ..house import InstallNote, JournalError, restored_result, stored_result
from ..modules import Press
from ..ota import (
    Cause,
    InstallProgress,
    InstallRefused,
    InstallResult,
    InstallStage,
    OtaError,
    Restoring,
    Verdict,
    carry_through,
    restore,
)
from ..owners import Owner
from .finishing import async_close
from .loop_breaker import async_count, raise_for_third_try
from .turn import Turn
from .waiting import Waiter

CANCELLED: Final = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
_INTERNAL: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)
_NOT_BEGUN: Final = {InstallStage.QUEUED, InstallStage.MAKING_SAFE, InstallStage.SENDING}
"""What cannot be written then is not done: after a crash nobody would know of it."""
_UNTOUCHED: Final = {InstallStage.QUEUED, InstallStage.MAKING_SAFE}
"""What ends in them has touched nothing: else it is restored, and the journal says so."""
_OVER: Final = {InstallStage.RESTORING, InstallStage.DONE}
"""In them there is nothing left to cancel."""


class NotedRun:
    """Owned by the task that runs it; what differs between modules and guests is below it."""

    def __init__(
        self, hass: HomeAssistant, waiter: Waiter, note: InstallNote, press: Press
    ) -> None:
        """Take what the journal says of it, or is going to."""
        self._hass = hass
        self._house = waiter.house
        self._owner: Owner = waiter.config_entry
        self._steps: Restoring | None = None
        self._equipment: Equipment | None = None
        self._has_begun = False
        """Whether an image may have left since it was queued."""
        self._is_noted = False
        """Whether a dead Home Assistant has begun it, so that only a part of it is left."""
        self._may_wait_on = False
        self.note = note
        self.press = press
        self.turn = Turn(hass, waiter, note, self._on_told, self._admit)
        self.result = CANCELLED
        """What it ended as."""
        self.is_put_aside = False
        """Whether it ended in the middle, for the next start."""

    @property
    def stage(self) -> InstallStage:
        """Where it stands, as the journal says."""
        return InstallStage(self.note["stage"])

    @property
    def is_waiting(self) -> bool:
        """Whether its turn is yet to come."""
        return self.stage in {InstallStage.CHECKING, InstallStage.QUEUED} and self.turn.is_waiting

    async def async_move(self, place: int) -> None:
        """Stand at another place in the queue, counted from 1, also after a restart."""
        self.turn.move(place)
        if self.stage is InstallStage.QUEUED:
            await self.async_note(InstallStage.QUEUED)

    def raise_if_over(self) -> None:
        """Raise HomeAssistantError where there is nothing left to cancel."""
        if self.stage in _OVER:
            raise error_for(Cause.CANCEL_TOO_LATE, {}, module=self._owner.title)

    def raise_unless_restored(self) -> None:
        """Raise HomeAssistantError for who cancelled it, where its equipment was not restored."""
        if self.result.restore_error is not None:
            name = self._owner.title
            facts = spelled_out(self._hass, self.result.restore_facts, module=name)
            raise error_for(self.result.restore_error, facts, module=name)

    def put_aside(self) -> None:
        """Let a cancelling that comes now leave what can wait for the next start."""
        self._may_wait_on = self.turn.stays = True
        if self._steps is not None:
            self._steps.put_aside()

    # What its steps ask for

    def _on_told(self, progress: InstallProgress) -> None:
        """Show where it stands in the queue."""

    def _on_wait(self, names: str | None) -> None:
        """Show for whom it waits because of the equipment."""
        if names is not None:
            LOGGER.info("%s: waits for %s, which needs the same", self._owner.title, names)
            if self.stage in {InstallStage.CHECKING, InstallStage.QUEUED}:
                self.turn.wait_for_equipment(names)

    async def _admit(self) -> None:
        assert self._equipment is not None
        await self._equipment.admit()

    # The journal

    async def async_note(
        self, stage: InstallStage, decided: InstallResult | None = None
    ) -> JournalError | None:
        """Write a stage to the journal, and what it ends as where that is decided.

        Return why it is not on disk, where it is not: what has begun is carried to its end all the
        same, and a repair tells.
        """
        self.note["stage"] = stage
        if self._equipment is not None:
            self.note["equipment"] = dict(self._equipment.kept)
        self.note.pop("result", None)
        if decided is not None:
            self.note["result"] = stored_result(decided)
        try:
            await self._house.journal.async_write(self._owner.entry_id, self.note)
        except JournalError as err:
            LOGGER.error("%s: not on disk while %s: %s", self._owner.title, stage, err)
            return err
        return None

    async def _note_or_refuse(self, stage: InstallStage) -> None:
        """Write a stage before it takes effect; raises InstallRefused for one that cannot be."""
        assert self._steps is not None
        decided = self._steps.ending if stage in _OVER else None
        lost = await self.async_note(stage, decided)
        if lost is not None and stage in _NOT_BEGUN and not self._has_begun:
            raise InstallRefused(lost.cause, **lost.facts)

    # After a crash

    @property
    def _made_safe_by(self) -> Owner:
        """Whose safe state it was that a dead Home Assistant has entered."""
        return self._owner

    @property
    def safe_state_noted(self) -> Equipment:
        """What a Home Assistant that died has made safe."""
        return safe_state_noted(
            self._hass, self._house, self._made_safe_by, self.note, self._on_wait
        )

    def decided(self, otherwise: InstallResult) -> InstallResult:
        """Return what it was to end as, if that was decided before a crash."""
        stored = self.note.get("result")
        return restored_result(stored) if stored else otherwise

    async def async_put_back(self, result: InstallResult) -> InstallResult:
        """Restore what a dead Home Assistant made safe, and note it; carried to its end."""
        await self.async_note(InstallStage.RESTORING, result)
        cancelled = False
        try:
            result, cancelled = await restore(self.safe_state_noted, result)
        except Exception as err:  # noqa: BLE001 - logged here, told as a restore that failed
            LOGGER.exception("%s: its equipment was not restored", self._owner.title)
            facts = {"detail": str(err) or type(err).__name__}
            result = replace(result, restore_error=Cause.RESTORE_FAILED, restore_facts=facts)
        if result.restore_error is None:
            await self.async_note(InstallStage.DONE, result)
        if cancelled:
            self.result = result
            raise asyncio.CancelledError
        return result

    # The end

    async def to_its_end(self, work: Coroutine[object, object, InstallResult]) -> InstallResult:
        """Do the work of one run, and see to everything after it whatever it ended as."""
        try:
            return await self._to_its_end(work)
        finally:
            self.turn.leave(comes_back=self.is_put_aside)

    async def _to_its_end(self, work: Coroutine[object, object, InstallResult]) -> InstallResult:
        try:
            self.result = await work
        except OtaError as err:
            self.result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        except asyncio.CancelledError:
            waited = self._may_wait_on and self.stage is InstallStage.QUEUED
            self.is_put_aside = waited or (self._steps is not None and self._steps.is_put_aside)
            if self._steps is not None:
                self.result = self._steps.ending
            if self.is_put_aside:
                await self._async_wait_on()
            else:
                await self._async_end()
            raise
        except Exception as err:  # noqa: BLE001 - logged here, told to the caller as INTERNAL
            LOGGER.exception("%s: its update ended by an error of ours", self._owner.title)
            self.result = _INTERNAL
            if self.stage is InstallStage.RESTORING:
                facts = {"detail": str(err) or type(err).__name__}
                self.result = replace(
                    _INTERNAL, restore_error=Cause.RESTORE_FAILED, restore_facts=facts
                )
        await self._async_end()
        return self.result

    async def _async_wait_on(self) -> None:
        """Leave it for the next start."""
        if self._equipment is not None:
            self.note["equipment"] = dict(self._equipment.kept)
        # It may have been cancelled in the middle of this very write.
        write = self._house.journal.async_write(self._owner.entry_id, self.note)
        noted, _ = await carry_through(write)
        if lost := noted.exception():  # the repair of the journal tells
            LOGGER.error("%s: not on disk while put aside: %s", self._owner.title, lost)

    async def _async_end(self) -> None:
        """Tell and close; once begun this is carried to its end, cancelled or not."""
        finishing, cancelled = await carry_through(self._finish())
        finishing.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _finish(self) -> None:
        if self.result.verdict.is_success and not self._is_noted:  # else that is a part of it
            self._house.journal.note_took(self._owner.entry_id, self.turn.seconds)
        if self.stage in _UNTOUCHED:  # or a crash would run it, or tell it in other words
            self.note.pop("again", None)
            await self.async_note(InstallStage.DONE, self.result)
        await self._tell()

    async def _tell(self) -> None:
        """Learn from how it ended, tell it, and close the journal."""
        raise NotImplementedError

    def _raise_for_third_try(self) -> None:
        """Raise InstallRefused when the same has failed twice, and nobody wants it once more."""
        raise_for_third_try(self._hass, self._house, self._owner, self.note)

    async def _count(self) -> None:
        """Count how it ended, for who comes next."""
        await async_count(self._hass, self._house, self._owner, self.note, self.result)

    async def _close(self, sentence: str) -> None:
        """Close the journal, and tell when the equipment was not safe, or not restored."""
        await async_close(self._hass, self._house, self._owner, self.note, self.result, sentence)
