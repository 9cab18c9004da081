"""The steps of an options flow that are about a safe state: typing it, or from a preset."""

from collections.abc import Mapping
from typing import Any, ClassVar

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, OptionsFlowWithReload
from homeassistant.exceptions import HomeAssistantError

from ..const import (
    CONF_ACTIONS,
    CONF_CONDITIONS,
    CONF_EQUIPMENT,
    CONF_INHIBIT,
    CONF_RESTORE,
    CONF_RESTORE_CONDITIONS,
    CONF_SAFE_STATE,
    CONF_STABLE,
    CONF_TIME_LIMIT,
    DOMAIN,
    EQUIPMENT_HOUSE,
    EQUIPMENT_SWITCHES,
)
from ..equipment import (
    FILLED,
    PRESETS,
    Conditions,
    any_of_several,
    async_is_read_back,
    async_validate_actions,
    enabled,
    sweeps,
)
from ..installs import is_installing
from ..ota import as_text
from .safe_state_form import by_section, form, in_sections, out_of_sections

_SEQUENCES = (CONF_ACTIONS, CONF_RESTORE)
_CONDITIONS = (CONF_INHIBIT, CONF_CONDITIONS, CONF_RESTORE_CONDITIONS)


class SafeStateFlow(OptionsFlowWithReload):
    """What the options of the house and of a module say about a safe state."""

    _above: ClassVar[Mapping[vol.Marker, Any]] = {}
    _below: ClassVar[Mapping[vol.Marker, Any]] = {}
    """What stands above and below the sections of the form."""
    _draft: dict[str, Any] | None = None
    """What was typed or preset, and is not stored."""

    @property
    def _shown(self) -> dict[str, Any]:
        """What the form begins with."""
        if self._draft is not None:
            return self._draft
        options = self.config_entry.options
        stored = dict(options.get(CONF_SAFE_STATE, {}))
        if equipment := options.get(CONF_EQUIPMENT):
            stored[CONF_EQUIPMENT] = equipment
        return stored

    async def async_step_safe_state(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Edit what happens before the first byte and after the last."""
        mistakes: dict[str, str] = {}
        placeholders = {"error": ""}
        if user_input is not None:
            said = self._draft = out_of_sections(user_input)
            mistakes = by_section(await self._async_mistakes(said, placeholders))
            if not mistakes and await self._async_is_read_back(said):
                return await self._async_take(said)
            if not mistakes:
                return await self.async_step_restore_unread()
        schema = form(self._above, self._below, mistakes)
        return self.async_show_form(
            step_id="safe_state",
            data_schema=self.add_suggested_values_to_schema(schema, in_sections(self._shown)),
            errors=mistakes,
            description_placeholders=placeholders,
        )

    async def _async_is_read_back(self, said: Mapping[str, Any]) -> bool:
        if not self._is_needed(said):
            return True
        variables = {"module": self.config_entry.title}
        return await async_is_read_back(self.hass, said, variables)

    async def async_step_restore_unread(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that nothing tells what becomes of the actions after; a person may keep them."""
        if user_input is not None and self._draft is not None:
            return await self._async_take(self._draft)
        return self.async_show_form(step_id="restore_unread", data_schema=vol.Schema({}))

    async def _async_take(self, said: dict[str, Any]) -> ConfigFlowResult:
        """Store what was typed; a safe state without anything in it is none."""
        options = dict(self.config_entry.options)
        options.pop(CONF_SAFE_STATE, None)
        safe_state = dict(said)
        if equipment := safe_state.pop(CONF_EQUIPMENT, None):
            options[CONF_EQUIPMENT] = equipment
        if any(safe_state.get(key) for key in (*_SEQUENCES, *_CONDITIONS)):
            options[CONF_SAFE_STATE] = safe_state
        return self.async_create_entry(data=options)

    async def _async_mistakes(
        self, said: dict[str, Any], placeholders: dict[str, str]
    ) -> dict[str, str]:
        """Return what is wrong with it, by field."""
        mistakes = {}
        for key in (*_SEQUENCES, *_CONDITIONS):
            try:
                await self._async_validate(key, said.get(key, []))
            except (vol.Invalid, HomeAssistantError, ValueError) as err:
                mistakes[key] = "invalid_sequence"
                placeholders["error"] = as_text(err)
        if self._is_needed(said) and not enabled(said.get(CONF_CONDITIONS, [])):
            mistakes[CONF_CONDITIONS] = "no_condition"
        for key in _CONDITIONS:
            if sweeps(said.get(key, [])):
                mistakes[key] = "sweeps"
        for key in (CONF_CONDITIONS, CONF_RESTORE_CONDITIONS):
            if any_of_several(said.get(key, [])):
                mistakes[key] = "any_of_several"
        if any_of_several(said.get(CONF_INHIBIT, []), negated=True):
            mistakes[CONF_INHIBIT] = "all_of_several"
        if said[CONF_STABLE] >= said[CONF_TIME_LIMIT]:
            mistakes[CONF_STABLE] = "stable_too_long"
        if any(is_installing(entry) for entry in self._relying):
            mistakes["base"] = "relied_upon"
        return mistakes

    @property
    def _relying(self) -> list[ConfigEntry]:
        """The entries whose installs must not lose in the middle what they rely on."""
        return [
            entry
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            if entry.options.get(CONF_EQUIPMENT) == EQUIPMENT_HOUSE
        ]

    def _is_needed(self, said: Mapping[str, Any]) -> bool:
        """Whether what was typed will be relied upon."""
        return any(said.get(key) for key in (*_SEQUENCES, *_CONDITIONS))

    async def _async_validate(self, key: str, raw: list[Any]) -> None:
        """Check a copy as it will be used, so that mistakes show on the form."""
        if key in _SEQUENCES:
            await async_validate_actions(self.hass, raw)
        else:
            (await Conditions.load(self.hass, raw)).unload()

    # Presets

    async def async_step_safe_state_preset(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer what most people need."""
        return self.async_show_menu(
            step_id="safe_state_preset", menu_options=[f"preset_{name}" for name in PRESETS]
        )

    async def async_step_preset_close_valve(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Close valves and wait until they are closed."""
        return await self._async_preset("close_valve", user_input)

    async def async_step_preset_switch_off(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Switch something off."""
        return await self._async_preset("switch_off", user_input)

    async def async_step_preset_call_script(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Call a script, and read back what it should have done."""
        return await self._async_preset("call_script", user_input)

    async def _async_preset(self, name: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask what is needed and show the safe state that it makes."""
        preset = PRESETS[name]
        if user_input is None:
            return self.async_show_form(step_id=f"preset_{name}", data_schema=preset.schema)
        kept = {key: value for key, value in self._shown.items() if key not in FILLED}
        self._draft = kept | {CONF_EQUIPMENT: EQUIPMENT_SWITCHES} | preset.make(user_input)
        return await self.async_step_safe_state()


class HouseSafeStateFlow(SafeStateFlow):
    """The safe state of the house, for modules whose answer is that they use it."""

    async def async_step_house_safe_state(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer to type it, or to start from a preset."""
        presets = [f"preset_{name}" for name in PRESETS]
        return self.async_show_menu(
            step_id="house_safe_state", menu_options=["safe_state", *presets]
        )
