"""What updates wait for: the form of the house, and that of a module."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, OptionsFlowWithReload
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector

from ..const import (
    CONF_AT_DEADLINE,
    CONF_CONDITIONS,
    CONF_SLEEPS,
    CONF_WAIT_HOURS,
    CONF_WAKE_ENTITY,
    CONF_WHEN_INHIBITED,
    CONF_WINDOW,
    CONF_WINDOW_OF,
    DEADLINE_GIVE_UP,
    DEADLINE_WAIT_ON,
    DEFAULT_WAIT_HOURS,
    INHIBITED_REFUSE,
    INHIBITED_WAIT,
    WINDOW_OF_HOUSE,
    WINDOW_OF_MODULE,
    WINDOW_OF_NOBODY,
)
from ..equipment import Conditions
from ..ota import DAYS
from .selectors import RawConditionSelector, choice, whole_number

_START: Final = "window_start"
_END: Final = "window_end"
_DAYS: Final = "window_days"
_CONDITIONS: Final = "window_conditions"
_WINDOW: Final[Mapping[vol.Marker, Any]] = {
    vol.Optional(_START): selector.TimeSelector(),
    vol.Optional(_END): selector.TimeSelector(),
    vol.Optional(_DAYS): choice([*DAYS], "day", multiple=True),
    vol.Optional(_CONDITIONS): RawConditionSelector(),
}
_OF_HOUSE: Final[Mapping[vol.Marker, Any]] = {
    vol.Required(CONF_WHEN_INHIBITED, default=INHIBITED_REFUSE): choice(
        [INHIBITED_REFUSE, INHIBITED_WAIT], CONF_WHEN_INHIBITED
    ),
    vol.Required(CONF_WAIT_HOURS, default=DEFAULT_WAIT_HOURS): whole_number(1, 720, "h"),
    vol.Required(CONF_AT_DEADLINE, default=DEADLINE_GIVE_UP): choice(
        [DEADLINE_GIVE_UP, DEADLINE_WAIT_ON], CONF_AT_DEADLINE
    ),
    **_WINDOW,
}
_OF_MODULE: Final[Mapping[vol.Marker, Any]] = {
    vol.Required(CONF_SLEEPS, default=False): selector.BooleanSelector(),
    vol.Optional(CONF_WAKE_ENTITY): selector.EntitySelector(),
    vol.Required(CONF_WINDOW_OF, default=WINDOW_OF_HOUSE): choice(
        [WINDOW_OF_HOUSE, WINDOW_OF_MODULE, WINDOW_OF_NOBODY], CONF_WINDOW_OF
    ),
    **_WINDOW,
}


class WaitingFlow(OptionsFlowWithReload):
    """The one step that house and modules have of it."""

    async def async_step_waiting(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say when updates may begin, and what they wait for."""
        return await self._async_waiting("waiting", _OF_MODULE, user_input)

    async def async_step_house_waiting(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say the same for the whole house."""
        return await self._async_waiting("house_waiting", _OF_HOUSE, user_input)

    async def _async_waiting(
        self, step: str, fields: Mapping[vol.Marker, Any], said: dict[str, Any] | None
    ) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if said is not None:
            errors = _mistakes(said)
            try:
                (await Conditions.load(self.hass, said.get(_CONDITIONS, []))).unload()
            except vol.Invalid, HomeAssistantError, ValueError:
                errors[_CONDITIONS] = "window_conditions"
            if not errors:
                return self.async_create_entry(data=_stored(self.config_entry, fields, said))
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(dict(fields)), said or _shown(self.config_entry)
            ),
            errors=errors,
        )


def _mistakes(said: Mapping[str, Any]) -> dict[str, str]:
    """Return what keeps a window from ever opening, or from being one."""
    own = said.get(CONF_WINDOW_OF)
    has_times = _START in said and _END in said
    if (_START in said) is not (_END in said):
        return {_END: "window_half"}
    if has_times and not said.get(_DAYS):
        return {_DAYS: "window_days"}
    if own == WINDOW_OF_MODULE and not has_times and not said.get(_CONDITIONS):
        return {_START: "window_empty"}
    return {}


def _stored(
    entry: ConfigEntry, fields: Mapping[vol.Marker, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all options with what was said in place of what was."""
    ours = {str(key) for key in fields} | {CONF_WINDOW}
    options = {key: value for key, value in entry.options.items() if key not in ours}
    options |= {key: value for key, value in said.items() if not key.startswith(f"{CONF_WINDOW}_")}
    if CONF_WINDOW_OF in said:
        options[CONF_WINDOW_OF] = said[CONF_WINDOW_OF]
    window: dict[str, Any] = {}
    if _START in said:
        window = {"start": said[_START], "end": said[_END], "days": said[_DAYS]}
    if said.get(_CONDITIONS):
        window[CONF_CONDITIONS] = said[_CONDITIONS]
    return options | ({CONF_WINDOW: window} if window else {})


def _shown(entry: ConfigEntry) -> dict[str, Any]:
    """Return what is stored as the form has it."""
    window = entry.options.get(CONF_WINDOW, {})
    return {**entry.options, **{f"{CONF_WINDOW}_{key}": value for key, value in window.items()}}
