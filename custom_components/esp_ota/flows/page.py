"""Another password or address for a module that has only an update page, tried against the page."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT

from ..const import (
    CONF_MOVED_FROM,
    CONF_TRANSPORTS,
    CONF_UPLOAD_PASSWORD,
    CONF_UPLOAD_PATH,
    CONF_UPLOAD_PORT,
    CONF_UPLOAD_USERNAME,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from .selectors import with_stored, without_passwords
from .transports import NO_PASSWORD, PASSWORD, TEXT, UPLOAD_FIELDS, async_try_page, is_page_path

_CREDENTIALS: Final[dict[vol.Marker, Any]] = {
    vol.Optional(CONF_UPLOAD_USERNAME): TEXT,
    vol.Required(CONF_UPLOAD_PASSWORD): PASSWORD,
}
_ADDRESS: Final[dict[vol.Marker, Any]] = (
    {vol.Required(CONF_HOST): TEXT} | UPLOAD_FIELDS | NO_PASSWORD
)


def ways_of(entry: ConfigEntry) -> list[str]:
    """Return how images reach a module, first choice first."""
    return list(entry.data.get(CONF_TRANSPORTS) or [TRANSPORT_PUSH])


def has_a_page_alone(entry: ConfigEntry) -> bool:
    """Whether a module is reached at its update page and nowhere else."""
    ways = ways_of(entry)
    return TRANSPORT_UPLOAD in ways and TRANSPORT_PUSH not in ways


class PageFlow(ConfigFlow):
    """The two steps; no reload in them, it would end a running install and is not needed."""

    async def async_step_reauth_page(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new user and password, and show them to the page."""
        entry = self._get_reauth_entry()
        tried: dict[str, str] = {}
        if user_input is not None:
            data = _changed(entry, _CREDENTIALS, user_input)
            if not (tried := await _try(data)):
                return self.async_update_and_abort(entry, data=data)
        return self._show("reauth_page", entry, _CREDENTIALS, user_input, tried)

    async def async_step_reconfigure_page(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change where the page is, what kind it is, and who may use it."""
        entry = self._get_reconfigure_entry()
        tried: dict[str, str] = {}
        if user_input is not None:
            data = _changed(entry, _ADDRESS, with_stored(user_input, entry.data))
            data.pop(CONF_MOVED_FROM, None)  # a person says where it is
            data[CONF_PORT] = data[CONF_UPLOAD_PORT]
            if self._is_taken(entry, data):
                tried = {"base": "other_module"}
            elif not is_page_path(user_input.get(CONF_UPLOAD_PATH)):
                tried = {CONF_UPLOAD_PATH: "no_path"}
            elif not (tried := await _try(data)):
                return self.async_update_and_abort(entry, data=data)
        return self._show("reconfigure_page", entry, _ADDRESS, user_input, tried)

    def _is_taken(self, entry: ConfigEntry, data: Mapping[str, Any]) -> bool:
        """Whether another module has its page there."""
        place = data[CONF_HOST], data[CONF_UPLOAD_PORT]
        return any(
            (other.data.get(CONF_HOST), other.data.get(CONF_UPLOAD_PORT)) == place
            for other in self._async_current_entries()
            if other is not entry
        )

    def _show(
        self,
        step: str,
        entry: ConfigEntry,
        fields: dict[vol.Marker, Any],
        said: dict[str, Any] | None,
        tried: dict[str, str],
    ) -> ConfigFlowResult:
        """Show a form; what `tried` holds beside its errors are facts of their sentences."""
        errors: dict[str, str] = {
            key: tried[key] for key in ("base", CONF_UPLOAD_PATH) if key in tried
        }
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields), said if said is not None else without_passwords(entry.data)
            ),
            errors=errors,
            description_placeholders={"name": entry.title, "module": entry.title}
            | {key: text for key, text in tried.items() if key not in errors},
        )


def _changed(
    entry: ConfigEntry, fields: Mapping[vol.Marker, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an entry's data with the fields of a form as they were said, or emptied."""
    known = {str(marker) for marker in fields}
    return {key: value for key, value in entry.data.items() if key not in known} | dict(said)


async def _try(data: dict[str, Any]) -> dict[str, str]:
    """Look at the page, and keep its kind; return an error and its facts where there is one."""
    err, seen = await async_try_page(data[CONF_HOST], data)
    data |= seen
    return {} if err is None else err.facts | {"base": str(err.cause)}
