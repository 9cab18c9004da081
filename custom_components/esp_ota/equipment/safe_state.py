"""The safe state a person configured: actions, conditions read back, restore.

A finished sequence proves nothing (`sequence.py`). The conditions decide.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from enum import StrEnum
import math
import time
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.trace import trace_clear

from ..const import (
    CONF_ACTIONS,
    CONF_CONDITIONS,
    CONF_INHIBIT,
    CONF_RESTORE,
    CONF_RESTORE_CONDITIONS,
    CONF_STABLE,
    CONF_TIME_LIMIT,
    CONF_WHEN_MISSING,
    DEFAULT_STABLE,
    DEFAULT_TIME_LIMIT,
    MISSING_STAY_SAFE,
)
from ..ota import Cause, InstallRefused, InstallResult, SafeStateError
from .command import Command
from .conditions import Conditions, any_of_several, enabled
from .sequence import Sequence, async_validate_actions

_POLL: Final = 0.25
"""Seconds between looks at the conditions; time alone changes some of them."""
_REMEMBERED: Final = 2.0
"""Seconds a break counts that is over: whoever looks twice a second sees each of them."""


class SafeStep(StrEnum):
    """What a safe state goes through; a step may come again when its conditions bounce."""

    INHIBIT = "inhibit"
    ACTIONS = "actions"
    CONDITIONS = "conditions"
    STABLE = "stable"
    RESTORE = "restore"
    RESTORE_CONDITIONS = "restore_conditions"


type StepCallback = Callable[[SafeStep], None]
"""Told as each step begins."""


class ConfiguredSafeState:
    """Runs one module's safe state for one install."""

    def __init__(
        self,
        hass: HomeAssistant,
        options: Mapping[str, Any],
        sequence: Sequence,
        *,
        on_step: StepCallback | None = None,
    ) -> None:
        """Keep what was configured; it is validated again at each use.

        Who is told of the steps wants to see each of them: then none is cut short.
        """
        self._hass = hass
        self._options = options
        self._sequence = sequence
        self._watched = on_step is not None
        self._on_step = on_step or (lambda _step: None)
        self._conditions: Conditions | None = None
        self._command: Command | None = None
        """The last one of these; None where a Home Assistant that died has given it."""
        self._was_safe = False
        """Taken over from a Home Assistant that had confirmed it."""
        self._rests_on: set[str] = set()
        self._broke_at = -math.inf
        """When a change was seen that made a condition untrue (`time.monotonic()`)."""
        self._stop_watching: CALLBACK_TYPE | None = None

    @property
    def _limit(self) -> float:
        return float(self._options.get(CONF_TIME_LIMIT, DEFAULT_TIME_LIMIT))

    @property
    def _stable(self) -> float:
        return float(self._options.get(CONF_STABLE, DEFAULT_STABLE))

    async def admit(self) -> None:
        """Raise InstallRefused for what cannot be used, and while an inhibit condition is true.

        Nothing was done until then: what cannot be undone afterwards is not begun.
        """
        self._on_step(SafeStep.INHIBIT)
        try:
            await self._validate()
            conditions = await self._load(CONF_INHIBIT, negated=True)
        except SafeStateError as err:
            raise InstallRefused(err.cause, **err.facts) from err
        standing = conditions.standing(self._sequence.variables)
        conditions.unload()
        if standing:
            raise InstallRefused(Cause.INHIBITED, reason=", ".join(standing))

    async def _validate(self) -> None:
        """Raise SafeStateError for what was typed and cannot be used any more."""
        (await self._confirmation()).unload()
        (await self._load(CONF_RESTORE_CONDITIONS)).unload()
        for key in (CONF_ACTIONS, CONF_RESTORE):
            try:
                await async_validate_actions(self._hass, self._options.get(key, []))
            except (vol.Invalid, HomeAssistantError, ValueError) as err:
                raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=err) from err

    async def _confirmation(self) -> Conditions:
        """Load the conditions that confirm it; raises SafeStateError when nothing would."""
        if not enabled(self._options.get(CONF_CONDITIONS, [])):
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail="no enabled condition")
        return await self._load(CONF_CONDITIONS)

    async def _load(self, key: str, *, negated: bool = False) -> Conditions:
        """Load conditions; raises SafeStateError for those that cannot be relied upon."""
        raw = self._options.get(key, [])
        if any_of_several(raw, negated=negated):
            detail = "a condition on several targets is decided by any one of them"
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=detail)
        try:
            return await Conditions.load(self._hass, raw)
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=err) from err

    async def enter(self) -> None:
        """Run the actions, then wait until the conditions are true and stay true."""
        await self._begin()
        try:
            async with asyncio.timeout(self._limit):
                if not await self._act():
                    await self._confirmed()
        except TimeoutError as err:
            unmet = ", ".join(self._unmet() or self._unsaid())
            unmet = unmet or "none, but they did not stay true"
            raise SafeStateError(
                Cause.SAFE_STATE_NOT_CONFIRMED, seconds=round(self._limit), unmet=unmet
            ) from err
        assert self._command is not None
        self._command.confirmed()

    async def _begin(self) -> None:
        """Load the conditions, and watch what they rest on until it is left.

        Whoever is put aside does not leave it: then it is let go of when its task ends.
        """
        self._unload()
        if (task := asyncio.current_task()) is not None:
            task.add_done_callback(lambda _: self._unload())
        self._conditions = await self._confirmation()
        trace_clear()  # in this task only: looks at conditions are no steps of an automation
        self._broke_at = -math.inf
        self._stop_watching = self._watch()

    def _watch(self) -> CALLBACK_TYPE:
        """Look at the conditions as often as an entity changes: a break may be over in no time."""
        context = copy_context()  # not in the trace of whoever changes the entity

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            if event.data["entity_id"] in self._rests_on and not context.run(self._are_true):
                self._broke_at = time.monotonic()

        return self._hass.bus.async_listen(EVENT_STATE_CHANGED, changed)

    async def _act(self) -> bool:
        """Run the actions; return whether all was safe before and they changed nothing.

        Then the stable time has passed already: before them.
        """
        self._on_step(SafeStep.ACTIONS)
        was_safe = self._is_settled()
        actions = self._options.get(CONF_ACTIONS, [])
        entities = await self._told_of()
        self._command = Command(self._hass, entities, self._limit, moves=bool(actions))
        with self._sequence.changes() as changed:
            await self._sequence.async_run(actions, Cause.SAFE_STATE_FAILED)
        settled = was_safe and not changed and self._is_settled() and not self._watched
        return settled and await self._is_said_anew() and self.holds()

    async def _told_of(self) -> set[str]:
        """Return the entities that tell of the equipment, in either direction."""
        entities: set[str] = set()
        for key in (CONF_CONDITIONS, CONF_RESTORE_CONDITIONS):
            with suppress(SafeStateError):  # who reads it back will say so
                conditions = await self._load(key)
                entities |= conditions.entities(self._sequence.variables)
                conditions.unload()
        return entities

    def _is_settled(self) -> bool:
        """Whether the conditions are true, and are known to have been for the stable time."""
        assert self._conditions is not None
        return self.holds() and self._conditions.are_older_than(self._stable)

    async def _confirmed(self) -> None:
        """Return when the conditions were true for the stable time without a break."""
        while True:
            self._on_step(SafeStep.CONDITIONS)
            while not self._are_true():  # noqa: ASYNC110 - templates report no change
                await asyncio.sleep(_POLL)
            self._broke_at = -math.inf  # what was before it was safe is no break
            self._on_step(SafeStep.STABLE)
            await self._stay_true()
            while self.holds():  # the last look, after the last pause
                if await self._is_said_anew() and self.holds():
                    return
                await asyncio.sleep(_POLL)
            await asyncio.sleep(0 if self._are_true() is False else _POLL)

    async def _stay_true(self) -> None:
        """Wait for the stable time, or until the conditions are true no more."""
        until = time.monotonic() + self._stable
        while self.holds() and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _POLL))

    async def _is_said_anew(self) -> bool:
        """Ask whom can be asked; whether nobody owes an answer to a command before this one."""
        assert self._command is not None
        await self._command.ask(self._rests_on)
        return not self._command.doubted(self._rests_on)

    def _unsaid(self) -> list[str]:
        """Return who has not answered the command, for the person."""
        if self._command is None:
            return []
        doubted = sorted(self._command.doubted(self._rests_on))
        return [f"{item}: has said nothing since it was told" for item in doubted]

    async def take_over(self) -> None:
        """Be in it without having entered; before anything is sent the conditions are asked."""
        self._was_safe = True
        await self._begin()

    def holds(self) -> bool:
        """Whether every condition is true right now, and was a moment ago."""
        return self._are_true() and time.monotonic() - self._broke_at > _REMEMBERED

    def _are_true(self) -> bool:
        if self._conditions is None:  # taken over, but not usable any more
            return False
        self._rests_on = self._conditions.entities(self._sequence.variables)
        return not self._unmet()

    def _unmet(self) -> list[str]:
        assert self._conditions is not None
        return self._conditions.unmet(self._sequence.variables)

    async def leave(self, result: InstallResult) -> None:
        """Restore the equipment, unless the module is missing and shall stay safe."""
        self._unload()
        stay = self._options.get(CONF_WHEN_MISSING) == MISSING_STAY_SAFE
        if stay and result.cause is Cause.DID_NOT_COME_BACK:
            raise SafeStateError(Cause.DID_NOT_COME_BACK, **result.facts)
        try:
            async with asyncio.timeout(self._limit):
                await self._restore()
        except TimeoutError as err:
            if self._conditions is None:
                detail = f"not done after {self._limit:.0f} s"
            elif unmet := self._unmet():
                detail = f"not true after {self._limit:.0f} s: {', '.join(unmet)}"
            else:
                return  # nothing else was said for as long as the equipment may take
            raise SafeStateError(Cause.RESTORE_FAILED, detail=detail) from err
        finally:
            self._unload()

    async def _restore(self) -> None:
        """Run the actions after, and read back what they did."""
        self._on_step(SafeStep.RESTORE)
        actions = self._options.get(CONF_RESTORE, [])
        in_doubt = self._command is None and not self._was_safe
        self._command = Command(
            self._hass, await self._told_of(), self._limit, moves=bool(actions), in_doubt=in_doubt
        )
        await self._sequence.async_run(actions, Cause.RESTORE_FAILED)
        if not self._options.get(CONF_RESTORE_CONDITIONS):
            return
        self._on_step(SafeStep.RESTORE_CONDITIONS)
        try:
            self._conditions = await self._load(CONF_RESTORE_CONDITIONS)
        except SafeStateError as err:
            raise SafeStateError(Cause.RESTORE_FAILED, **err.facts) from err
        await self._read_back(self._command)

    async def _read_back(self, command: Command) -> None:
        """Return when the conditions of the restore are true.

        They need not stay so, unless they were true beforehand although the equipment had just
        been told otherwise.
        """
        self._broke_at = -math.inf
        while True:
            while not self._are_true():  # noqa: ASYNC110 - templates report no change
                await asyncio.sleep(_POLL)
            if command.doubted(self._rests_on):
                await self._stay_true()
            if await self._is_said_anew() and self._are_true():
                command.confirmed()
                return
            await asyncio.sleep(_POLL)

    def _unload(self) -> None:
        if self._stop_watching is not None:
            self._stop_watching()
            self._stop_watching = None
        if self._conditions is not None:
            self._conditions.unload()
            self._conditions = None
