"""What outlives the entries: shown, and given up where a person says so."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import selector

from ..const import CONF_PULL_SECRET, CONF_TRANSPORTS, TRANSPORT_PULL
from ..house import HOUSE, new_secret
from ..ota import as_text
from .safe_state import HouseSafeStateFlow
from .transports import pull_url

_CONF_NEW_SECRET: Final = "new_secret"  # noqa: S105 - a key, not a secret
_CONF_FORGET_MODULES: Final = "forget_modules"
_NOBODY: Final = "-"


class OutlivingFlow(HouseSafeStateFlow):
    """The one form by which a pull secret and deleted modules are given up."""

    async def async_step_secret(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show who knows the secret, and make a new one."""
        house, entry = self.hass.data[HOUSE], self.config_entry
        if user_input is not None:
            if user_input[_CONF_FORGET_MODULES]:
                await house.outliving.async_forget_modules()
            if user_input[_CONF_NEW_SECRET]:
                data = {**entry.data, CONF_PULL_SECRET: new_secret()}
                self.hass.config_entries.async_update_entry(entry, data=data)
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
            return self.async_create_entry(data=dict(entry.options))
        know_it = [
            module.title
            for module in house.modules
            if TRANSPORT_PULL in module.data.get(CONF_TRANSPORTS, [])
            and not module.data.get(CONF_PULL_SECRET)
        ]
        former = [item["name"] or item["identity"] for item in house.outliving.former]
        return self.async_show_form(
            step_id="secret",
            data_schema=vol.Schema(
                {
                    vol.Required(_CONF_NEW_SECRET, default=False): selector.BooleanSelector(),
                    vol.Required(_CONF_FORGET_MODULES, default=False): selector.BooleanSelector(),
                }
            ),
            description_placeholders={
                "url": pull_url(self.hass, {}),
                "modules": as_text(", ".join(sorted(know_it)), 2000) or _NOBODY,
                "former": as_text(", ".join(sorted(former)), 2000) or _NOBODY,
            },
        )
