"""Which versions a module may have: the form of its pin, its hold and its channel."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import selector
from homeassistant.util import dt as dt_util

from ..const import CHANNEL_BETA, CHANNEL_STABLE, CONF_HOLD, CONF_MODULE_CHANNEL, CONF_PIN
from ..modules import shown_bounds, stored_bound
from ..ota import held_until
from .selectors import choice

_FIELDS: Final = vol.Schema(
    {
        vol.Optional(CONF_PIN): selector.TextSelector(),
        vol.Optional(CONF_HOLD): selector.DateTimeSelector(),
        vol.Required(CONF_MODULE_CHANNEL, default=CHANNEL_STABLE): choice(
            [CHANNEL_STABLE, CHANNEL_BETA], "module_channel"
        ),
    }
)


class VersionsFlow(OptionsFlowWithReload):
    """The step of a module's options that actions set as well."""

    async def async_step_versions(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say which versions it may have, until when it has none, and whether pre-releases."""
        keys = CONF_PIN, CONF_HOLD, CONF_MODULE_CHANNEL
        options = self.config_entry.options
        errors: dict[str, str] = {}
        data = self.config_entry.runtime_data.coordinator.data
        channel = shown_bounds(options, data.compared_with)["channel"]
        if user_input is not None:
            if CONF_MODULE_CHANNEL not in options and user_input[CONF_MODULE_CHANNEL] == channel:
                user_input = user_input | {CONF_MODULE_CHANNEL: None}  # what runs goes on to decide
            stored = {key: value for key, value in options.items() if key not in keys}
            for key in keys:
                try:
                    value = stored_bound(key, user_input.get(key))
                except ServiceValidationError as err:
                    errors[key] = str(err.translation_key)
                else:
                    stored |= {key: value} if value is not None else {}
            if not errors:
                return self.async_create_entry(data=stored)
        shown = {key: options[key] for key in keys if key in options}
        shown[CONF_MODULE_CHANNEL] = channel
        if held_until(shown.get(CONF_HOLD), dt_util.now()) is None:
            shown.pop(CONF_HOLD, None)  # it is over
        elif CONF_HOLD in shown:
            shown[CONF_HOLD] = shown[CONF_HOLD].replace("T", " ")
        return self.async_show_form(
            step_id="versions",
            data_schema=self.add_suggested_values_to_schema(_FIELDS, user_input or shown),
            errors=errors,
        )
