"""One rollout in this house: installs are begun and followed, and what became of them is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..helpers import async_said, reason_of
from ..house import HOUSE
from ..installs import Asked, InstallRun, ModuleRuntime
from ..modules import ModuleCoordinator
from ..ota import (
    AllEnded,
    Cause,
    InstallResult,
    MemberState,
    Reason,
    RolloutPorts,
    RolloutRun,
    Stop,
    Verdict,
    Waits,
    priority_in,
    same_version,
    wave_of,
    waves_of,
)
from .note import OPEN, RolloutNote, RolloutState, counts, states_of, terms_of
from .selection import runtime_of

_OVER: Final = Reason(why=Waits.TURN)


class RolloutEvent(StrEnum):
    """What is told of a rollout."""

    STARTED = "started"
    WAVE_STARTED = "wave_started"
    WAVE_ENDED = "wave_ended"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DONE = "done"


class Rollout:
    """Owned by `Rollouts`, from its plan to its report."""

    def __init__(
        self,
        hass: HomeAssistant,
        note: RolloutNote,
        write: Callable[[], Awaitable[bool]],
        told: Callable[[Rollout, RolloutEvent | None, dict[str, Any]], None],
    ) -> None:
        """Take what is known; nothing runs before `async_start`.

        `write` keeps all notes on disk, `told` hears what happens, and
        with None that it has come further.
        """
        self._hass = hass
        self._house = hass.data[HOUSE]
        self.note = note
        self._write = write
        self._told = told
        self._terms = terms_of(note["terms"])
        self._releases = ExitStack()
        """Keeps what is rolled out in the library, as long as somebody may begin."""
        if self.is_open:
            for sha256 in {member["sha256"] for member in note["members"]}:
                self._releases.enter_context(self._house.holding(sha256))
        self._run: RolloutRun | None = None
        self._task: asyncio.Task[None] | None = None
        self._ours: set[int] = set()
        """Members on which an install of this rollout runs or waits."""
        self._unknown: set[int] = set()
        """Members whose turn is over, and of which nobody knows yet how they ended."""
        self._taken_back: set[int] = set()
        self._is_closing = False
        self._wave_told: tuple[int, bool] | None = None

    @property
    def state(self) -> RolloutState:
        """Where it stands."""
        return RolloutState(self.note["state"])

    @property
    def is_open(self) -> bool:
        """Whether it may still begin an update."""
        return self.state in OPEN

    @property
    def wave(self) -> tuple[int, int]:
        """The wave in which the last one began, and how many there are behind the canaries."""
        states = states_of(self.note)
        begun = [n for n, state in enumerate(states) if state is not MemberState.WAITS]
        now = wave_of(self._terms, states, begun[-1]) if begun else 0
        return now, len(waves_of(self._terms, states)) - 1

    @property
    def progress(self) -> dict[str, Any]:
        """How far it has come, in few words."""
        wave, waves = self.wave
        return {
            "rollout": self.note["id"],
            "firmware": self.note["firmware"],
            "version": self.note["version"],
            "wave": "canaries" if wave == 0 else str(wave),
            "waves": waves,
            "modules": len(self.note["members"]),
            **counts(self.note["members"]),
        }

    # What a person does

    @callback
    def async_start(self) -> None:
        """Run, or go on where the note says."""
        if self._task is not None and not self._task.done():
            self._task = self._hass.async_create_background_task(
                self._async_live(self._task), f"ESP OTA rollout {self.note['id']}"
            )
            return
        self._task = self._hass.async_create_background_task(
            self._async_live(None), f"ESP OTA rollout {self.note['id']}"
        )

    async def async_begin(self) -> None:
        """Begin what was planned."""
        self.note["state"] = RolloutState.RUNNING
        await self._async_note()
        self._tell(RolloutEvent.STARTED)
        self.async_start()

    async def async_pause(self) -> None:
        """Let nothing begin any more; what waits in the queue leaves it, what runs is ended."""
        self.note["state"] = RolloutState.PAUSED
        await self._async_halt()
        self._tell(RolloutEvent.PAUSED)

    async def async_resume(self) -> None:
        """Go on."""
        self.note["state"] = RolloutState.RUNNING
        await self._async_note()
        self._tell(RolloutEvent.RESUMED)
        self.async_start()

    async def async_cancel(self) -> None:
        """Let nothing begin any more, for ever; what runs is carried to its end."""
        self.note["state"] = RolloutState.CANCELLED
        self.note["ended"] = dt_util.utcnow().isoformat()
        self._releases.close()
        await self._async_halt()
        self._tell(RolloutEvent.CANCELLED)

    async def _async_halt(self) -> None:
        await self._async_note()
        if self._run is not None:
            await self._run.halt()
        await self._async_note()

    @callback
    def async_forget(self) -> None:
        """Let go of what was planned and never began."""
        self._releases.close()

    @callback
    def async_close(self) -> None:
        """Home Assistant stops: leave everything as the note says."""
        self._is_closing = True
        if self._task is not None:
            self._task.cancel()

    # Its run

    async def _async_live(self, before: asyncio.Task[None] | None) -> None:
        """Run until it has ended or is halted; what `before` has begun ends first."""
        if before is not None:
            await asyncio.wait({before})
        if self.state is not RolloutState.RUNNING:
            return
        self._taken_back.clear()
        ports = RolloutPorts(
            update=self._async_update,
            follow=self._async_follow,
            take_back=self._async_take_back,
            note=self._async_note,
            on_wave=self._on_wave,
            now=lambda: dt_util.utcnow().timestamp(),
        )
        self._run = RolloutRun(
            self._terms,
            states_of(self.note),
            ports,
            rests=self.note["rests"],
            rest_ends=self.note["rest_ends"],
        )
        try:
            step = await self._run.run()
        except Exception:  # noqa: BLE001 - logged here, and told as a stop
            LOGGER.exception("Rollout %s ended by an error of ours", self.note["id"])
            step = Stop(is_canary=False)
        if step is not None and self.state in OPEN:
            is_done = isinstance(step, AllEnded)
            self.note["state"] = RolloutState.DONE if is_done else RolloutState.STOPPED
            self.note["ended"] = dt_util.utcnow().isoformat()
            self._releases.close()
            await self._async_note()
            self._tell(RolloutEvent.DONE if is_done else RolloutEvent.STOPPED)

    async def _async_note(self) -> None:
        """Write down where it stands; a repair tells when that is not possible."""
        if self._run is not None:
            for member, state in zip(self.note["members"], self._run.states, strict=True):
                member["state"] = str(state)
            self.note["rests"] = self._run.rests
            self.note["rest_ends"] = self._run.rest_ends
        self._told(self, None, {})
        await self._write()

    def _tell(self, event: RolloutEvent | None, **more: Any) -> None:
        self._told(self, event, self.progress | more)

    def _on_wave(self, wave: int, is_over: bool) -> None:  # noqa: FBT001 - a port
        if self._wave_told != (wave, is_over):
            self._wave_told = wave, is_over
            event = RolloutEvent.WAVE_ENDED if is_over else RolloutEvent.WAVE_STARTED
            self._tell(event, wave="canaries" if wave == 0 else str(wave))
