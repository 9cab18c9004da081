"""The safe state a person configured: actions, conditions read back, restore.

A finished sequence proves nothing: `stop` raises nothing, a false condition inside a branch is
passed over, an unavailable entity is skipped. The conditions decide.
"""

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.helpers.trace import script_execution_get, trace_clear
from homeassistant.helpers.typing import ConfigType

from .conditions import Conditions, any_of_several, enabled
from .const import (
    CONF_ACTIONS,
    CONF_CONDITIONS,
    CONF_RESTORE,
    CONF_STABLE,
    CONF_TIME_LIMIT,
    CONF_WHEN_MISSING,
    DEFAULT_STABLE,
    DEFAULT_TIME_LIMIT,
    DOMAIN,
    LOGGER,
    MISSING_STAY_SAFE,
)
from .ota import Cause, InstallResult, SafeStateError

_POLL: Final = 0.25
"""Seconds between looks at the conditions; they may be templates, which report no change."""


async def async_validate_actions(hass: HomeAssistant, raw: list[Any]) -> list[ConfigType]:
    """Return a sequence ready to run; the raw one is left as it is, for storing.

    Raises vol.Invalid, HomeAssistantError or ValueError.
    """
    return await async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(deepcopy(raw)))


class NothingToSecure:
    """The answer "nothing needed": a module that switches no equipment."""

    async def enter(self) -> None:
        """Nothing to do."""

    def holds(self) -> bool:
        """Nothing can break."""
        return True

    async def leave(self, result: InstallResult) -> None:
        """Nothing to restore."""


class ConfiguredSafeState:
    """Runs one module's safe state for one install."""

    def __init__(
        self,
        hass: HomeAssistant,
        name: str,
        options: Mapping[str, Any],
        context: Context,
        variables: Mapping[str, Any],
    ) -> None:
        """Keep what was configured; it is validated again at each use."""
        self._hass = hass
        self._name = name
        self._options = options
        self._context = context
        self._variables = dict(variables)
        self._conditions: Conditions | None = None

    async def enter(self) -> None:
        """Run the actions, then wait until the conditions are true and stay true."""
        raw = self._options.get(CONF_CONDITIONS, [])
        if not enabled(raw):
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail="no enabled condition")
        if any_of_several(raw):
            detail = "a condition is true when any one of its targets is"
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=detail)
        try:
            self._conditions = await Conditions.load(self._hass, raw)
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            raise SafeStateError(Cause.SAFE_STATE_INVALID, detail=err) from err
        limit = float(self._options.get(CONF_TIME_LIMIT, DEFAULT_TIME_LIMIT))
        trace_clear()  # in this task only: looks at conditions are no steps of an automation
        try:
            async with asyncio.timeout(limit):
                await self._run(self._options.get(CONF_ACTIONS, []), Cause.SAFE_STATE_FAILED)
                await self._confirmed()
        except TimeoutError as err:
            unmet = ", ".join(self._unmet()) or "none, but they did not stay true"
            raise SafeStateError(
                Cause.SAFE_STATE_NOT_CONFIRMED, seconds=round(limit), unmet=unmet
            ) from err

    async def _confirmed(self) -> None:
        """Return when the conditions were true for the stable time without a break."""
        loop = asyncio.get_running_loop()
        stable = float(self._options.get(CONF_STABLE, DEFAULT_STABLE))
        since: float | None = None
        while since is None or loop.time() - since < stable:
            if not self.holds():
                since = None
            elif since is None:
                since = loop.time()
                continue
            await asyncio.sleep(_POLL)
        if not self.holds():  # the last look, after the last pause
            await self._confirmed()

    def holds(self) -> bool:
        """Whether every condition is true right now."""
        return not self._unmet()

    def _unmet(self) -> list[str]:
        assert self._conditions is not None
        return self._conditions.unmet(self._variables)

    async def leave(self, result: InstallResult) -> None:
        """Run the restore actions, unless the module is missing and shall stay safe."""
        if self._conditions is not None:
            self._conditions.unload()
            self._conditions = None
        stay = self._options.get(CONF_WHEN_MISSING) == MISSING_STAY_SAFE
        if stay and result.cause is Cause.DID_NOT_COME_BACK:
            raise SafeStateError(Cause.DID_NOT_COME_BACK)
        limit = float(self._options.get(CONF_TIME_LIMIT, DEFAULT_TIME_LIMIT))
        try:
            async with asyncio.timeout(limit):
                await self._run(self._options.get(CONF_RESTORE, []), Cause.RESTORE_FAILED)
        except TimeoutError as err:
            detail = f"not done after {limit:.0f} s"
            raise SafeStateError(Cause.RESTORE_FAILED, detail=detail) from err

    async def _run(self, raw: list[Any], cause: Cause) -> None:
        """Run a sequence in a task of its own: it resets the trace of a calling automation."""
        if raw:
            await self._hass.async_create_task(
                self._run_in_task(raw, cause), f"{DOMAIN} {self._name}", eager_start=False
            )

    async def _run_in_task(self, raw: list[Any], cause: Cause) -> None:
        try:
            actions = await async_validate_actions(self._hass, raw)
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            raise SafeStateError(cause, detail=err) from err
        script = Script(self._hass, actions, self._name, DOMAIN, log_exceptions=False)
        try:
            trace_clear()
            result = await script.async_run(self._variables, self._context)
            reason = script_execution_get()
        except Exception as err:  # an action raises whatever its integration has not caught
            raise SafeStateError(cause, detail=str(err) or type(err).__name__) from err
        finally:
            await script.async_unload()
        if result is None or reason != "finished":
            raise SafeStateError(cause, detail=f"the sequence ended as {reason!r}")
        response = result.service_response
        if isinstance(response, Mapping) and response.get("safe", True) is not True:
            detail = response.get("reason", "it answered that it is not safe")
            refused = cause is Cause.SAFE_STATE_FAILED  # the restore has only one way to fail
            raise SafeStateError(Cause.SAFE_STATE_REFUSED if refused else cause, detail=detail)
        LOGGER.debug("%s: sequence finished", self._name)
