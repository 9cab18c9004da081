"""How far the installs of one module are, told to its server one line after the other."""

import asyncio
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import LOGGER
from ..helpers import async_said
from ..modules import ModuleCoordinator
from ..ota import DdiExecution, DdiTarget, Finished, InstallProgress, InstallStage, SourceError
from .note import TargetNote

_TOLD: Final = {
    InstallStage.MAKING_SAFE: "server_making_safe",
    InstallStage.SENDING: "server_sending",
    InstallStage.RESTARTING: "server_restarting",
    InstallStage.VERIFYING: "server_verifying",
}
"""Before them nothing has begun, and after them it is over."""
_STEP: Final = 20
"""Percent; a server keeps 50 lines of one update and less of its progress."""


class Progress:
    """Best effort: what cannot be told is left out, the ending is told by others."""

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: ModuleCoordinator,
        note: TargetNote,
        at_server: DdiTarget,
    ) -> None:
        """Take the module; nothing is told before `async_start`."""
        self._hass = hass
        self._coordinator = coordinator
        self._note = note
        self._server = at_server
        self._last = ""
        self._next: str | None = None
        self._task: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()
        """Held while something is told: what comes after the ending would open it again."""

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow the module; returns what ends that."""
        return self._coordinator.async_add_listener(self._look)

    @callback
    def _look(self) -> None:
        progress = self._coordinator.data.progress
        if progress is None:
            self._last = ""
            return
        if (key := _line(progress)) is None or not self._is_ours:
            return
        name = self._coordinator.config_entry.title
        if (line := async_said(self._hass, key, {}, module=name)) == self._last:
            return
        self._last = self._next = line
        if self._task is None or self._task.done():
            entry = self._coordinator.config_entry
            self._task = entry.async_create_background_task(
                self._hass, self._async_tell(), f"ESP OTA progress of {entry.title}"
            )

    @property
    def _is_ours(self) -> bool:
        assigned, coordinator = self._note.get("assigned"), self._coordinator
        note = coordinator.house.journal.open_install(coordinator.config_entry.entry_id)
        return bool(assigned and note and note["sha256"] == assigned["sha256"])

    async def _async_tell(self) -> None:
        while (line := self._next) is not None:
            self._next = None
            async with self.lock:
                if (assigned := self._note.get("assigned")) is None:
                    return
                try:
                    await self._server.say(
                        assigned["action"], DdiExecution.PROCEEDING, Finished.NONE, [line]
                    )
                except SourceError as err:
                    LOGGER.debug("The server was not told how far it is: %s", err)


def _line(progress: InstallProgress) -> str | None:
    """Return the name of a text, or the one text that goosebit makes a bar of."""
    if progress.percent is not None:
        return f"Downloaded {progress.percent // _STEP * _STEP}%"
    return _TOLD.get(progress.stage)
