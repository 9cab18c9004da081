"""All rollouts of the house: kept on disk, gone on with after a restart, told to who listens."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.core import (
    CALLBACK_TYPE,
    HassJob,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.start import async_at_started
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..house import HOUSE
from ..stored import KeptStore
from .note import RolloutNote, RolloutState, readable
from .plan import async_note_for, async_shown
from .report import async_notify
from .rollout import Rollout, RolloutEvent
from .selection import mistake

__all__ = ["ROLLOUTS", "RolloutEvent", "RolloutState", "Rollouts"]

ROLLOUTS: Final[HassKey[Rollouts]] = HassKey(f"{DOMAIN}_rollouts")
_KEPT: Final = 10
"""Rollouts that have ended, whose reports are kept."""

_PAUSE: Final = 0.5
"""Seconds between two rows of the sensor, when many end at once."""
_OVER: Final = {RolloutEvent.DONE, RolloutEvent.STOPPED, RolloutEvent.CANCELLED}

type Told = Callable[[RolloutEvent | None, dict[str, Any]], None]
"""Called with what happens, and with None when one has come further."""


class Rollouts:
    """Made once when the integration is set up."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_setup`."""
        self._hass = hass
        self._store = KeptStore(hass, "rollouts", self._stored)
        self._rollouts: dict[str, Rollout] = {}
        self._listeners: list[Told] = []
        self._next: asyncio.TimerHandle | None = None
        """When it is told next how far they have come."""
        self._beginning = asyncio.Lock()

    async def async_setup(self) -> None:
        """Read what there was; what ran goes on when Home Assistant has started."""
        stored = (await self._store.async_load() or {}).get("rollouts", [])
        items = stored if isinstance(stored, list) else [stored]
        notes = [readable(item) for item in items]
        if None in notes:
            await self._store.async_set_aside()
        for note in notes:
            if note is not None:
                self._rollouts[note["id"]] = self._rollout(note)
        self._hass.async_add_shutdown_job(HassJob(self._async_close, "ESP OTA stop rollouts"))
        async_at_started(self._hass, self._async_started)

    @callback
    def _async_started(self, _hass: HomeAssistant) -> None:
        for rollout in self._rollouts.values():
            is_begun = rollout.state in {RolloutState.PLANNED, RolloutState.RUNNING}
            if is_begun and self._hass.data[HOUSE].memory.was_away:
                LOGGER.warning("Rollout %s is paused: it is of another time", rollout.note["id"])
                rollout.async_hold()
                continue
            if rollout.state is RolloutState.PLANNED:
                rollout.note["state"] = RolloutState.RUNNING
            if rollout.state is RolloutState.RUNNING:
                LOGGER.info("Rollout %s goes on", rollout.note["id"])
                rollout.async_start()
            elif rollout.is_left:
                rollout.async_pick_up()

    @callback
    def _async_close(self) -> None:
        if self._next is not None:
            self._next.cancel()
        for rollout in self._rollouts.values():
            rollout.async_close()

    def _rollout(self, note: RolloutNote) -> Rollout:
        return Rollout(self._hass, note, self._store.async_save, self._told)

    @property
    def all(self) -> Mapping[str, Rollout]:
        """Those that are known, by their ids."""
        return self._rollouts

    @property
    def last(self) -> Rollout | None:
        """The one that is shown: the last one that is open, else the last of all."""
        rollouts = list(self._rollouts.values())
        is_open = [rollout for rollout in rollouts if rollout.is_open]
        return next(reversed(is_open or rollouts), None)

    @callback
    def async_add_listener(self, listener: Told) -> CALLBACK_TYPE:
        """Call a listener with whatever happens."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _told(self, rollout: Rollout, event: RolloutEvent | None, progress: dict[str, Any]) -> None:
        if event is not None:
            LOGGER.info("Rollout %s: %s, %s", rollout.note["id"], event, progress)
        if event in _OVER:
            async_notify(self._hass, rollout.note)
        if event is not None:
            self._tell(event, progress)
        elif self._next is None:
            self._next = self._hass.loop.call_later(_PAUSE, self._tell_progress)

    @callback
    def _tell_progress(self) -> None:
        self._next = None
        self._tell(None, {})

    def _tell(self, event: RolloutEvent | None, progress: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            listener(event, progress)

    # Actions

    async def async_plan(self, said: Mapping[str, Any], user: str | None) -> dict[str, Any]:
        """Return what a rollout would do; raises ServiceValidationError if it makes no sense."""
        return await async_shown(self._hass, await self._async_note(said, user))

    async def async_begin(self, said: Mapping[str, Any], user: str | None) -> dict[str, Any]:
        """Begin a rollout, and return its plan; raises as `async_plan` does.

        Raises ServiceValidationError as well when it is cancelled before it has begun.
        """
        async with self._beginning:  # two at once would take the same modules
            note = await self._async_note(said, user)
            plan = await async_shown(self._hass, note)
            rollout = self._rollouts[note["id"]] = self._rollout(note)
        self._drop_old()
        if not await self._store.async_save():
            rollout.async_forget()
            del self._rollouts[note["id"]]
            raise mistake("rollout_not_noted", path=self._store.path)
        self.find(note["id"], RolloutState.PLANNED)  # or it was cancelled while it was written down
        await rollout.async_begin()
        return {"rollout": note["id"], **plan}

    async def _async_note(self, said: Mapping[str, Any], user: str | None) -> RolloutNote:
        taken = {
            member["entry_id"]: rollout.note["id"]
            for rollout in self._rollouts.values()
            if rollout.is_open
            for member in rollout.note["members"]
        }
        return await async_note_for(self._hass, said, user, taken)

    def _drop_old(self) -> None:
        ended = [key for key, rollout in self._rollouts.items() if not rollout.is_open]
        for key in ended[: max(0, len(ended) - _KEPT)]:
            del self._rollouts[key]

    def find(self, said: str | None, *states: RolloutState) -> Rollout:
        """Return a rollout by its id, or the only one in these states.

        Raises ServiceValidationError for none, and for several.
        """
        if said is not None:
            if (rollout := self._rollouts.get(said)) is None:
                raise mistake("rollout_unknown", rollout=said[:100])
            if states and rollout.state not in states:
                raise mistake(f"rollout_is_{rollout.state}", rollout=said)
            return rollout
        found = [item for item in self._rollouts.values() if not states or item.state in states]
        if not found:
            raise mistake("rollout_none")
        if states and len(found) > 1:
            ids = ", ".join(item.note["id"] for item in found)
            raise mistake("rollout_several", rollouts=ids)
        return found[-1]

    def _stored(self) -> dict[str, Any]:
        return {"rollouts": [rollout.note for rollout in self._rollouts.values()]}
