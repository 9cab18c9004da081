"""One update of one guest, with everything around its steps: journal, equipment, telling."""

from collections.abc import Callable
from dataclasses import replace
import time
from typing import Final, override

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
from ..equipment import Equipment, safe_state_for, safe_state_of_turn
from ..house import InstallNote, JournalError
from ..installs import NotedRun
from ..issues import async_clear_module_issues
from ..modules import Press
from ..ota import (
    Cause,
    GuestPorts,
    GuestStep,
    InstallProgress,
    InstallRefused,
    InstallResult,
    InstallStage,
    OtaError,
    Verdict,
)
from ..owners import GuestOwner, Owner
from .guest import Guest
from .telling import async_learn, async_told

_INTERRUPTED: Final = InstallResult(verdict=Verdict.FAILED, cause=Cause.GUEST_INTERRUPTED)
_CALLED: Final = {InstallStage.SENDING, InstallStage.VERIFYING}
"""In them its integration may have been told, and only the proof is left to wait for."""


class GuestRun(NotedRun):
    """Owned by the task that runs it."""

    def __init__(self, hass: HomeAssistant, guest: Guest, note: InstallNote, press: Press) -> None:
        """Take what the journal says of it, or is going to."""
        super().__init__(hass, guest, note, press)
        self.guest = guest
        self.on_changed: Callable[[], None] = lambda: None
        """Called whenever it stands elsewhere."""
        self.sentence = ""
        """What it ended as, for people."""

    # The ways through it

    async def run(self) -> InstallResult:
        """Run it from the beginning."""
        self.turn.join()
        return await self.to_its_end(self._from_the_beginning())

    async def pick_up(self) -> InstallResult:
        """Go on with what a dead Home Assistant left; nothing is ever called a second time."""
        LOGGER.info("%s: an update was interrupted while %s", self.guest.title, self.stage)
        is_queued, key = self.stage is InstallStage.QUEUED, self.guest.entry_id
        if is_queued and "rollout" not in self.note and self._house.is_of_another_time(key):
            return await self.to_its_end(_stale())
        if is_queued:
            return await self.run()
        self._is_noted = True
        if self.stage in _CALLED:
            self.turn.join(is_open=True)
            return await self.to_its_end(self._resumed())
        return await self.to_its_end(self._put_back())

    async def _from_the_beginning(self) -> InstallResult:
        guest = self.guest
        safe_state = safe_state_of_turn(self._house, guest, self._safe_state)
        self._raise_for_third_try()
        await self.turn.async_open()
        async_clear_module_issues(self._hass, guest.entry_id, failure=False)
        return await self._step(safe_state).run()

    def _safe_state(self) -> Equipment:
        """Return what it is by the answers of now, and note these: they may be taken away.

        Raises InstallRefused where nobody has said anything, SafeStateError where that is no use.
        """
        guest = self.guest
        if CONF_EQUIPMENT not in (options := guest.options):
            raise InstallRefused(Cause.GUEST_EQUIPMENT)
        self.note["guest"] = {**self.note.get("guest", {}), "options": dict(options)}
        return safe_state_for(
            self._hass, self._house, guest, options, self.press.context, on_wait=self._on_wait
        )

    async def _resumed(self) -> InstallResult:
        return await self._step(self.safe_state_noted).resume()

    async def _put_back(self) -> InstallResult:
        """Restore the equipment unless that was done, and tell what was decided."""
        result = self.decided(_INTERRUPTED)
        return result if self.stage is InstallStage.DONE else await self.async_put_back(result)

    @property
    @override
    def _made_safe_by(self) -> Owner:
        return GuestOwner.noted(self.guest.entry_id, self.note)

    def _step(self, safe_state: Equipment) -> GuestStep:
        self._equipment = safe_state
        ports = GuestPorts(
            state=self.guest.state,
            any_version=self.guest.any_version,
            confirm=self._confirm,
            install=self._install,
            look=self._look,
            safe_state=safe_state,
            turn=self.turn,
            on_stage=self._note_or_refuse,
            now=time.monotonic,
        )
        self._steps = step = GuestStep(
            ports=ports,
            wanted=self.note["version"],
            before=self.note["before"],
            limits=self.guest.house.patience.guest,
        )
        if self._may_wait_on:
            step.put_aside()
        return step

    def _confirm(self) -> None:
        if (module := self.guest.module) is not None:
            raise InstallRefused(Cause.GUEST_IS_MODULE, other=module.title)

    async def _look(self) -> None:
        if self.stage is InstallStage.VERIFYING:
            self.guest.async_ask()
        await self.guest.look()
        self.on_changed()

    @override
    def _on_told(self, progress: InstallProgress) -> None:
        self.on_changed()

    @override
    async def async_note(
        self, stage: InstallStage, decided: InstallResult | None = None
    ) -> JournalError | None:
        lost = await super().async_note(stage, decided)
        self.on_changed()
        return lost

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

    @override
    async def _tell(self) -> None:
        await self._house.pace.turn()  # hundreds may end at once, when all are taken back
        await self._count()
        await async_learn(self.guest, self.press, self.result)
        self.sentence = await async_told(self._hass, self.guest, self.press, self.result)
        await self._close(self.sentence)


async def _stale() -> InstallResult:
    """Return what one is that waited when Home Assistant went away for long."""
    return replace(_INTERRUPTED, verdict=Verdict.REFUSED)


def _said(err: Exception) -> str:
    """Return what an integration says."""
    return str(err).strip() or type(err).__name__
