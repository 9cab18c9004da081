"""One install of one module, with everything around the pipeline: journal, telling, learning."""

from collections.abc import Sequence
from dataclasses import replace
import time
from typing import Final, Self, override

from homeassistant.core import Context, HomeAssistant
from homeassistant.util import dt as dt_util

from ..boards import raise_if_updated_elsewhere
from ..const import LOGGER, ROLLBACK_AUTO
from ..equipment import Equipment, safe_state_for, safe_state_of_turn
from ..house import InstallNote, restored_result, stored_result
from ..issues import async_clear_module_issues
from ..library import Release
from ..modules import ModuleCoordinator, Press
from ..ota import (
    Cause,
    InstallProgress,
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
)
from .finishing import async_finish
from .noted import NotedRun
from .preparation import async_prepare, part_of, renewed
from .rollback import async_way_back, is_proven, rollback_mode, running_release, to_put_back
from .soak import Soak
from .transports import transports_for

_WANTED: Final = InstallResult(verdict=Verdict.ROLLED_BACK)
"""What a way back undoes that somebody asked for."""
_LOOKED_AT: Final = {InstallStage.RESTARTING, InstallStage.VERIFYING}
"""Stages of a mere look: the equipment was restored before it, and stays so."""


class InstallRun(NotedRun):
    """Owned by the task that runs it."""

    def __init__(
        self, hass: HomeAssistant, coordinator: ModuleCoordinator, note: InstallNote, press: Press
    ) -> None:
        """Take what the journal says of it, or is going to."""
        super().__init__(hass, coordinator, note, press)
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._pipeline: Pipeline | None = None

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
        self._raise_for_third_try()
        self._raise_if_blind()
        await self.turn.async_open()
        safe_state = safe_state_of_turn(self._house, self._entry, self._safe_state)
        if "replaces" in self.note:
            parts = await async_way_back(coordinator, release)
        else:
            parts = await async_prepare(coordinator, release, self.note)
            await self._keep_what_runs(release)
        async_clear_module_issues(self._hass, self._entry.entry_id, failure=False)
        return await self._install(parts, safe_state).run()

    def _safe_state(self) -> Equipment:
        """Return what it is by the options of now; raises SafeStateError where there is none."""
        entry, context = self._entry, self.press.context
        return safe_state_for(
            self._hass, self._house, entry, entry.options, context, on_wait=self._on_wait
        )

    def _raise_if_blind(self) -> None:
        """Raise InstallRefused where it could not be watched; what is put back is not."""
        if "replaces" not in self.note:
            Soak(self._hass, self._coordinator).raise_if_blind()

    async def _keep_what_runs(self, release: Release) -> None:
        """Whatever an update begins from is what a module goes back to."""
        if (running := running_release(self._coordinator)) not in {None, release}:
            assert running is not None
            journal = self._coordinator.house.journal
            await journal.async_proved(self._entry.entry_id, running.image.sha256)

    async def resume(self) -> InstallResult:
        """Carry on with a module that has the image already."""
        self.turn.join(is_open=True)
        since, had_gone = self._house.put_aside.pop(self._entry.entry_id, (0.0, True))
        return await self._noted().resume(since, had_gone=had_gone)

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

    @override
    def _on_wait(self, names: str | None) -> None:
        """Show for whom it waits because of the equipment."""
        if names is not None:
            LOGGER.info("%s: waits for %s, which needs the same", self._entry.title, names)
        if self.stage in {InstallStage.RESTORING, InstallStage.SENDING}:
            progress = InstallProgress(stage=InstallStage.RESTORING, waits_for=names)
            self._coordinator.async_set_progress(progress)
        elif names is not None:
            self.turn.wait_for_equipment(names)

    @override
    def _on_told(self, progress: InstallProgress) -> None:
        """Show where it stands in the queue; what has begun meanwhile does not wait any more."""
        if self.stage is InstallStage.QUEUED:
            self._coordinator.async_set_progress(progress)

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
            confirm=self._confirm,
            renewed=lambda candidate: renewed(coordinator, candidate),
            on_fallback=self._log_fallback,
            on_delivered=coordinator.async_delivered,
            on_refused=coordinator.async_refused,
            go_back=self._go_back,
            on_probation=Soak(self._hass, coordinator).watch,
        )
        self._steps = self._pipeline = Pipeline(
            parts,
            ports,
            accepted=coordinator.accepted,
            limits=coordinator.house.patience.install,
            undoes=undoes,
        )
        return self._pipeline

    async def _confirm(self) -> None:
        """Raise InstallRefused where it is not wanted any more, or cannot be watched."""
        raise_if_updated_elsewhere(self._hass, self._house, self._entry)
        self._raise_if_blind()
        await self._house.assignments.confirm(self._entry.entry_id, self.note["sha256"])

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
        self.note["again"] = self._pipeline.goes_on
        self._has_begun = self._has_begun and stage is not InstallStage.QUEUED
        await self._note_or_refuse(stage)
        self._has_begun = self._has_begun or stage is InstallStage.SENDING

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

    @override
    async def _async_wait_on(self) -> None:
        had_gone = self._pipeline is not None and self._pipeline.has_gone
        self._house.put_aside[self._entry.entry_id] = time.monotonic(), had_gone
        await super()._async_wait_on()
        self._coordinator.desk.dismiss()

    @override
    async def _tell(self) -> None:
        touched = self._pipeline is not None and self._pipeline.files_touched
        has_image = self._is_noted or (self._pipeline is not None and self._pipeline.has_image)
        self._steps = self._pipeline = None  # and with it the bytes
        ended = self.note, self.press, self.result
        await async_finish(
            self._hass, self._coordinator, *ended, touched=touched, has_image=has_image
        )


async def _gone(version: str) -> InstallResult:
    raise LibraryError(Cause.NO_RELEASE, version=version, firmware="?")
