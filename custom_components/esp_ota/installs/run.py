"""One install of one module, with everything around the pipeline: journal, telling, learning."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
import time
from typing import Any, Final, Self

from homeassistant.core import Context, HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import LOGGER, ROLLBACK_AUTO
from ..equipment import Equipment, safe_state_for, safe_state_noted
from ..house import InstallNote, JournalError, restored_result, stored_result
from ..issues import async_clear_module_issues
from ..library import Release
from ..modules import ModuleCoordinator, Press
from ..ota import (
    Cause,
    InstallProgress,
    InstallRefused,
    InstallResult,
    InstallStage,
    LibraryError,
    ModuleFacts,
    OtaError,
    Part,
    Payload,
    Pipeline,
    Ports,
    Verdict,
    carry_through,
)
from .finishing import async_finish
from .loop_breaker import raise_for_third_try
from .preparation import async_prepare, part_of
from .rollback import async_way_back, is_proven, rollback_mode, running_release, to_put_back
from .soak import Soak
from .transports import transports_for
from .turn import Turn

CANCELLED: Final = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
_INTERNAL: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)
_WANTED: Final = InstallResult(verdict=Verdict.ROLLED_BACK)
"""What a way back undoes that somebody asked for."""
_NOT_BEGUN: Final = {InstallStage.QUEUED, InstallStage.MAKING_SAFE, InstallStage.SENDING}
"""What cannot be written then is not done: after a crash nobody would know of it."""
_LOOKED_AT: Final = {InstallStage.RESTARTING, InstallStage.VERIFYING}
"""Stages of a mere look: the equipment was restored before it, and stays so."""


class InstallRun:
    """Owned by the task that runs it."""

    def __init__(
        self, hass: HomeAssistant, coordinator: ModuleCoordinator, note: InstallNote, press: Press
    ) -> None:
        """Take what the journal says of it, or is going to."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._pipeline: Pipeline | None = None
        self._equipment: Equipment | None = None
        self.note = note
        self.press = press
        self.turn = Turn(hass, coordinator, note, self._on_told, self._admit)
        self._is_noted = False
        """Whether the image had left before a crash."""
        self._has_begun = False
        """Whether an image may have left since it was queued."""
        self.result = CANCELLED
        """What it ended as."""
        self.is_put_aside = self._may_wait_on = False
        """Whether it ended in the middle, for the next start."""

    @classmethod
    def of(
        cls,
        hass: HomeAssistant,
        coordinator: ModuleCoordinator,
        release: Release,
        context: Context,
        *,
        chosen: bool,
        instead_of: Release | None = None,
        once_more: bool = False,
    ) -> Self:
        """Return the install of a release; `instead_of` is what somebody wants to go back from.

        `once_more` is for who knows that it has failed twice.
        """
        note: InstallNote = {
            "stage": InstallStage.CHECKING,
            "sha256": release.image.sha256,
            "version": release.version,
            "before": coordinator.facts().version,
            "user": context.user_id,
            "chosen": chosen,
            "started": dt_util.utcnow().isoformat(),
        }
        if once_more:
            note["once_more"] = True
        if instead_of is not None:
            note["replaces"] = instead_of.image.sha256
        press = Press.now(release, coordinator.data.installed, context)
        return cls(hass, coordinator, note, press)

    @property
    def release(self) -> Release | None:
        """What is installed; None when it is not in the library any more."""
        return self._coordinator.house.library.get(self.note["sha256"])

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

    def put_aside(self) -> None:
        """Let a cancelling that comes now leave what can wait for the next start."""
        self._may_wait_on = self.turn.stays = True
        if self._pipeline is not None:
            self._pipeline.put_aside()

    # The ways through it

    async def run(self) -> InstallResult:
        """Run it from the beginning."""
        release, coordinator = self.release, self._coordinator
        if release is None:  # only after a restart: it was removed from the disk
            return await self.to_its_end(_gone(self.note["version"]))
        coordinator.async_begin(release.image.kind)
        self.turn.join()
        LOGGER.info(
            "%s: install of %s %s (%s) begins, %s runs",
            self._entry.title,
            release.firmware,
            release.version,
            release.image.sha256[:12],
            coordinator.data.installed or "an unknown version",
        )
        with coordinator.house.holding(release.image.sha256):
            return await self.to_its_end(self._run(release))

    async def _run(self, release: Release) -> InstallResult:
        coordinator = self._coordinator
        raise_for_third_try(self._hass, coordinator, release, self.note)
        await self.turn.async_open()
        entry, context = self._entry, self.press.context
        safe_state = safe_state_for(
            self._hass, coordinator.house, entry, entry.options, context, on_wait=self._on_wait
        )
        if "replaces" in self.note:
            parts = await async_way_back(coordinator, release)
        else:
            parts = await async_prepare(coordinator, release, self.note)
            await self._keep_what_runs(release)
        async_clear_module_issues(self._hass, self._entry.entry_id, failure=False)
        return await self._install(parts, safe_state).run()

    async def _keep_what_runs(self, release: Release) -> None:
        """Whatever an update begins from is what a module goes back to."""
        if (running := running_release(self._coordinator)) not in {None, release}:
            assert running is not None
            journal = self._coordinator.house.journal
            await journal.async_proved(self._entry.entry_id, running.image.sha256)

    async def resume(self) -> InstallResult:
        """Carry on with a module that has the image already."""
        self.turn.join(is_open=True)
        put_aside_at = self._coordinator.house.put_aside_at
        return await self._noted().resume(put_aside_at.pop(self._entry.entry_id, 0.0))

    async def look(self) -> InstallResult:
        """Find out what became of an image that was on its way."""
        return await self._noted().look()

    def _noted(self) -> Pipeline:
        """Put together what the journal knows: what the bytes were is enough to judge."""
        library = self._coordinator.house.library
        sent = library.get(self.note.get("back_to", "")) or self.release
        if sent is None:
            raise LibraryError(Cause.INTERRUPTED)
        nothing = Payload(data=b"", kind=sent.image.kind, md5=sent.image.md5)
        part = part_of(self._coordinator, sent, nothing, chosen=True)
        self._is_noted = self._has_begun = True
        return self._install([part], self.safe_state_noted)

    # What they share

    @property
    def safe_state_noted(self) -> Equipment:
        """What a Home Assistant that died has made safe."""
        house, entry = self._coordinator.house, self._entry
        return safe_state_noted(self._hass, house, entry, self.note, self._on_wait)

    def _on_wait(self, names: str | None) -> None:
        """Show for whom it waits because of the equipment."""
        if names is not None:
            LOGGER.info("%s: waits for %s, which needs the same", self._entry.title, names)
        if self.stage in {InstallStage.RESTORING, InstallStage.SENDING}:
            progress = InstallProgress(stage=InstallStage.RESTORING, waits_for=names)
            self._coordinator.async_set_progress(progress)
        elif names is not None:
            self.turn.wait_for_equipment(names)

    def _on_told(self, progress: InstallProgress) -> None:
        """Show where it stands in the queue; what has begun meanwhile does not wait any more."""
        if self.stage is InstallStage.QUEUED:
            self._coordinator.async_set_progress(progress)

    async def _admit(self) -> None:
        assert self._equipment is not None
        await self._equipment.admit()

    def _on_progress(self, progress: InstallProgress) -> None:
        self._coordinator.async_set_progress(self.turn.shown(progress))

    def _install(self, parts: Sequence[Part], safe_state: Equipment) -> Pipeline:
        """Put one install together."""
        coordinator = self._coordinator
        self._equipment = safe_state
        stored = self.note.get("undoes")
        undoes = restored_result(stored) if stored else None
        if undoes is None and "replaces" in self.note:
            undoes = _WANTED
        ports = Ports(
            facts=self._facts,
            observer=coordinator.watch,
            safe_state=safe_state,
            transports=transports_for(coordinator, self.note.get("ways"), has=self._is_noted),
            turn=self.turn,
            on_stage=self._on_stage,
            on_progress=self._on_progress,
            find_module=coordinator.whereabouts.now,
            confirm=partial(
                coordinator.house.assignments.confirm, self._entry.entry_id, self.note["sha256"]
            ),
            on_fallback=self._log_fallback,
            on_delivered=coordinator.async_delivered,
            on_refused=coordinator.async_refused,
            go_back=self._go_back,
            on_probation=Soak(self._hass, coordinator).watch,
        )
        self._pipeline = Pipeline(
            parts,
            ports,
            accepted=coordinator.accepted,
            limits=coordinator.house.patience.install,
            undoes=undoes,
        )
        return self._pipeline

    def _facts(self) -> ModuleFacts:
        """Return what is known of the module before an image is sent, and keep that in mind.

        Afterwards the new image may have spoken: then what the journal kept is what ran before.
        """
        facts = self._coordinator.facts()
        if self._is_noted and (kept := self.note.get("against")) is not None:
            return replace(facts, version=kept["version"], sketch_md5=kept["sketch_md5"])
        if self._is_noted:
            return replace(facts, version=self.note["before"])
        version = facts.version or self._coordinator.data.installed
        self.note["against"] = {"version": version, "sketch_md5": facts.sketch_md5}
        return replace(facts, version=version)

    async def _on_stage(self, stage: InstallStage) -> None:
        """Write a stage of the pipeline before it takes effect."""
        assert self._pipeline is not None
        if stage is InstallStage.CHECKING or (stage in _LOOKED_AT and self.note.get("looks")):
            return
        if stage is InstallStage.QUEUED:
            self.turn.wait_for_life()
        decided = stage in {InstallStage.RESTORING, InstallStage.DONE}
        self.note["again"] = self._pipeline.goes_on
        self._has_begun = self._has_begun and stage is not InstallStage.QUEUED
        lost = await self.async_note(stage, self._pipeline.ending if decided else None)
        if lost is not None and stage in _NOT_BEGUN and not self._has_begun:
            raise InstallRefused(lost.cause, **lost.facts)
        self._has_begun = self._has_begun or stage is InstallStage.SENDING

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
            await self._coordinator.house.journal.async_write(self._entry.entry_id, self.note)
        except JournalError as err:
            LOGGER.error("%s: not on disk while %s: %s", self._entry.title, stage, err)
            return err
        return None

    def _log_fallback(self, transport: str, err: OtaError) -> None:
        LOGGER.info("%s: %s failed (%s), trying the next way", self._entry.title, transport, err)

    async def _go_back(self, failed: InstallResult) -> Sequence[Part]:
        """Return the parts that put back what ran before, where that happens by itself."""
        if rollback_mode(self._entry.options) != ROLLBACK_AUTO:
            return ()
        assert self._pipeline is not None
        touched = self._pipeline.files_touched
        back = to_put_back(self._coordinator, failed, self.note["sha256"], touched=touched)
        if back is None or not is_proven(self._coordinator, failed, self.note["sha256"]):
            return ()
        try:
            parts = await async_way_back(self._coordinator, back, touched=touched)
        except OtaError as err:
            LOGGER.warning("%s: cannot be rolled back: %s", self._entry.title, err)
            return ()
        LOGGER.warning("%s: goes back to %s", self._entry.title, back.version)
        self._is_noted = False  # from here on it is an image that is yet to be sent
        self.note["undoes"] = stored_result(failed)
        self.note["back_to"] = back.image.sha256
        return parts

    async def to_its_end(self, work: Coroutine[Any, Any, InstallResult]) -> InstallResult:
        """Do the work of one install, and see to everything after it whatever it ended as."""
        try:
            return await self._to_its_end(work)
        finally:
            self.turn.leave(comes_back=self.is_put_aside)

    async def _to_its_end(self, work: Coroutine[Any, Any, InstallResult]) -> InstallResult:
        try:
            self.result = await work
        except OtaError as err:
            self.result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        except asyncio.CancelledError:
            waited = self._may_wait_on and self.stage is InstallStage.QUEUED
            self.is_put_aside = waited or bool(self._pipeline and self._pipeline.is_put_aside)
            self.result = self._pipeline.ending if self._pipeline else CANCELLED
            if self.is_put_aside:
                house, entry_id = self._coordinator.house, self._entry.entry_id
                house.put_aside_at[entry_id] = time.monotonic()
                if self._equipment is not None:
                    self.note["equipment"] = dict(self._equipment.kept)
                # It may have been cancelled in the middle of this very write.
                noted, _ = await carry_through(house.journal.async_write(entry_id, self.note))
                if lost := noted.exception():  # the repair of the journal tells
                    LOGGER.error("%s: not on disk while put aside: %s", self._entry.title, lost)
                self._coordinator.desk.dismiss()
            else:
                await self._async_end()
            raise
        except Exception as err:  # noqa: BLE001 - logged here, told to the caller as INTERNAL
            LOGGER.exception("%s: install ended by an error of ours", self._entry.title)
            self.result = _INTERNAL
            if self.stage is InstallStage.RESTORING:
                facts = {"detail": str(err) or type(err).__name__}
                self.result = replace(
                    _INTERNAL, restore_error=Cause.RESTORE_FAILED, restore_facts=facts
                )
        await self._async_end()
        return self.result

    async def _async_end(self) -> None:
        """Tell and close; once begun this is carried to its end, cancelled or not."""
        touched = self._pipeline is not None and self._pipeline.files_touched
        self._pipeline = None  # and with it the bytes
        finishing, cancelled = await carry_through(self._finish(touched=touched))
        finishing.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _finish(self, *, touched: bool) -> None:
        if self.result.verdict.is_success and not self._is_noted:  # else that is a part of it
            journal = self._coordinator.house.journal
            journal.note_took(self._entry.entry_id, self.turn.seconds)
        if self.stage is InstallStage.QUEUED:  # or it would run after a crash, told to have ended
            self.note["again"] = False
            await self.async_note(InstallStage.DONE, self.result)
        await async_finish(
            self._hass, self._coordinator, self.note, self.press, self.result, touched=touched
        )


async def _gone(version: str) -> InstallResult:
    raise LibraryError(Cause.NO_RELEASE, version=version, firmware="?")
