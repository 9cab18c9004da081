"""One rollout in this house: installs are begun and followed, and what became of them is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from enum import StrEnum
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..house import HOUSE
from ..ota import (
    AllEnded,
    MemberState,
    RolloutPorts,
    RolloutRun,
    Stop,
    wave_of,
    waves_of,
)
from .members import Members
from .note import OPEN, RolloutNote, RolloutState, counts, states_of, terms_of
from .report import async_notify


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
        self._members = Members(hass, note, lambda: self._run)
        self._task: asyncio.Task[None] | None = None
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
        before = self._task if self._task is not None and not self._task.done() else None
        self._begin(self._async_live(before))

    @callback
    def async_pick_up(self) -> None:
        """See to what a life has left that died while it was halted, and tell its end."""
        self._begin(self._async_picked_up())

    def _begin(self, life: Coroutine[Any, Any, None]) -> None:
        name = f"ESP OTA rollout {self.note['id']}"
        self._task = self._hass.async_create_background_task(life, name)

    async def async_begin(self) -> None:
        """Begin what was planned."""
        await self._async_run(RolloutEvent.STARTED)

    async def async_pause(self) -> None:
        """Let nothing begin any more; what waits in the queue leaves it, what runs is ended."""
        self.note["state"] = RolloutState.PAUSED
        await self._async_halt()
        if self.state is RolloutState.PAUSED:
            self._tell(RolloutEvent.PAUSED)

    @callback
    def async_hold(self) -> None:
        """Wait for a person: Home Assistant was away for long, or is that of a backup."""
        self.note["state"] = RolloutState.PAUSED
        self._begin(self._async_held())

    async def _async_held(self) -> None:
        await self._async_note()
        self._tell(RolloutEvent.PAUSED)
        async_notify(self._hass, self.note)
        if self.is_left:
            await self._async_picked_up()

    async def async_resume(self) -> None:
        """Go on."""
        await self._async_run(RolloutEvent.RESUMED)

    async def _async_run(self, event: RolloutEvent) -> None:
        """Run, unless a person has halted it while that was written down."""
        self.note["state"] = RolloutState.RUNNING
        await self._async_note()
        if self.state is RolloutState.RUNNING:
            self._tell(event)
            self.async_start()

    async def async_cancel(self) -> None:
        """Let nothing begin any more, for ever; what runs is carried to its end."""
        self.note["state"] = RolloutState.CANCELLED
        self.note["ended"] = dt_util.utcnow().isoformat()
        self._releases.close()
        await self._async_halt()
        await self._async_tell_end()

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
        self._members.is_closing = True
        if self._task is not None:
            self._task.cancel()

    # Its run

    async def _async_live(self, before: asyncio.Task[None] | None) -> None:
        """Run until it has ended or is halted; what `before` has begun ends first."""
        if before is not None:
            await asyncio.wait({before})
        if self.state is not RolloutState.RUNNING:
            return
        self._run = self._new_run()
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
            await self._async_tell_end()

    async def _async_picked_up(self) -> None:
        self._run = self._new_run()
        self._run.is_held = True
        await self._run.run()
        if not self.is_open:
            await self._async_tell_end()

    def _new_run(self) -> RolloutRun:
        self._members.async_begin()
        ports = RolloutPorts(
            update=self._members.async_update,
            follow=self._members.async_follow,
            take_back=self._members.async_take_back,
            note=self._async_note,
            on_wave=self._on_wave,
            now=lambda: dt_util.utcnow().timestamp(),
        )
        return RolloutRun(
            self._terms,
            states_of(self.note),
            ports,
            rests=self.note["rests"],
            rest_ends=self.note["rest_ends"],
        )

    async def _async_tell_end(self) -> None:
        """Tell it, and note that: after a crash in between it is told again."""
        if not self.note.get("is_told", True):
            self._tell(RolloutEvent(self.state))
            self.note["is_told"] = True
            await self._write()

    @property
    def is_left(self) -> bool:
        """Whether a life that died has left something of it although it does not run."""
        is_told = self.is_open or self.note.get("is_told", True)
        return not is_told or MemberState.BEGUN in states_of(self.note)

    async def _async_note(self) -> None:
        """Write down where it stands; a repair tells when that is not possible."""
        if self._run is not None:
            for member, state in zip(self.note["members"], self._run.states, strict=True):
                member["state"] = str(state)
            self.note["rests"] = self._run.rests
            self.note["rest_ends"] = self._run.rest_ends
        self._told(self, None, {})
        ended = [item for item in self.note["members"] if item["state"] != MemberState.BEGUN]
        if await self._write():
            for member in ended:
                self._house.journal.forget_end(self.note["id"], member["entry_id"])

    def _tell(self, event: RolloutEvent | None, **more: Any) -> None:
        self._told(self, event, self.progress | more)

    def _on_wave(self, wave: int, is_over: bool) -> None:  # noqa: FBT001 - a port
        if self._wave_told != (wave, is_over):
            self._wave_told = wave, is_over
            event = RolloutEvent.WAVE_ENDED if is_over else RolloutEvent.WAVE_STARTED
            self._tell(event, wave="canaries" if wave == 0 else str(wave))
