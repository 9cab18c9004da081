"""The steps of an options flow that are about a safe state."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector

from .conditions import Conditions, any_of_several, enabled
from .const import (
    CONF_ACTIONS,
    CONF_CONDITIONS,
    CONF_EQUIPMENT,
    CONF_RESTORE,
    CONF_SAFE_STATE,
    CONF_STABLE,
    CONF_TIME_LIMIT,
    CONF_WHEN_MISSING,
    DEFAULT_STABLE,
    DEFAULT_TIME_LIMIT,
    EQUIPMENT_NOTHING,
    EQUIPMENT_SWITCHES,
    MISSING_RESTORE,
    MISSING_STAY_SAFE,
)
from .selectors import RawConditionSelector, choice, seconds
from .sequence import async_validate_actions

_SAFE_STATE = vol.Schema(
    {
        vol.Required(CONF_EQUIPMENT, default=EQUIPMENT_SWITCHES): choice(
            [EQUIPMENT_SWITCHES, EQUIPMENT_NOTHING],
            CONF_EQUIPMENT,
        ),
        vol.Optional(CONF_ACTIONS): selector.ActionSelector(),
        vol.Optional(CONF_CONDITIONS): RawConditionSelector(),
        vol.Required(CONF_TIME_LIMIT, default=DEFAULT_TIME_LIMIT): seconds(3600),
        vol.Required(CONF_STABLE, default=DEFAULT_STABLE): seconds(600),
        vol.Optional(CONF_RESTORE): selector.ActionSelector(),
        vol.Required(CONF_WHEN_MISSING, default=MISSING_RESTORE): choice(
            [MISSING_RESTORE, MISSING_STAY_SAFE],
            CONF_WHEN_MISSING,
        ),
    }
)


class SafeStateFlow(OptionsFlowWithReload):
    """What the options of a module and of the house say about a safe state."""

    async def async_step_safe_state(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Edit what happens before the first byte and after the last."""
        errors: dict[str, str] = {}
        placeholders = {"error": ""}
        options = dict(self.config_entry.options)
        if user_input is not None:
            safe_state = dict(user_input)
            equipment = safe_state.pop(CONF_EQUIPMENT)
            try:
                await self._async_validate(safe_state)
            except (vol.Invalid, HomeAssistantError, ValueError) as err:
                errors["base"] = "invalid_sequence"
                placeholders["error"] = str(err)
            conditions = safe_state.get(CONF_CONDITIONS, [])
            if equipment == EQUIPMENT_SWITCHES and not enabled(conditions):
                errors[CONF_CONDITIONS] = "no_condition"
            elif any_of_several(conditions):
                errors[CONF_CONDITIONS] = "any_of_several"
            if not errors:
                return self.async_create_entry(
                    data=options | {CONF_EQUIPMENT: equipment, CONF_SAFE_STATE: safe_state}
                )
        stored = options.get(CONF_SAFE_STATE, {}) | {
            CONF_EQUIPMENT: options.get(CONF_EQUIPMENT, EQUIPMENT_SWITCHES)
        }
        return self.async_show_form(
            step_id="safe_state",
            data_schema=self.add_suggested_values_to_schema(_SAFE_STATE, user_input or stored),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_validate(self, safe_state: dict[str, Any]) -> None:
        """Check copies as they will be used, so that mistakes show on the form."""
        for key in (CONF_ACTIONS, CONF_RESTORE):
            if sequence := safe_state.get(key):
                await async_validate_actions(self.hass, sequence)
        if conditions := safe_state.get(CONF_CONDITIONS):
            (await Conditions.load(self.hass, conditions)).unload()
