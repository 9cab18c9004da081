"""A module's options: its firmware, and the safe state of what it switches."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import selector

from .const import CONF_ACCEPTED, CONF_CHIP, CONF_FIRMWARE
from .house import HOUSE
from .installer import is_installing
from .ota import Check, Chip
from .safe_state_flow import SafeStateFlow
from .selectors import choice

_ACCEPTABLE = (Check.CHIP, Check.PACKING, Check.FIRMWARE)
"""The checks that may answer "cannot tell" and be accepted; the others always know."""


class ModuleOptionsFlow(SafeStateFlow):
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
                vol.Optional(CONF_CHIP): choice(
                    [*Chip], CONF_CHIP, selector.SelectSelectorMode.DROPDOWN
                ),
                vol.Optional(CONF_ACCEPTED): choice([*_ACCEPTABLE], "check", multiple=True),
            }
        )
        return self.async_show_form(
            step_id="firmware",
            data_schema=self.add_suggested_values_to_schema(schema, options),
        )
