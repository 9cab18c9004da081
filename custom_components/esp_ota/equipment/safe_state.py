"""The safe state a person configured: actions, conditions read back, restore.

A finished sequence proves nothing (`sequence.py`). The conditions decide.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
import time
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import HomeAssistant
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
from ..helpers import async_said
from ..ota import Cause, Detail, InstallRefused, InstallResult, SafeStateError
from .before import Before, moves, reaches, telling
from .command import Command, seen_to_follow
from .conditions import Conditions, any_of_several, enabled
from .in_vain import raise_if_in_vain
from .reach import Reach, followers_of, members_of
from .read_back import ReadBack, is_met
from .sequence import Sequence, async_validate_actions
from .steps import SafeStep, StepCallback
from .sweeps import sweeps
from .watched import Watched
from .within_reach import WithinReach

_POLL: Final = 0.25
"""Seconds between looks at the conditions; time alone changes some of them."""
_OUT_OF_REACH: Final = 0.5
"""Of the time limit, before it begins: who is out of reach by then is told as all others are."""
_WAS: Final = "was"
_BROKEN: Final = "broken"


class ConfiguredSafeState:
    """Runs one module's safe state for one install."""

    def __init__(
        self,
        hass: HomeAssistant,
        options: Mapping[str, Any],
        sequence: Sequence,
        *,
        on_step: StepCallback | None = None,
        of_house: bool = False,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what was configured; it is validated again at each use.

        Who is told of the steps wants to see each of them: then none is cut short. `kept` is what
        a Home Assistant that died has kept of it.
        """
        self._hass = hass
        self._options = options
        self._sequence = sequence
        self._shows_all = on_step is not None
        self._on_step = on_step or (lambda _step: None)
        self._of_house = of_house
        self._watched: Watched | None = None
        self._command: Command | None = None
        """The last one of these; None where a Home Assistant that died has given it."""
        self._was_safe = False
        """Taken over from a Home Assistant that had confirmed it."""
        self._before = Before(hass, (kept or {}).get(_WAS, {}))
        self._broken: list[str] = list((kept or {}).get(_BROKEN, []))
        self._reached: tuple[Reach, Reach] | None = None
        self._within_reach = WithinReach(hass)

    @property
    def kept(self) -> dict[str, object]:
        """What the journal keeps of it, fit for JSON."""
        return {_WAS: self._before.states, _BROKEN: self._breaks}

    @property
    def _breaks(self) -> list[str]:
        seen = self._watched.broken if self._watched else []
        return list(dict.fromkeys([*self._broken, *seen]))

    def broken(self) -> str:
        """Return which conditions were untrue since it was confirmed."""
        return ", ".join(self._breaks)

    async def things(self) -> set[str]:
        """Return what it rests on: entities, and calls of which nobody knows what they reach."""
        trace_clear()  # looks at conditions are no steps of the automation that calls
        of_house = async_said(self._hass, "safe_state_of_house", {}, module="")
        found = {of_house} if self._of_house else set()
        for reach in await self._reaches():
            found |= reach.told | reach.unread
        return found | members_of(self._hass, await self._told_of())

    async def _reaches(self) -> tuple[Reach, Reach]:
        if self._reached is None:
            self._reached = await reaches(self._hass, self._options, self._sequence.variables)
        return self._reached

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
        before, after = await self._reaches()
        self._before = Before.now(self._hass, telling(self._hass, before, after))
        self._within_reach.note(after.told)

    async def _validate(self) -> None:
        """Raise SafeStateError for what was typed and cannot be used any more."""
        (await self._confirmation()).unload()
        (await self._load(CONF_RESTORE_CONDITIONS)).unload()
        for key in (CONF_ACTIONS, CONF_RESTORE):
            try:
                await async_validate_actions(self._hass, self._options.get(key, []))
            except (vol.Invalid, HomeAssistantError, ValueError) as err:
                raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=err) from err
        self._reached = None  # something may have got another name or place since
        for reach in await self._reaches():
            raise_if_in_vain(self._hass, reach, Cause.SAFE_STATE_INVALID)

    async def _confirmation(self) -> Conditions:
        """Load the conditions that confirm it; raises SafeStateError when nothing would."""
        if not enabled(self._options.get(CONF_CONDITIONS, [])):
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=Detail.NO_CONDITION)
        return await self._load(CONF_CONDITIONS)

    async def _load(self, key: str, *, negated: bool = False) -> Conditions:
        """Load conditions; raises SafeStateError for those that cannot be relied upon."""
        raw = self._options.get(key, [])
        if any_of_several(raw, negated=negated):
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=Detail.ANY_OF_SEVERAL)
        if sweeps(raw):
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=Detail.SWEEPS)
        try:
            return await Conditions.load(self._hass, raw)
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=err) from err

    async def enter(self) -> None:
        """Run the actions, then wait until the conditions are true and stay true."""
        self._broken = []
        await self._begin()
        has_acted = False
        try:
            async with asyncio.timeout(self._limit):
                is_confirmed = await self._act()
                has_acted = True
                if not is_confirmed:
                    await self._confirmed()
        except TimeoutError as err:
            assert self._watched is not None
            unmet = ", ".join(self._watched.unmet() or self._unsaid())
            detail = Detail.UNMET if unmet else Detail.NOT_STABLE
            raise SafeStateError(
                Cause.SAFE_STATE_NOT_CONFIRMED,
                seconds=round(self._limit),
                detail=detail if unmet or has_acted else Detail.STILL_ACTING,
                unmet=unmet,
            ) from err
        assert self._command is not None
        assert self._watched is not None
        self._command.confirmed()
        self._watched.counts = True

    async def _begin(self) -> None:
        """Load the conditions, and watch what they rest on until it is left.

        Whoever is put aside does not leave it: then it is let go of when its task ends.
        """
        self._unload()
        if (task := asyncio.current_task()) is not None:
            task.add_done_callback(lambda _: self._unload())
        self._watched = self._watched_of(await self._confirmation())
        self._watched.watch()

    def _watched_of(self, conditions: Conditions) -> Watched:
        return Watched(self._hass, conditions, self._sequence.variables)

    async def _act(self) -> bool:
        """Run the actions; return whether all was safe before and they changed nothing.

        Then the stable time has passed already: before them.
        """
        self._on_step(SafeStep.ACTIONS)
        was_safe = self._is_settled()
        actions = self._options.get(CONF_ACTIONS, [])
        entities = await self._told_of()
        moved = await self._moved(entities, before=True)
        self._command = Command(self._hass, entities, self._limit, moved=moved)
        with self._sequence.changes() as changed:
            await self._sequence.async_run(actions, Cause.SAFE_STATE_FAILED)
        seen_to_follow(self._hass).update(changed & entities)
        settled = was_safe and not changed and self._is_settled() and not self._shows_all
        return settled and await self._is_said_anew() and self.holds()

    async def _told_of(self) -> set[str]:
        """Return the entities that tell of the equipment, in either direction."""
        entities = self._before.rests_on
        for key in (CONF_CONDITIONS, CONF_RESTORE_CONDITIONS):
            with suppress(SafeStateError):  # who reads it back will say so
                conditions = await self._load(key)
                entities |= conditions.entities(self._sequence.variables)
                conditions.unload()
        return entities

    async def _moved(self, entities: set[str], *, before: bool) -> set[str]:
        """Return those of the entities that the actions reach; all where some cannot be read.

        What no action touches has nothing new to say.
        """
        if not self._options.get(CONF_ACTIONS if before else CONF_RESTORE):
            return set()
        reach = (await self._reaches())[0 if before else 1]
        if reach.unread:
            return entities
        follows = followers_of(self._hass, reach.told, entities)
        return follows | (seen_to_follow(self._hass) & entities)

    def _is_settled(self) -> bool:
        """Whether the conditions are true, and are known to have been for the stable time."""
        assert self._watched is not None
        return self.holds() and self._watched.are_older_than(self._stable)

    async def _confirmed(self) -> None:
        """Return when the conditions were true for the stable time without a break."""
        assert self._watched is not None
        watched = self._watched
        while True:
            self._on_step(SafeStep.CONDITIONS)
            while not watched.are_true():  # noqa: ASYNC110 - templates report no change
                await asyncio.sleep(_POLL)
            watched.forget_breaks()
            self._on_step(SafeStep.STABLE)
            await self._while(watched.holds)
            while watched.holds():  # the last look, after the last pause
                if await self._is_said_anew() and watched.holds():
                    return
                await asyncio.sleep(_POLL)
            await asyncio.sleep(0 if watched.are_true() is False else _POLL)

    async def _while(self, holds: Callable[[], bool]) -> None:
        """Wait for the stable time, or until it holds no more."""
        until = time.monotonic() + self._stable
        while holds() and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _POLL))

    async def _is_said_anew(self, by: ReadBack | None = None) -> bool:
        """Ask whom can be asked; whether nobody owes an answer to a command before this one."""
        tells = by or self._watched
        assert self._command is not None
        assert tells is not None
        await self._command.ask(tells.rests_on)
        return not self._command.doubted(tells.rests_on)

    def _unsaid(self) -> list[str]:
        """Return who has not answered the command, for the person."""
        if self._command is None or self._watched is None:
            return []
        doubted = sorted(self._command.doubted(self._watched.rests_on))
        return [
            async_said(self._hass, "doubt_silent", {"entity": item}, module="") for item in doubted
        ]

    async def take_over(self) -> None:
        """Be in it without having entered; before anything is sent the conditions are asked."""
        self._was_safe = True
        await self._begin()
        assert self._watched is not None
        self._watched.counts = True
        self._watched.are_true()

    def holds(self) -> bool:
        """Whether every condition is true right now, and was a moment ago."""
        # Without one it was taken over, but is not usable any more.
        return self._watched is not None and self._watched.holds()

    async def leave(self, result: InstallResult) -> bool:
        """Restore the equipment, unless the module is missing and shall stay safe.

        Return whether anything has told that it was restored, or nothing was to be.
        """
        self._unload()
        stay = self._options.get(CONF_WHEN_MISSING) == MISSING_STAY_SAFE
        if stay and result.cause is Cause.DID_NOT_COME_BACK:
            raise SafeStateError(Cause.DID_NOT_COME_BACK, **result.facts)
        tells: ReadBack | None = None
        self._on_step(SafeStep.RESTORE)
        self._reached = None
        told = (await self._reaches())[1].told
        await self._within_reach.wait(told, _OUT_OF_REACH * self._limit)
        try:
            async with asyncio.timeout(self._limit):
                await self._restore()
                if (tells := await self._tells_of_restore()) is not None:
                    self._on_step(SafeStep.RESTORE_CONDITIONS)
                    await self._read_back(tells)
        except TimeoutError as err:
            facts: dict[str, object] = {"seconds": round(self._limit)}
            if tells is None:
                facts["detail"] = Detail.NOT_DONE
            elif unmet := tells.unmet():
                facts |= {"detail": Detail.NOT_TRUE, "unmet": ", ".join(unmet)}
            else:
                return True  # nothing else was said for as long as the equipment may take
            raise SafeStateError(Cause.RESTORE_FAILED, **facts) from err
        finally:
            self._unload()
        return tells is not None or not moves((await self._reaches())[1])

    async def _restore(self) -> None:
        """Run the actions after."""
        actions = self._options.get(CONF_RESTORE, [])
        entities = await self._told_of()
        moved = await self._moved(entities, before=False)
        if self._command is not None:
            self._before.forget_unmoved()
        in_doubt = self._command is None and not self._was_safe
        if in_doubt:
            moved |= await self._moved(entities, before=True)
        self._command = Command(self._hass, entities, self._limit, moved=moved, in_doubt=in_doubt)
        with self._sequence.changes() as changed:
            await self._sequence.async_run(actions, Cause.RESTORE_FAILED)
        raise_if_in_vain(self._hass, (await self._reaches())[1], Cause.RESTORE_FAILED)
        seen_to_follow(self._hass).update(changed & entities)

    async def _tells_of_restore(self) -> ReadBack | None:
        """Return what the actions after are read back by: their conditions, or what was before."""
        if enabled(self._options.get(CONF_RESTORE_CONDITIONS, [])):
            try:
                conditions = await self._load(CONF_RESTORE_CONDITIONS)
            except SafeStateError as err:
                raise SafeStateError(Cause.RESTORE_FAILED, **err.facts) from err
            self._watched = self._watched_of(conditions)
            return self._watched
        return self._before if self._before.tells else None

    async def _read_back(self, tells: ReadBack) -> None:
        """Return when all is as it should be after the restore.

        It need not stay so, unless it was so beforehand although the equipment had just been told
        otherwise.
        """
        assert self._command is not None
        while True:
            while not is_met(tells):  # noqa: ASYNC110 - templates report no change
                await asyncio.sleep(_POLL)
            if self._command.doubted(tells.rests_on):
                await self._while(lambda: is_met(tells))
            if await self._is_said_anew(tells) and is_met(tells):
                self._command.confirmed()
                return
            await asyncio.sleep(_POLL)

    def _unload(self) -> None:
        if self._watched is not None:
            self._broken = self._breaks
            self._watched.unload()
            self._watched = None
