"""The modules of one rollout: each is updated, followed over restarts, and judged."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..helpers import async_said
from ..house import HOUSE
from ..installs import ASKED, Asked
from ..ota import (
    Cause,
    InstallResult,
    InstallStage,
    MemberState,
    Reason,
    RolloutRun,
    Stop,
    Waits,
    next_step,
    priority_in,
    wave_of,
)
from .ends import judged, left_behind, not_wanted
from .note import RolloutNote, RolloutState, states_of, terms_of
from .updaters import Begun, Updater, updater_of

_OVER: Final = Reason(why=Waits.TURN)


class Members:
    """Of one rollout; what became of each is written into its note."""

    def __init__(
        self, hass: HomeAssistant, note: RolloutNote, run_of: Callable[[], RolloutRun | None]
    ) -> None:
        """Take what is known; `run_of` returns the run of this life, None before it begins."""
        self._hass = hass
        self._house = hass.data[HOUSE]
        self._asked = hass.data.setdefault(ASKED, {})
        self._note = note
        self._run_of = run_of
        self._ours: set[int] = set()
        """Members on which an install of this rollout runs or waits."""
        self._unknown: set[int] = set()
        """Members whose turn is over, and of which nobody knows yet how they ended."""
        self._taken_back: set[int] = set()
        self._being_taken: set[int] = set()
        """Those of them that are just being cancelled."""
        self.is_closing = False
        """Whether Home Assistant stops."""
        for index, state in enumerate(states_of(note)):
            if state is MemberState.BEGUN:  # it may go on before the rollout does
                self._ask(index, wave_of(terms_of(note["terms"]), states_of(note), index))
                if not self._is_queued(index):
                    self._unknown.add(index)

    def _is_queued(self, index: int) -> bool:
        """Whether a member that had begun before a restart only waits in the queue."""
        entry_id = self._note["members"][index]["entry_id"]
        install = self._house.journal.open_install(entry_id)
        return install is not None and install["stage"] == InstallStage.QUEUED

    @callback
    def async_begin(self) -> None:
        """Forget who was taken out of the queue by a life of the rollout that is over."""
        self._taken_back.clear()

    async def async_update(self, index: int, wave: int) -> MemberState:
        """Have a member updated, and return how that ended."""
        return self._let_go(index, await self._told(index, self._async_updated(index, wave)))

    async def _told(self, index: int, work: Awaitable[MemberState]) -> MemberState:
        """Return how a member ended, also by an error of ours: the others would wait for it."""
        try:
            return await work
        except Exception:  # noqa: BLE001 - logged here, told as a failure
            member = self._note["members"][index]
            LOGGER.exception("Rollout %s: %s failed", self._note["id"], member["module"])
            said = async_said(self._hass, Cause.INTERNAL, {}, module=member["module"])
            return self._ended(index, MemberState.FAILED, said, str(Cause.INTERNAL))

    async def _async_updated(self, index: int, wave: int) -> MemberState:
        member = self._note["members"][index]
        await self._house.pace.turn()  # a wave may have hundreds
        updater = await self._async_free(member["entry_id"])
        if index in self._taken_back:
            return MemberState.WAITS
        if (end := not_wanted(self._hass, member)) is not None:
            return self._ended(index, *end)
        if updater is None:
            return self._gone(index, "rollout_left_out_not_loaded")
        try:
            run = updater.begin(self._note, member, self._ask(index, wave))
        except HomeAssistantError:  # Home Assistant stops
            return MemberState.WAITS
        if run is None:
            return self._gone(index, "rollout_release_gone")
        task = self._house.running[member["entry_id"]]
        self._ours.add(index)
        began = dt_util.utcnow()
        try:
            await asyncio.wait({task})
        finally:
            self._ours.discard(index)
        if run.is_put_aside:
            return await self.async_follow(index)
        member["seconds"] = round((dt_util.utcnow() - began).total_seconds())
        return self._state(index)

    def _gone(self, index: int, key: str) -> MemberState:
        """Take that there is no module, or nothing to install on it."""
        member = self._note["members"][index]
        facts = {"version": member["version"]}
        said = async_said(self._hass, key, facts, module=member["module"])
        return self._ended(index, MemberState.REFUSED, said)

    def _ask(self, index: int, wave: int) -> Asked:
        """Return what is asked of a member's install, also of one that goes on after a restart."""
        member = self._note["members"][index]
        asked = self._asked[member["entry_id"]] = Asked(
            rollout=self._note["id"],
            sha256=member["sha256"],
            priority=priority_in(wave),
            ways=self._note["ways"],
            window=self._note["window"],
            gate=self._gate,
            on_over=lambda is_over: self._on_over(index, is_over),
            on_end=lambda run, sentence: self._on_end(index, run, sentence),
        )
        return asked

    def _let_go(self, index: int, state: MemberState) -> MemberState:
        """Ask for nothing any more of a member that has ended."""
        if state is not MemberState.BEGUN:
            self._asked.pop(self._note["members"][index]["entry_id"], None)
        return state

    def _state(self, index: int) -> MemberState:
        run = self._run_of()
        return run.states[index] if run is not None else states_of(self._note)[index]

    def _gate(self) -> Reason | None:
        """Let nobody begin after a pause, when too many have failed, or before that is known."""
        return _OVER if self._is_held or self._unknown else None

    @property
    def _is_held(self) -> bool:
        """Whether nobody may begin any more."""
        run = self._run_of()
        return run.is_held if run is not None else self._is_halted

    @property
    def _is_halted(self) -> bool:
        """Whether nobody may begin before the rollout itself goes on after a restart."""
        note = self._note
        if note["state"] not in {RolloutState.PLANNED, RolloutState.RUNNING}:
            return True
        return isinstance(next_step(terms_of(note["terms"]), states_of(note), note["rests"]), Stop)

    def _on_over(self, index: int, is_over: bool) -> None:  # noqa: FBT001 - see `Asked`
        (self._unknown.add if is_over else self._unknown.discard)(index)
        if not is_over and index in self._ours and self._is_held:
            self._hass.async_create_background_task(
                self._async_take_one_back(index), "ESP OTA leaves the queue", eager_start=False
            )

    def _on_end(self, index: int, install: Begun, sentence: Callable[[], str | None]) -> None:
        if install.is_put_aside:
            return
        self._unknown.discard(index)
        if self._state(index) is not MemberState.BEGUN:
            return
        state = self._judge(index, install.result, sentence())
        if (run := self._run_of()) is not None:
            run.ended(index, state)
        else:
            self._note["members"][index]["state"] = str(state)

    async def _async_free(self, entry_id: str) -> Updater | None:
        """Return what updates a member once nothing else does, None for one that is not there."""
        while (updater := updater_of(self._hass, entry_id)) and updater.is_running:
            task = self._house.running.get(entry_id)
            if task is None or task.done():  # what was left open is yet to be picked up
                await asyncio.sleep(self._house.patience.look_again)
            else:
                await asyncio.wait({task})
        return updater

    async def async_follow(self, index: int) -> MemberState:
        """Return how an update ends that goes on after a restart or a reload."""
        self._ours.add(index)
        try:
            return self._let_go(index, await self._told(index, self._async_followed(index)))
        finally:
            self._ours.discard(index)
            self._unknown.discard(index)

    async def _async_followed(self, index: int) -> MemberState:
        member = self._note["members"][index]
        entry_id, ours = member["entry_id"], None
        again = self._house.patience.look_again
        while (note := self._house.journal.open_install(entry_id)) is not None:
            task = self._house.running.get(entry_id)
            if task is None or task.done():
                await asyncio.sleep(again)
                continue
            ours = task if note["sha256"] == member["sha256"] else None
            if (run := self._run_of()) is not None and run.is_held:
                await self._async_take_one_back(index)
            await asyncio.wait({task}, timeout=again)
        if ours is None and (task := self._house.running.get(entry_id)) is not None:
            await asyncio.wait({task}, timeout=again)  # closed already, and about to tell
        result = await self._async_result(ours)
        if (state := self._state(index)) is not MemberState.BEGUN:
            return state
        if result is not None and (updater := updater_of(self._hass, entry_id)) is not None:
            return self._judge(index, result, updater.sentence())
        end = left_behind(self._hass, self._note, member)
        return self._ended(index, *end) if end else MemberState.WAITS

    @staticmethod
    async def _async_result(task: asyncio.Task[InstallResult] | None) -> InstallResult | None:
        """Return how an install ended whose journal is closed, None where that is not known."""
        if task is None:
            return None
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def _judge(self, index: int, result: InstallResult, sentence: str | None) -> MemberState:
        state = judged(result)
        is_cancelled = state is MemberState.CANCELLED and result.cause is Cause.CANCELLED
        if is_cancelled and (index in self._taken_back or self.is_closing):
            return MemberState.WAITS
        sentence = sentence or str(result.cause or result.verdict)
        return self._ended(index, state, sentence, str(result.cause) if result.cause else None)

    def _ended(
        self, index: int, state: MemberState, sentence: str, cause: str | None = None
    ) -> MemberState:
        member = self._note["members"][index]
        member["sentence"], member["cause"] = sentence, cause
        return state

    async def async_take_back(self) -> None:
        """Take those out of the queue whose turn has not come."""
        run = self._run_of()
        states = run.states if run else ()
        self._taken_back |= {n for n, state in enumerate(states) if state is MemberState.BEGUN}
        # At once: hundreds share the writes that forget them.
        await asyncio.gather(*(self._async_take_one_back(index) for index in list(self._ours)))

    async def _async_take_one_back(self, index: int) -> None:
        if index in self._being_taken:
            return
        entry_id = self._note["members"][index]["entry_id"]
        updater = updater_of(self._hass, entry_id)
        if updater is None or not updater.is_waiting:
            self._taken_back.discard(index)
            return
        self._taken_back.add(index)
        self._being_taken.add(index)
        try:
            with suppress(HomeAssistantError):  # it has ended meanwhile
                await updater.async_cancel()
        finally:
            self._being_taken.discard(index)
