"""Conditions that are looked at again and again, and each break of them that is seen."""

from collections.abc import Mapping
from contextvars import copy_context
from datetime import datetime, timedelta
import math
import time
from typing import Any, Final

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.trace import trace_clear

from .conditions import Conditions

_REMEMBERED: Final = 2.0
"""Seconds a break counts that is over: whoever looks twice a second sees each of them."""
_LOOK_AGAIN: Final = timedelta(seconds=1)
"""Time alone makes some conditions untrue, and no entity says so."""


class Watched:
    """Loaded conditions of one safe state."""

    def __init__(
        self, hass: HomeAssistant, conditions: Conditions, variables: Mapping[str, Any]
    ) -> None:
        """Take them; they are let go of by `unload`."""
        self._hass = hass
        self._conditions = conditions
        self._variables = variables
        self._stops: list[CALLBACK_TYPE] = []
        self._broke_at = -math.inf
        """When a change was seen that made a condition untrue (`time.monotonic()`)."""
        self.rests_on: set[str] = set()
        """The entities that the last answers rested on."""
        self.broken: list[str] = []
        """Which were seen untrue since it counts: each once."""
        self.counts = False
        """Whether what is untrue now is a break: it was confirmed."""

    def watch(self) -> None:
        """Look as often as an entity changes: a break may be over in no time."""
        trace_clear()  # in this task only: looks at conditions are no steps of an automation
        context = copy_context()  # not in the trace of whoever changes the entity

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            if event.data["entity_id"] in self.rests_on and not context.run(self.are_true):
                self._broke_at = time.monotonic()

        @callback
        def passed(_now: datetime) -> None:
            context.run(self.are_true)

        self._stops.append(self._hass.bus.async_listen(EVENT_STATE_CHANGED, changed))
        self._stops.append(async_track_time_interval(self._hass, passed, _LOOK_AGAIN))

    def are_true(self) -> bool:
        """Whether every condition is true right now."""
        self.rests_on = self._conditions.entities(self._variables)
        if not (unmet := self.unmet()):
            return True
        if self.counts:
            untrue = self._conditions.untrue(self._variables)
            self.broken += [name for name in untrue if name not in self.broken]
        return not unmet

    def holds(self) -> bool:
        """Whether every condition is true right now, and was a moment ago."""
        return self.are_true() and time.monotonic() - self._broke_at > _REMEMBERED

    def forget_breaks(self) -> None:
        """Begin anew: what was before it was safe is no break."""
        self._broke_at = -math.inf

    def unmet(self) -> list[str]:
        """Return those that are not true, or cannot be told, for the person."""
        return self._conditions.unmet(self._variables)

    def are_older_than(self, seconds: float) -> bool:
        """Whether it is known that none of the answers changed for that long."""
        return self._conditions.are_older_than(seconds)

    def unload(self) -> None:
        """Look no more."""
        while self._stops:
            self._stops.pop()()
        self._conditions.unload()
