"""The steps of an options flow about the ways an image may take, each of those that are chosen."""

from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import CONF_HOST, CONF_PORT

from ..const import (
    CONF_OWN_SECRET,
    CONF_PULL_SECRET,
    CONF_TRANSPORTS,
    CONF_UPLOAD_PATH,
    TRANSPORT_PULL,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..ota import family_from_port
from .selectors import with_stored, without_passwords
from .transports import (
    OWN_SECRET,
    UPLOAD_FIELDS,
    WAYS,
    async_try_page,
    data_with_doors,
    is_page_path,
    pull_url,
    sketch_lines,
)


class DoorsFlow(OptionsFlowWithReload):
    """Which ways there are first, and then what each of them needs."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._doors: dict[str, Any] = {}

    async def async_step_doors(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say which ways an image may take to the module, first choice first."""
        entry = self.config_entry
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_TRANSPORTS]:
                self._doors = _stored(self.config_entry.data) | user_input
                return await self._async_next_door(TRANSPORT_UPLOAD, TRANSPORT_PULL)
            errors[CONF_TRANSPORTS] = "no_transport"
        stored = {CONF_TRANSPORTS: entry.data.get(CONF_TRANSPORTS, [TRANSPORT_PUSH])}
        return self.async_show_form(
            step_id="doors",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(WAYS), user_input or stored),
            errors=errors,
        )

    async def _async_next_door(self, *left: str) -> ConfigFlowResult:
        """Ask for what the next of the chosen ways needs, and store it all after the last."""
        steps = {
            TRANSPORT_UPLOAD: self.async_step_door_page,
            TRANSPORT_PULL: self.async_step_door_pull,
        }
        for way in left:
            if way in self._doors[CONF_TRANSPORTS]:
                return await steps[way]()
        entry = self.config_entry
        data = data_with_doors(entry.data, self._doors)
        self.hass.config_entries.async_update_entry(entry, data=data)
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data=dict(entry.options))

    async def async_step_door_page(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Describe the update page, which is looked at."""
        entry = self.config_entry
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            tried = with_stored(user_input, entry.data)
            if not is_page_path(user_input.get(CONF_UPLOAD_PATH)):
                errors[CONF_UPLOAD_PATH] = "no_path"
            else:
                err, seen = await async_try_page(entry.data[CONF_HOST], tried)
                if err is None:
                    known = {str(marker) for marker in UPLOAD_FIELDS}
                    kept = {key: item for key, item in self._doors.items() if key not in known}
                    self._doors = kept | user_input | seen
                    return await self._async_next_door(TRANSPORT_PULL)
                errors["base"] = str(err.cause)
                placeholders = err.facts
        return self.async_show_form(
            step_id="door_page",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(UPLOAD_FIELDS), user_input or without_passwords(entry.data)
            ),
            errors=errors,
            description_placeholders={"module": entry.title} | placeholders,
        )

    async def async_step_door_pull(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the sketch of a module that asks needs."""
        entry = self.config_entry
        if user_input is not None:
            self._doors |= user_input
            return await self._async_next_door()
        url = pull_url(self.hass, entry.data)
        runtime = getattr(entry, "runtime_data", None)
        family = runtime.coordinator.facts().family if runtime else None
        family = family or family_from_port(entry.data[CONF_PORT])  # a hint is enough here
        return self.async_show_form(
            step_id="door_pull",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(OWN_SECRET), {CONF_OWN_SECRET: bool(entry.data.get(CONF_PULL_SECRET))}
            ),
            description_placeholders={"url": url, "sketch": sketch_lines(url, family)},
        )


def _stored(data: Any) -> dict[str, Any]:
    """Return what is known of ways, those included that are not chosen now."""
    known = {str(marker) for marker in UPLOAD_FIELDS}
    stored = {key: value for key, value in data.items() if key in known}
    return stored | {CONF_OWN_SECRET: bool(data.get(CONF_PULL_SECRET))}
