"""One update of one guest, with everything around its steps: journal, equipment, telling."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
import time
from typing import Any, Final

import voluptuous as vol

from homeassistant.components.update import (
    ATTR_VERSION,
    DOMAIN as UPDATE_DOMAIN,
    SERVICE_INSTALL,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized

from ..const import CONF_EQUIPMENT, LOGGER
from ..equipment import Equipment, safe_state_for, safe_state_noted
from ..house import InstallNote, JournalError, restored_result, stored_result
from ..installs import Turn
from ..issues import async_clear_module_issues
from ..modules import Press
from ..ota import (
    Cause,
    GuestPorts,
    GuestStep,
    InstallRefused,
    InstallResult,
    InstallStage,
    OtaError,
    SafeStateError,
    Verdict,
    carry_through,
)
from ..owners import GuestOwner
from .guest import Guest
from .telling import async_end

CANCELLED: Final = InstallResult(verdict=Verdict.CANCELLED, cause=Cause.CANCELLED)
_INTERNAL: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.INTERNAL)
_INTERRUPTED: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.GUEST_INTERRUPTED)
_NOT_BEGUN: Final = {InstallStage.QUEUED, InstallStage.MAKING_SAFE, InstallStage.SENDING}
"""What cannot be written then is not done: after a crash nobody would know of it."""
_CALLED: Final = {InstallStage.SENDING, InstallStage.VERIFYING}
"""In them its integration may have been told, and only the proof is left to wait for."""


class GuestRun:
    """Owned by the task that runs it."""

    def __init__(self, hass: HomeAssistant, guest: Guest, note: InstallNote, press: Press) -> None:
        """Take what the journal says of it, or is going to."""
        self._hass = hass
        self._journal = guest.house.journal
        self._step: GuestStep | None = None
        self._equipment: Equipment | None = None
        self._is_picked_up = False
        self.guest = guest
        self.note = note
        self.press = press
        self.on_changed: Callable[[], None] = lambda: None
        """Called whenever it stands elsewhere."""
        self.turn = Turn(hass, guest, note, lambda _progress: self.on_changed(), self._admit)
        self.result = CANCELLED
        """What it ended as."""
        self.sentence = ""
        """The same for people, once it has ended."""
        self.is_put_aside = self._may_wait_on = False
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
            await self._note(InstallStage.QUEUED)

    def put_aside(self) -> None:
        """Let a cancelling that comes now leave what can wait for the next start."""
        self._may_wait_on = True
        if self._step is not None:
            self._step.may_be_put_aside = True

    # The ways through it

    async def run(self) -> InstallResult:
        """Run it from the beginning."""
        self.turn.join()
        return await self._to_its_end(self._from_the_beginning())

    async def pick_up(self) -> InstallResult:
        """Go on with what a dead Home Assistant left; nothing is ever called a second time."""
        LOGGER.info("%s: an update was interrupted while %s", self.guest.title, self.stage)
        if self.stage is InstallStage.QUEUED:
            return await self.run()
        self._is_picked_up = True
        if self.stage in _CALLED:
            self.turn.join(is_open=True)
            return await self._to_its_end(self._resumed())
        return await self._to_its_end(self._put_back())

    async def _from_the_beginning(self) -> InstallResult:
        guest = self.guest
        if CONF_EQUIPMENT not in (options := guest.options):
            raise InstallRefused(Cause.GUEST_EQUIPMENT)
        self.note["guest"] = {**self.note.get("guest", {}), "options": dict(options)}
        await self.turn.async_open()
        safe_state = safe_state_for(
            self._hass, guest.house, guest, options, self.press.context, on_wait=self._on_wait
        )
        async_clear_module_issues(self._hass, guest.entry_id, failure=False)
        return await self._steps(safe_state).run()

    async def _resumed(self) -> InstallResult:
        return await self._steps(self._safe_state_noted).resume()

    async def _put_back(self) -> InstallResult:
        """Restore the equipment, and tell what was decided."""
        stored = self.note.get("result")
        result = restored_result(stored) if stored else _INTERRUPTED
        if self.stage is InstallStage.DONE:
            return result
        self._equipment = self._safe_state_noted
        await self._note(InstallStage.RESTORING, result)
        leaving, cancelled = await carry_through(self._equipment.leave(result))
        try:
            result = replace(result, restore_unread=not leaving.result())
        except SafeStateError as err:
            result = replace(result, restore_error=err.cause, restore_facts=err.facts)
        if cancelled:
            self.result = result
            raise asyncio.CancelledError
        return result

    @property
    def _safe_state_noted(self) -> Equipment:
        """What was made safe, also where something else is configured by now."""
        owner = GuestOwner.noted(self.guest.entry_id, self.note)
        return safe_state_noted(self._hass, self.guest.house, owner, self.note, self._on_wait)

    def _steps(self, safe_state: Equipment) -> GuestStep:
        self._equipment = safe_state
        ports = GuestPorts(
            state=self.guest.state,
            any_version=self.guest.any_version,
            install=self._install,
            look=self._look,
            safe_state=safe_state,
            turn=self.turn,
            on_stage=self._on_stage,
            now=time.monotonic,
        )
        self._step = GuestStep(
            ports=ports,
            wanted=self.note["version"],
            before=self.note["before"],
            limits=self.guest.house.patience.guest,
            may_be_put_aside=self._may_wait_on,
        )
        return self._step

    async def _look(self) -> None:
        if self.stage is InstallStage.VERIFYING:
            self.guest.async_ask()
        await self.guest.look()
        self.on_changed()

    async def _admit(self) -> None:
        assert self._equipment is not None
        await self._equipment.admit()

    def _on_wait(self, names: str | None) -> None:
        """Show for whom it waits because of the equipment."""
        if names is not None and self.stage in {InstallStage.CHECKING, InstallStage.QUEUED}:
            self.turn.wait_for_equipment(names)

    async def _install(self) -> None:
        """Have its integration install; returns or raises when the call has ended."""
        guest, wanted = self.guest, self.note["version"]
        data = {ATTR_ENTITY_ID: guest.entity_id}
        if guest.state().latest != wanted:
            data[ATTR_VERSION] = wanted
        LOGGER.info("%s: its integration is told to install %s", guest.title, wanted)
        try:
            await self._hass.services.async_call(
                UPDATE_DOMAIN, SERVICE_INSTALL, data, blocking=True, context=self.press.context
            )
        except (ServiceValidationError, Unauthorized, vol.Invalid) as err:
            raise InstallRefused(Cause.GUEST_REFUSED, detail=_said(err)) from err
        except HomeAssistantError as err:
            raise OtaError(Cause.GUEST_FAILED, detail=_said(err)) from err
        except Exception as err:  # an integration raises whatever it has not caught
            LOGGER.warning("%s: its update ended by %r", guest.title, err)
            raise OtaError(Cause.GUEST_FAILED, detail=_said(err)) from err

    # Journal and end

    async def _on_stage(self, stage: InstallStage) -> None:
        """Write a stage before it takes effect; raises InstallRefused for one that cannot be."""
        assert self._step is not None
        decided = stage in {InstallStage.RESTORING, InstallStage.DONE}
        lost = await self._note(stage, self._step.result if decided else None)
        if lost is not None and stage in _NOT_BEGUN:
            raise InstallRefused(lost.cause, **lost.facts)

    async def _note(
        self, stage: InstallStage, decided: InstallResult | None = None
    ) -> JournalError | None:
        """Write a stage to the journal; return why it is not on disk, where it is not."""
        self.note["stage"] = stage
        self.on_changed()
        if self._equipment is not None:
            self.note["equipment"] = dict(self._equipment.kept)
        self.note.pop("result", None)
        if decided is not None:
            self.note["result"] = stored_result(decided)
        try:
            await self._journal.async_write(self.guest.entry_id, self.note)
        except JournalError as err:
            LOGGER.error("%s: not on disk while %s: %s", self.guest.title, stage, err)
            return err
        return None

    async def _to_its_end(self, work: Coroutine[Any, Any, InstallResult]) -> InstallResult:
        """Do the work of one update, and see to everything after it whatever it ended as."""
        try:
            return await self._ended(work)
        finally:
            self.turn.leave()

    async def _ended(self, work: Coroutine[Any, Any, InstallResult]) -> InstallResult:
        try:
            self.result = await work
        except OtaError as err:
            self.result = InstallResult(verdict=Verdict.REFUSED, cause=err.cause, facts=err.facts)
        except asyncio.CancelledError:
            waited = self._may_wait_on and self.stage is InstallStage.QUEUED
            self.is_put_aside = waited or bool(self._step and self._step.is_put_aside)
            if self._step is not None:
                self.result = self._step.result
            if self.is_put_aside:
                await carry_through(self._note(self.stage))
            else:
                await self._tell()
            raise
        except Exception:  # noqa: BLE001 - logged here, told to the caller as INTERNAL
            LOGGER.exception("%s: its update ended by an error of ours", self.guest.title)
            self.result = _INTERNAL
        await self._tell()
        return self.result

    async def _tell(self) -> None:
        """Tell and close; once begun this is carried to its end, cancelled or not."""
        telling, cancelled = await carry_through(self._finish())
        telling.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _finish(self) -> None:
        if self.result.verdict.is_success and not self._is_picked_up:
            self._journal.note_took(self.guest.entry_id, self.turn.seconds)
        if self.stage is InstallStage.QUEUED:  # or it would run after a crash, told to have ended
            await self._note(InstallStage.DONE, self.result)
        self.sentence = await async_end(self._hass, self.guest, self.press, self.result)


def _said(err: Exception) -> str:
    """Return what an integration says."""
    return str(err).strip() or type(err).__name__
