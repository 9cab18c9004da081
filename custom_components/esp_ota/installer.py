"""Runs one module's installs: one at a time, tied to its entry, written to the journal."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import LOGGER
from .coordinator import ModuleCoordinator
from .equipment import NothingToSecure, safe_state_for
from .helpers import error_for, raise_for_result
from .issues import (
    async_clear_module_issues,
    async_clear_update_issue,
    async_raise_module_issue,
)
from .journal import OpenInstall
from .library import Release
from .offers import async_count, raise_for_third_offer
from .ota import (
    Cause,
    Delivery,
    ImageKind,
    Install,
    InstallProgress,
    InstallResult,
    InstallStage,
    OtaError,
    Part,
    Payload,
    Ports,
    SafeState,
    SafeStateError,
    Verdict,
)
from .preparation import async_prepare, part_of
from .telling import (
    Press,
    async_outcome,
    async_tell,
)
from .transports import transports_for

_JOURNALLED = {
    InstallStage.QUEUED,
    InstallStage.MAKING_SAFE,
    InstallStage.SENDING,
    InstallStage.RESTARTING,
    InstallStage.VERIFYING,
    InstallStage.RESTORING,
}
"""Before them nobody waits for anything, and nothing has happened."""
_DELIVERED = {InstallStage.RESTARTING, InstallStage.VERIFYING}
"""In them the module has the whole image."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleRuntime:
    """What a module's entry holds while it is loaded."""

    coordinator: ModuleCoordinator
    installer: Installer


type ModuleConfigEntry = ConfigEntry[ModuleRuntime]


def is_installing(entry: ConfigEntry) -> bool:
    """Whether an entry, of a module or not, loaded or not, has an install running."""
    runtime = getattr(entry, "runtime_data", None)
    return isinstance(runtime, ModuleRuntime) and runtime.installer.is_running


class Installer:
    """Owned by a module's entry."""

    def __init__(self, hass: HomeAssistant, coordinator: ModuleCoordinator) -> None:
        """Take the module; nothing runs yet."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._journal = coordinator.house.journal
        self._task: asyncio.Task[InstallResult] | None = None
        self._current: Install | None = None
        self._press: Press | None = None

    @property
    def is_running(self) -> bool:
        """Whether an install of this module runs, or a try of its safe state."""
        return self._task is not None and not self._task.done()

    def raise_if_running(self) -> None:
        """Raise HomeAssistantError while an install of this module runs, or a try."""
        if self.is_running:
            raise error_for(Cause.INSTALL_RUNNING, {}, module=self._entry.title)

    async def async_install(
        self,
        version: str | None,
        context: Context | None,
        kind: ImageKind = ImageKind.SKETCH,
    ) -> None:
        """Install a version, the offered one without; return only when it is proven to run.

        Raises HomeAssistantError with the cause for every other ending.
        """
        name = self._entry.title
        self.raise_if_running()
        if (release := self._choose(version, kind)) is None:
            facts = {"version": version or "?", "firmware": self._coordinator.data.firmware or "?"}
            raise error_for(Cause.NO_RELEASE, facts, module=name)
        task = self.async_start(
            self._async_run(release, chosen=version is not None, context=context or Context())
        )
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise error_for(Cause.CANCELLED, {}, module=name) from None
            raise
        raise_for_result(result, module=name)

    def _choose(self, version: str | None, kind: ImageKind) -> Release | None:
        """Return the release to install; of several chips' images the one for this module."""
        if version is None and kind is ImageKind.SKETCH:
            return self._coordinator.offered
        facts = self._coordinator.facts()
        library = self._coordinator.house.library
        releases = self._coordinator.releases
        if kind is ImageKind.FILESYSTEM:
            releases = library.files(facts.firmware) if facts.firmware else []
        named = [item for item in releases if version in {None, item.version}]
        fitting = [item for item in named if item.chip in {None, facts.chip, facts.family}]
        return next(iter(fitting or named), None)

    def async_start(self, work: Coroutine[Any, Any, InstallResult]) -> asyncio.Task[InstallResult]:
        """Run as a task of the entry, which outlives the caller but not the entry.

        An automation that is stopped must not tear an image in two; an unloaded entry must.
        """
        self._current = None
        self._task = self._entry.async_create_background_task(
            self._hass, work, f"ESP OTA install {self._entry.title}"
        )
        return self._task

    async def async_stop(self) -> None:
        """End what runs and wait for the restore, while Home Assistant can still do it."""
        if self._task is not None and self.is_running:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _async_run(
        self, release: Release, *, chosen: bool, context: Context
    ) -> InstallResult:
        """Run one install and see to everything around it."""
        coordinator = self._coordinator
        coordinator.async_begin(release.image.kind)
        note: OpenInstall = {
            "stage": InstallStage.CHECKING,
            "sha256": release.image.sha256,
            "version": release.version,
            "before": coordinator.facts().version,
            "user": context.user_id,
            "chosen": chosen,
            "started": dt_util.utcnow().isoformat(),
        }
        self._press = Press.now(release, coordinator.data.installed, context)
        LOGGER.info(
            "%s: install of %s %s (%s) begins, %s runs",
            self._entry.title,
            release.firmware,
            release.version,
            release.image.sha256[:12],
            coordinator.data.installed or "an unknown version",
        )

        async def work() -> InstallResult:
            coordinator.raise_for_other_module()
            raise_for_third_offer(self._hass, coordinator, release)
            safe_state = self._safe_state(context, self._entry.options)
            parts = await async_prepare(coordinator, release, chosen=chosen)
            async_clear_module_issues(self._hass, self._entry.entry_id, failure=False)
            return await self._install(parts, safe_state, note).run()

        with coordinator.house.holding(release.image.sha256):
            return await self._async_to_its_end(release, work())

    async def _async_to_its_end(
        self, release: Release, work: Coroutine[Any, Any, InstallResult]
    ) -> InstallResult:
        """Do the work of one install, and see to everything after it whatever it ended as."""
        result = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)
        try:
            result = await work
        except OtaError as err:
            result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        except asyncio.CancelledError:
            result = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
            if self._current is not None:
                result = self._current.result  # it knows whether the equipment was restored
            raise
        except Exception:  # noqa: BLE001 - logged here, told to the caller as INTERNAL
            LOGGER.exception("%s: install ended by an error of ours", self._entry.title)
        finally:
            self._coordinator.desk.dismiss()
            self._current = None  # and with it the bytes
            await async_count(self._hass, self._coordinator, release, result)
            await self._async_finish(release, result)
        return result

    def _log_fallback(self, transport: str, err: OtaError) -> None:
        LOGGER.info("%s: %s failed (%s), trying the next way", self._entry.title, transport, err)

    def _safe_state(self, context: Context, options: Mapping[str, Any]) -> SafeState:
        """Return the safe state the person chose; raises SafeStateError when none was chosen."""
        house = self._coordinator.house
        return safe_state_for(self._hass, house, self._entry.title, options, context)

    def _install(self, parts: list[Part], safe_state: SafeState, note: OpenInstall) -> Install:
        """Put one install together."""
        coordinator = self._coordinator

        async def on_stage(stage: InstallStage) -> None:
            if stage in _JOURNALLED:
                note["stage"] = stage
                await self._journal.async_write(self._entry.entry_id, note)

        ports = Ports(
            facts=lambda: replace(coordinator.facts(), version=note["before"]),
            observer=coordinator.watch,
            safe_state=safe_state,
            transports=transports_for(coordinator),
            turn=coordinator.house.turn(),
            on_stage=on_stage,
            on_progress=coordinator.async_set_progress,
            check_identity=coordinator.raise_for_other_module,
            on_fallback=self._log_fallback,
            on_delivered=coordinator.async_delivered,
            on_refused=coordinator.async_refused,
        )
        self._current = Install(
            parts,
            ports,
            accepted=coordinator.accepted,
            limits=coordinator.house.patience.install,
        )
        return self._current

    async def _async_finish(self, release: Release, result: InstallResult) -> None:
        """Show, remember and log what it ended as; ask the person where one is needed."""
        coordinator = self._coordinator
        if result.verdict.is_success and release.image.kind is ImageKind.FILESYSTEM:
            coordinator.async_delivered(release.image, Delivery.ACCEPTED)
        elif result.verdict.is_success:
            stated = result.version
            self._coordinator.async_set_installed(
                stated or release.version, release.firmware, assumed=stated is None
            )
        await self._async_tell(result)
        if result.cause in {Cause.WRONG_PASSWORD, Cause.PASSWORD_MISSING}:
            self._entry.async_start_reauth(self._hass)
        await self.async_close(result)

    async def async_close(self, result: InstallResult) -> None:
        """Close the journal, and tell when the equipment was not restored."""
        if result.restore_error is not None:
            if self._hass.is_stopping:
                return  # no sequence runs any more; the open journal restores at the next start
            self._tell_restore(result)
        await self._journal.async_close(self._entry.entry_id)

    async def _async_tell(self, result: InstallResult) -> None:
        """Say it in the same words to everybody: card, event, repair, log, logbook."""
        assert self._press is not None
        outcome = await async_outcome(self._hass, self._entry.title, self._press, result)
        self._coordinator.async_set_outcome(outcome)
        device = self._coordinator.device
        async_tell(self._hass, self._entry, device.id if device else None, outcome)

    def _tell_restore(self, result: InstallResult) -> None:
        stayed = result.restore_error is Cause.DID_NOT_COME_BACK
        async_raise_module_issue(
            self._hass,
            self._entry.entry_id,
            "stayed_safe" if stayed else "restore_failed",
            {"module": self._entry.title, "detail": result.restore_facts.get("detail", "")},
        )

    @callback
    def async_recover(self) -> None:
        """Pick up an install that was open when Home Assistant died (design §7)."""
        if (note := self._journal.open_install(self._entry.entry_id)) is None or self.is_running:
            return
        LOGGER.info("%s: an install was interrupted while %s", self._entry.title, note["stage"])
        self.async_start(
            self._async_recover(note)
        )  # nobody waits for it: the card and a repair tell

    async def _async_recover(self, note: OpenInstall) -> InstallResult:
        try:
            tried = note.get("tried", self._entry.options)
            safe_state = self._safe_state(Context(), tried)
        except SafeStateError:
            safe_state = NothingToSecure()
        release = self._coordinator.house.library.get(note["sha256"])
        firmware = release.firmware if release else self._coordinator.data.firmware or "?"
        self._press = Press.noted(note, firmware)
        if note["stage"] == InstallStage.QUEUED and release is not None:
            return await self._async_run(
                release, chosen=note.get("chosen", True), context=self._press.context
            )
        if note["stage"] not in _DELIVERED or release is None:
            return await self._async_restore(note, safe_state)
        # The module has the bytes, or never will: what they were is enough to judge.
        nothing = Payload(data=b"", kind=release.image.kind, md5=release.image.md5)
        parts = [part_of(self._coordinator, release, nothing, chosen=True)]
        install = self._install(parts, safe_state, note)
        result = await self._async_to_its_end(release, install.resume(Delivery.UNCONFIRMED))
        if not result.verdict.is_success and result.restore_error is None:
            self._tell_interrupted(note)
        return result

    async def _async_restore(self, note: OpenInstall, safe_state: SafeState) -> InstallResult:
        """Restore what a dead Home Assistant made safe; there is nothing to carry on with."""
        self._coordinator.async_set_progress(InstallProgress(stage=InstallStage.RESTORING))
        result = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERRUPTED)
        try:
            await safe_state.leave(result)
        except SafeStateError as err:
            result = replace(result, restore_error=err.cause, restore_facts=err.facts)
            self._tell_restore(result)
        else:
            self._tell_interrupted(note)
        if "tried" in note:
            self._coordinator.async_set_progress(None)
        else:
            await self._async_tell(result)
        await self._journal.async_close(self._entry.entry_id)
        return result

    def _tell_interrupted(self, note: OpenInstall) -> None:
        async_clear_update_issue(self._hass, self._entry.entry_id)  # this one says more
        sent = note["stage"] not in {InstallStage.MAKING_SAFE, InstallStage.SENDING}
        key = "interrupted_unproven" if sent else "interrupted"
        async_raise_module_issue(
            self._hass,
            self._entry.entry_id,
            "interrupted_try" if "tried" in note else key,
            {"module": self._entry.title, "version": note["version"]},
        )
