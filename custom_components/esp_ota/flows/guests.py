"""The forms of guests: update entities of other integrations, and what their modules switch."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components.update import DOMAIN as UPDATE_DOMAIN
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.helpers import selector

from ..boards import module_at
from ..const import (
    CONF_EQUIPMENT,
    CONF_GUESTS,
    CONF_SAFE_STATE,
    EQUIPMENT_HOUSE,
    EQUIPMENT_NOTHING,
    EQUIPMENT_SWITCHES,
    KIND_GUEST,
)
from ..equipment import async_is_read_back
from ..guests import Guest, entity_ids_of, is_foreign, stored_ids
from ..house import HOUSE
from ..owners import guest_key
from .safe_state_form import by_section, form, in_sections, out_of_sections
from .safe_state_mistakes import async_mistakes
from .selectors import choice

_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_GUESTS): selector.EntitySelector(
            selector.EntitySelectorConfig(domain=UPDATE_DOMAIN, multiple=True)
        ),
        vol.Required(CONF_EQUIPMENT, default=EQUIPMENT_SWITCHES): choice(
            [EQUIPMENT_SWITCHES, EQUIPMENT_HOUSE, EQUIPMENT_NOTHING], CONF_EQUIPMENT
        ),
    }
)
_NAMES: Final = 3
"""Of guests in the title of an entry."""


class GuestFlow(ConfigSubentryFlow):
    """Adds guests that have one answer in common, and changes it."""

    _data: dict[str, Any]
    _draft: dict[str, Any]

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add guests."""
        return await self._async_who("user", user_input, {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change who they are, and what they switch."""
        stored = dict(self._get_reconfigure_subentry().data)
        stored[CONF_GUESTS] = entity_ids_of(self.hass, stored)
        return await self._async_who("reconfigure", user_input, stored)

    async def _async_who(
        self, step: str, said: dict[str, Any] | None, shown: dict[str, Any]
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        if said is not None:
            errors = self._mistakes(said)
            if not errors:
                self._data = {
                    CONF_GUESTS: stored_ids(self.hass, said[CONF_GUESTS]),
                    CONF_EQUIPMENT: said[CONF_EQUIPMENT],
                }
                if said[CONF_EQUIPMENT] == EQUIPMENT_SWITCHES:
                    return await self.async_step_safe_state()
                return self._stored()
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(_FORM, said or shown),
            errors=errors,
        )

    def _mistakes(self, said: dict[str, Any]) -> dict[str, str]:
        if not said[CONF_GUESTS]:
            return {CONF_GUESTS: "nobody"}
        house = self.hass.data[HOUSE]
        if not all(
            is_foreign(self.hass, item) and module_at(self.hass, house, item) is None
            for item in said[CONF_GUESTS]
        ):
            return {CONF_GUESTS: "own_module"}
        own = self._get_reconfigure_subentry() if self.source == SOURCE_RECONFIGURE else None
        taken = {
            item
            for subentry in self._get_entry().subentries.values()
            if subentry.subentry_type == KIND_GUEST and subentry is not own
            for item in subentry.data[CONF_GUESTS]
        }
        if taken & set(stored_ids(self.hass, said[CONF_GUESTS])):
            return {CONF_GUESTS: "already_added"}
        options = self._get_entry().options
        if said[CONF_EQUIPMENT] == EQUIPMENT_HOUSE and not options.get(CONF_SAFE_STATE):
            return {CONF_EQUIPMENT: "no_house_safe_state"}
        return {}

    async def async_step_safe_state(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say what happens before they are updated, and after."""
        errors: dict[str, str] = {}
        placeholders = {"error": ""}
        shown: dict[str, Any] = {}
        if self.source == SOURCE_RECONFIGURE:
            shown = self._get_reconfigure_subentry().data.get(CONF_SAFE_STATE, {})
        if user_input is not None:
            shown = self._draft = out_of_sections(user_input)
            mistakes = await async_mistakes(self.hass, shown, placeholders, is_needed=True)
            errors = by_section(mistakes)
            if not errors and await async_is_read_back(self.hass, shown, {"module": self._title()}):
                return self._stored(shown)
            if not errors:
                return await self.async_step_restore_unread()
        return self.async_show_form(
            step_id="safe_state",
            data_schema=self.add_suggested_values_to_schema(
                form({}, {}, errors), in_sections(shown)
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_restore_unread(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Say that nothing tells what becomes of the actions after; a person may keep them."""
        if user_input is not None:
            return self._stored(self._draft)
        return self.async_show_form(step_id="restore_unread", data_schema=vol.Schema({}))

    def _title(self) -> str:
        """Return how they are called together."""
        entity_ids = entity_ids_of(self.hass, self._data)
        names = [Guest(self.hass, guest_key(self.hass, item)).title for item in entity_ids]
        more = f" + {len(names) - _NAMES}" if len(names) > _NAMES else ""
        return ", ".join(names[:_NAMES]) + more

    def _stored(self, safe_state: dict[str, Any] | None = None) -> SubentryFlowResult:
        data = self._data if safe_state is None else {**self._data, CONF_SAFE_STATE: safe_state}
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            return self.async_update_and_abort(
                self._get_entry(), subentry, title=self._title(), data=data
            )
        return self.async_create_entry(title=self._title(), data=data)
