"""Runs a person's sequence of actions, and believes as little of its end as it proves.

`stop` with an error raises nothing, a false condition inside a branch is passed over, an
unavailable entity is skipped: what is raised here is only what is certain to have failed.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.helpers.trace import script_execution_get, trace_clear
from homeassistant.helpers.typing import ConfigType

from ..const import DOMAIN, LOGGER
from ..ota import Cause, Detail, SafeStateError

_GRACE: Final = 3.0
"""Seconds for actions to end that are stopped: they do so at once, or not at all."""


async def async_validate_actions(hass: HomeAssistant, raw: list[Any]) -> list[ConfigType]:
    """Return a sequence ready to run; the raw one is left as it is, for storing.

    Raises vol.Invalid, HomeAssistantError or ValueError.
    """
    return await async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(deepcopy(raw)))


class Sequence:
    """What runs in the name of one person for one module."""

    def __init__(
        self, hass: HomeAssistant, name: str, context: Context, variables: Mapping[str, Any]
    ) -> None:
        """Take who acts, and what the templates may use."""
        self._hass = hass
        self._name = name
        self._context = context
        self.variables = dict(variables)

    async def async_run(self, raw: list[Any], cause: Cause) -> None:
        """Run a sequence; raises SafeStateError with the cause where it certainly failed.

        In a task of its own: it resets the trace of a calling automation, and an action that
        cannot be stopped must not keep the time limit from ending the wait for it.
        """
        if not raw:
            return
        running = self._hass.async_create_task(
            self._async_run(raw, cause), f"{DOMAIN} {self._name}", eager_start=False
        )
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            await self._async_stop(running)
            raise
        running.result()

    async def _async_stop(self, running: asyncio.Task[None]) -> None:
        running.add_done_callback(lambda task: task.cancelled() or task.exception())
        running.cancel()
        if not (await asyncio.wait({running}, timeout=_GRACE))[0]:
            LOGGER.warning("%s: an action goes on although it was stopped", self._name)

    async def _async_run(self, raw: list[Any], cause: Cause) -> None:
        try:
            actions = await async_validate_actions(self._hass, raw)
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            raise SafeStateError(cause, detail=err) from err
        script = Script(self._hass, actions, self._name, DOMAIN, log_exceptions=False)
        # Who pressed may be gone by then, or may no more: it is put back whoever that was.
        restores = cause is Cause.RESTORE_FAILED
        context = Context(parent_id=self._context.id) if restores else self._context
        try:
            trace_clear()
            result = await script.async_run(self.variables, context)
            reason = script_execution_get()
        except Exception as err:  # an action raises whatever its integration has not caught
            raise SafeStateError(cause, detail=str(err) or type(err).__name__) from err
        finally:
            await script.async_unload()
        if result is None or reason != "finished":
            raise SafeStateError(cause, detail=Detail.ENDED_AS, ended=reason)
        response = result.service_response
        if isinstance(response, Mapping) and response.get("safe", True) is not True:
            detail = response.get("reason", Detail.SAID_NOT_SAFE)
            refused = cause is Cause.SAFE_STATE_FAILED  # the restore has only one way to fail
            raise SafeStateError(Cause.SAFE_STATE_REFUSED if refused else cause, detail=detail)
        LOGGER.debug("%s: sequence finished", self._name)

    @contextmanager
    def changes(self) -> Iterator[set[str]]:
        """Collect the entities that change while this runs, by it or by what it set off."""
        changed: set[str] = set()

        @callback
        def listen(event: Event[EventStateChangedData]) -> None:
            if self._context.id in {event.context.id, event.context.parent_id}:
                changed.add(event.data["entity_id"])

        stop = self._hass.bus.async_listen(EVENT_STATE_CHANGED, listen)
        try:
            yield changed
        finally:
            stop()
