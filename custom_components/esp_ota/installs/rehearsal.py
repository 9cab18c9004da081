"""Trying a safe state without an update: all its steps, and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import time
from typing import Any

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import CONF_EQUIPMENT, CONF_SAFE_STATE, LOGGER
from ..equipment import Equipment, SafeStep, safe_state_for
from ..helpers import error_for, spelled_out
from ..house import InstallNote
from ..ota import (
    Cause,
    InstallResult,
    InstallStage,
    OtaError,
    SafeStateError,
    Verdict,
    restore,
)
from .finishing import async_close
from .installer import ModuleConfigEntry


class Rehearsal:
    """One try, and what became of each step."""

    def __init__(self) -> None:
        """Nothing was begun yet."""
        self.seconds: dict[SafeStep, float] = {}
        """How long each step took that was begun."""
        self.errors: dict[SafeStep, OtaError] = {}
        """Why a step failed, the restore last."""
        self.step = SafeStep.INHIBIT
        """The step that runs, or ran last."""
        self.result = InstallResult(verdict=Verdict.CANCELLED)
        """What an install would have ended as; only the restore tells in it."""
        self.waits_for: str | None = None
        """Names of the modules whose update needs the same equipment, and runs."""
        self.is_done = False
        self.task: asyncio.Task[InstallResult] | None = None
        """What runs it."""
        self._since = time.monotonic()
        self._moved = asyncio.Event()

    def on_step(self, step: SafeStep) -> None:
        """Note that a step begins, which ends the one before."""
        now = time.monotonic()
        if self.seconds:
            self.seconds[self.step] += now - self._since
        self.seconds.setdefault(step, 0.0)
        self.step, self._since = step, now
        self._wake()

    def on_wait(self, names: str | None) -> None:
        """Note for whom it waits."""
        self.waits_for = names
        if names is not None:
            self.on_step(SafeStep.TURN)

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_to_leave(self, step: SafeStep) -> None:
        """Return when another step runs, or none any more."""
        while self.step is step and not self.is_done:
            await self._moved.wait()

    def cancel(self) -> None:
        """Restore at once; a restore that runs is carried to its end."""
        assert self.task is not None
        self.task.cancel()

    async def run(
        self, safe_state: Equipment, note: Callable[[Mapping[str, object]], Awaitable[None]]
    ) -> None:
        """Go through all steps; `note` is awaited before equipment is touched.

        It gets what is to be kept of the equipment.

        Raises only when it is cancelled, after the restore.
        """
        try:
            await safe_state.admit()
            async with safe_state.alone():
                await safe_state.admit()
                await note(safe_state.kept)
                await self._act(safe_state)
        except OtaError as err:
            self.errors[self.step] = err
        except asyncio.CancelledError:
            self.errors.setdefault(self.step, OtaError(Cause.CANCELLED))
            raise
        except Exception:  # noqa: BLE001 - logged here, told as INTERNAL
            LOGGER.exception("A try of a safe state ended by an error of ours")
            self.errors[self.step] = OtaError(Cause.INTERNAL)
        finally:
            self.on_step(self.step)
            self.is_done = True
            self._wake()

    async def _act(self, safe_state: Equipment) -> None:
        """Make it safe and restore exactly once, whatever became of it."""
        try:
            await safe_state.enter()
        except SafeStateError as err:
            self.errors[self.step] = err
        finally:
            self.result, cancelled = await restore(safe_state, self.result)
            if (cause := self.result.restore_error) is not None:
                self.errors[self.step] = SafeStateError(cause, **self.result.restore_facts)
        if cancelled:
            raise asyncio.CancelledError


@callback
def async_rehearse(
    hass: HomeAssistant, entry: ModuleConfigEntry, options: Mapping[str, Any]
) -> Rehearsal:
    """Begin to try the safe state of such options, where an install would run.

    Raises HomeAssistantError while one does, and when there is nothing to try.
    """
    house, installer = entry.runtime_data.coordinator.house, entry.runtime_data.installer
    installer.raise_if_running()
    rehearsal = Rehearsal()
    try:
        safe_state = safe_state_for(
            hass,
            house,
            entry,
            options,
            Context(),
            on_step=rehearsal.on_step,
            on_wait=rehearsal.on_wait,
        )
    except SafeStateError as err:
        raise error_for(
            err.cause, spelled_out(hass, err.facts, module=entry.title), module=entry.title
        ) from err
    note: InstallNote = {
        "stage": InstallStage.MAKING_SAFE,
        "sha256": "",
        "version": "",
        "before": None,
        "started": dt_util.utcnow().isoformat(),
        "tried": {key: options[key] for key in (CONF_EQUIPMENT, CONF_SAFE_STATE) if key in options},
    }

    async def write(kept: Mapping[str, object]) -> None:
        note["equipment"] = dict(kept)
        await house.journal.async_write(entry.entry_id, note)

    async def run() -> InstallResult:
        LOGGER.info("%s: its safe state is tried", entry.title)
        try:
            await rehearsal.run(safe_state, write)
        finally:
            await async_close(hass, house, entry, note, rehearsal.result)
        return rehearsal.result

    rehearsal.task = installer.async_start(run())
    return rehearsal
