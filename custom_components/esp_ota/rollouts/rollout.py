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
from ..house import HOUSE
from ..installs import Asked, InstallRun, ModuleRuntime
from ..modules import ModuleCoordinator
from ..ota import (
    AllEnded,
    Cause,
    InstallResult,
    InstallStage,
    MemberState,
    Reason,
    RolloutPorts,
    RolloutRun,
    Stop,
    Waits,
    priority_in,
    wave_of,
    waves_of,
)
from .ends import judged, left_behind, not_wanted
from .note import OPEN, RolloutNote, RolloutState, counts, states_of, terms_of
from .selection import runtime_of

_OVER: Final = Reason(why=Waits.TURN)
_GOES_ON: Final = {RolloutState.PLANNED, RolloutState.RUNNING}


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
        states = enumerate(self._run.states)
        self._unknown = {n for n, state in states if self._may_have_run(n, state)}
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

    def _may_have_run(self, index: int, state: MemberState) -> bool:
        """Whether nobody knows whether it works with a module that had begun before a restart."""
        note = self._house.journal.open_install(self.note["members"][index]["entry_id"])
        is_queued = note is not None and note["stage"] == InstallStage.QUEUED
        return state is MemberState.BEGUN and not is_queued

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

    # One member

    async def _async_update(self, index: int, wave: int) -> MemberState:
        """Have a member updated, and return how that ended."""
        member = self.note["members"][index]
        runtime = await self._async_free(member["entry_id"])
        if index in self._taken_back:
            return MemberState.WAITS
        if (end := not_wanted(self._hass, member)) is not None:
            return self._ended(index, *end)
        release = self._house.library.get(member["sha256"])
        assert runtime is not None
        assert release is not None
        installer = runtime.installer
        try:
            installer.raise_if_running()
        except HomeAssistantError:  # Home Assistant stops
            return MemberState.WAITS
        run = installer.async_begin(
            release,
            Context(user_id=self.note["user"]),
            chosen=self.note["chosen"],
            asked=self._asked(index, wave, runtime.coordinator),
        )
        task = self._house.running[member["entry_id"]]
        self._ours.add(index)
        began = dt_util.utcnow()
        try:
            await asyncio.wait({task})
        finally:
            self._ours.discard(index)
        if run.is_put_aside:
            return await self._async_follow(index)
        member["seconds"] = round((dt_util.utcnow() - began).total_seconds())
        assert self._run is not None
        return self._run.states[index]

    def _asked(self, index: int, wave: int, coordinator: ModuleCoordinator) -> Asked:
        return Asked(
            rollout=self.note["id"],
            priority=priority_in(wave),
            ways=self.note["ways"],
            window=self.note["window"],
            gate=self._gate,
            on_over=lambda is_over: self._on_over(index, is_over),
            on_end=lambda run: self._on_end(index, run, coordinator),
        )

    @callback
    def async_claim(self, entry_id: str) -> Asked | None:
        """Return what is asked of an update that goes on; None where it is not wanted any more."""
        entry_ids = [member["entry_id"] for member in self.note["members"]]
        runtime = runtime_of(self._hass.config_entries.async_get_entry(entry_id), is_starting=True)
        if entry_id not in entry_ids or runtime is None:
            return None
        index = entry_ids.index(entry_id)
        if self.state not in _GOES_ON and self._run is None:
            return None
        wave = wave_of(self._terms, states_of(self.note), index)
        return self._asked(index, wave, runtime.coordinator)

    def _gate(self) -> Reason | None:
        """Let nobody begin after a pause, when too many have failed, or before that is known.

        After a restart nobody before it lives again.
        """
        is_held = self._run is None or self._run.is_held
        return _OVER if is_held or self._unknown else None

    def _on_over(self, index: int, is_over: bool) -> None:  # noqa: FBT001 - see `Asked`
        (self._unknown.add if is_over else self._unknown.discard)(index)
        if not is_over and self._run is not None and self._run.is_held and not self._is_closing:
            # It comes back into the queue, where nobody lets it begin any more.
            self._hass.async_create_task(self._async_take_one_back(index), "ESP OTA take back")

    def _on_end(self, index: int, run: InstallRun, coordinator: ModuleCoordinator) -> None:
        if run.is_put_aside:
            return
        self._unknown.discard(index)
        if self._run is not None:
            self._run.ended(index, self._judge(index, run.result, coordinator))

    async def _async_free(self, entry_id: str) -> ModuleRuntime | None:
        """Return a module once nothing else runs on it, None for one that is not there."""
        while (runtime := runtime_of(self._hass.config_entries.async_get_entry(entry_id))) and (
            runtime.installer.is_running
        ):
            await asyncio.wait({self._house.running[entry_id]})
        return runtime

    async def _async_follow(self, index: int) -> MemberState:
        """Return how an update ends that goes on after a restart or a reload."""
        self._ours.add(index)
        try:
            return await self._async_followed(index)
        finally:
            self._ours.discard(index)
            self._unknown.discard(index)

    async def _async_followed(self, index: int) -> MemberState:
        member = self.note["members"][index]
        entry_id, result = member["entry_id"], None
        while (note := self._house.journal.open_install(entry_id)) is not None:
            task = self._house.running.get(entry_id)
            if task is None or task.done():
                await asyncio.sleep(self._house.patience.look_again)
                continue
            await asyncio.wait({task})
            is_ours = note["sha256"] == member["sha256"]
            result = task.result() if is_ours and not task.cancelled() else None
        entry = self._hass.config_entries.async_get_entry(entry_id)
        if result is not None and (runtime := runtime_of(entry)) is not None:
            return self._judge(index, result, runtime.coordinator)
        end = left_behind(self._hass, member)
        return self._ended(index, *end) if end else MemberState.WAITS

    def _judge(
        self, index: int, result: InstallResult, coordinator: ModuleCoordinator
    ) -> MemberState:
        state = judged(result)
        is_cancelled = state is MemberState.CANCELLED and result.cause is Cause.CANCELLED
        if is_cancelled and (index in self._taken_back or self._is_closing):
            return MemberState.WAITS
        outcome = coordinator.data.outcome
        sentence = outcome.sentence if outcome else str(result.cause or result.verdict)
        return self._ended(index, state, sentence, str(result.cause) if result.cause else None)

    def _ended(
        self, index: int, state: MemberState, sentence: str, cause: str | None = None
    ) -> MemberState:
        member = self.note["members"][index]
        member["sentence"], member["cause"] = sentence, cause
        return state

    async def _async_take_back(self) -> None:
        """Take those out of the queue whose turn has not come."""
        states = self._run.states if self._run else ()
        self._taken_back |= {n for n, state in enumerate(states) if state is MemberState.BEGUN}
        for index in list(self._ours):
            await self._async_take_one_back(index)

    async def _async_take_one_back(self, index: int) -> None:
        entry_id = self.note["members"][index]["entry_id"]
        runtime = runtime_of(self._hass.config_entries.async_get_entry(entry_id))
        if runtime is None or not runtime.installer.is_waiting:
            self._taken_back.discard(index)
            return
        self._taken_back.add(index)
        with suppress(HomeAssistantError):  # it has ended meanwhile
            await runtime.installer.async_cancel(None)
