"""Adds the modules that are described in JSON: a name each, and how it behaves."""

import json
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class NeighbourFlow(ConfigFlow, domain="neighbour"):
    """One form."""

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the description."""
        if user_input is not None:
            modules = json.loads(user_input["modules"])
            return self.async_create_entry(title="Neighbour", data={"modules": modules})
        return self.async_show_form(
            step_id="user", data_schema=vol.Schema({vol.Required("modules"): str})
        )
