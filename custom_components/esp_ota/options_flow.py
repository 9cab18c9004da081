"""A module's options: its firmware, and the safe state of what it switches."""

from copy import deepcopy
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector

from .conditions import Conditions, any_of_several, enabled
from .const import (
    CONF_ACCEPTED,
    CONF_ACTIONS,
    CONF_CHIP,
    CONF_CONDITIONS,
    CONF_EQUIPMENT,
    CONF_FIRMWARE,
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
from .house import HOUSE
from .installer import is_installing
from .ota import ACCEPTABLE, Chip
from .safe_state import async_validate_actions


class RawConditionSelector(selector.ConditionSelector):
    """Validates conditions, but hands on the raw input.

    The base class returns Template and timedelta objects. Those cannot be written to storage
    and would break saving the entries of every integration.
    """

    @override
    def __call__(self, data: Any) -> Any:
        super().__call__(deepcopy(data))
        return data


def _seconds(maximum: int) -> vol.All:
    return vol.All(
        selector.NumberSelector(
            selector.NumberSelectorConfig(
                min=0,
                max=maximum,
                step=1,
                unit_of_measurement="s",
                mode=selector.NumberSelectorMode.BOX,
            )
        ),
        vol.Coerce(int),
    )


def _choice(
    options: list[str],
    key: str,
    mode: selector.SelectSelectorMode = selector.SelectSelectorMode.LIST,
    *,
    multiple: bool = False,
) -> selector.SelectSelector:
    return selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=options, translation_key=key, mode=mode, multiple=multiple
        )
    )


_SAFE_STATE = vol.Schema(
    {
        vol.Required(CONF_EQUIPMENT, default=EQUIPMENT_SWITCHES): _choice(
            [EQUIPMENT_SWITCHES, EQUIPMENT_NOTHING],
            CONF_EQUIPMENT,
        ),
        vol.Optional(CONF_ACTIONS): selector.ActionSelector(),
        vol.Optional(CONF_CONDITIONS): RawConditionSelector(),
        vol.Required(CONF_TIME_LIMIT, default=DEFAULT_TIME_LIMIT): _seconds(3600),
        vol.Required(CONF_STABLE, default=DEFAULT_STABLE): _seconds(600),
        vol.Optional(CONF_RESTORE): selector.ActionSelector(),
        vol.Required(CONF_WHEN_MISSING, default=MISSING_RESTORE): _choice(
            [MISSING_RESTORE, MISSING_STAY_SAFE],
            CONF_WHEN_MISSING,
        ),
    }
)


class ModuleOptionsFlow(OptionsFlowWithReload):
    """Two forms behind a menu; saving either reloads the module."""

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the menu, unless an install runs: a reload would cancel it."""
        if is_installing(self.config_entry):
            return self.async_abort(reason="install_running")
        return self.async_show_menu(step_id="init", menu_options=["safe_state", "firmware"])

    async def async_step_firmware(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say which firmware belongs on the module, and what is accepted as unknown."""
        options = dict(self.config_entry.options)
        if user_input is not None:
            for key in (CONF_FIRMWARE, CONF_CHIP, CONF_ACCEPTED):
                options.pop(key, None)
            return self.async_create_entry(data=options | user_input)
        firmwares = self.hass.data[HOUSE].library.firmwares
        schema = vol.Schema(
            {
                vol.Optional(CONF_FIRMWARE): selector.SelectSelector(
                    selector.SelectSelectorConfig(options=firmwares, custom_value=True)
                ),
                vol.Optional(CONF_CHIP): _choice(
                    [*Chip], CONF_CHIP, selector.SelectSelectorMode.DROPDOWN
                ),
                vol.Optional(CONF_ACCEPTED): _choice([*ACCEPTABLE], "check", multiple=True),
            }
        )
        return self.async_show_form(
            step_id="firmware",
            data_schema=self.add_suggested_values_to_schema(schema, options),
        )

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
            (await Conditions.load(self.hass, conditions, "safe state")).unload()
