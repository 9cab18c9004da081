"""A module's options: its firmware, and the safe state of what it switches."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_HOST
from homeassistant.helpers import selector

from ..const import (
    CONF_ACCEPTED,
    CONF_CHIP,
    CONF_FIRMWARE,
    CONF_FORGET,
    CONF_GZIP,
    CONF_INFO_ENTITY,
    CONF_INFO_PATH,
    CONF_INFO_URL,
    CONF_ROLLBACK,
    CONF_SLOT_SIZE,
    CONF_SOAK_ENTITIES,
    CONF_SOAK_MINUTES,
    ROLLBACK_ASK,
    ROLLBACK_AUTO,
    ROLLBACK_NEVER,
)
from ..house import HOUSE
from ..installs import async_packing_advice, is_installing
from ..modules import async_info_version
from ..ota import ACCEPTABLE, MAX_FILE_SIZE, Chip, is_json_path, with_own_host
from .doors import DoorsFlow
from .equipment import RehearsalFlow
from .selectors import choice, minutes, with_stored, without_passwords
from .versions import VersionsFlow
from .waiting import WaitingFlow

_SLOT_SIZE = vol.All(
    selector.NumberSelector(
        selector.NumberSelectorConfig(
            min=1,
            max=MAX_FILE_SIZE,
            step=1,
            unit_of_measurement="B",
            mode=selector.NumberSelectorMode.BOX,
        )
    ),
    vol.Coerce(int),
)


VERIFICATION: Final[Mapping[vol.Marker, Any]] = {
    vol.Required(CONF_ROLLBACK, default=ROLLBACK_ASK): choice(
        [ROLLBACK_NEVER, ROLLBACK_ASK, ROLLBACK_AUTO], CONF_ROLLBACK
    ),
    vol.Required(CONF_SOAK_MINUTES, default=0): minutes(120),
    vol.Optional(CONF_SOAK_ENTITIES): selector.EntitySelector(
        selector.EntitySelectorConfig(multiple=True)
    ),
}


class ModuleOptionsFlow(DoorsFlow, RehearsalFlow, VersionsFlow, WaitingFlow):
    """Forms behind a menu; saving one reloads the module."""

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the menu, unless an install runs: a reload would cancel it."""
        if is_installing(self.config_entry):
            return self.async_abort(reason="install_running")
        return self.async_show_menu(
            step_id="init",
            menu_options=[
                *self.safe_state_menu,
                "firmware",
                "versions",
                "doors",
                "evidence",
                "verification",
                "waiting",
            ],
        )

    async def async_step_evidence(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Name where else the running version can be read; a page is looked at once."""
        options = dict(self.config_entry.options)
        errors: dict[str, str] = {}
        if user_input is not None:
            for key in (CONF_INFO_URL, CONF_INFO_PATH, CONF_INFO_ENTITY):
                options.pop(key, None)
            stored = self.config_entry.options
            user_input = with_stored(user_input, stored, addresses=[CONF_INFO_URL])
            if (page := user_input.get(CONF_INFO_URL)) is not None:
                host = str(self.config_entry.data[CONF_HOST])
                user_input = user_input | {CONF_INFO_URL: with_own_host(page, host)}
            if CONF_INFO_PATH in user_input and not is_json_path(user_input[CONF_INFO_PATH]):
                errors[CONF_INFO_PATH] = "no_json_path"
            elif CONF_INFO_URL in user_input and not (
                await async_info_version(self.hass, self.config_entry, user_input)
            ):
                errors[CONF_INFO_URL] = "no_version"
            else:
                return self.async_create_entry(data=options | user_input)
        schema = vol.Schema(
            {
                vol.Optional(CONF_INFO_URL): selector.TextSelector(
                    selector.TextSelectorConfig(type=selector.TextSelectorType.URL)
                ),
                vol.Optional(CONF_INFO_PATH): selector.TextSelector(),
                vol.Optional(CONF_INFO_ENTITY): selector.EntitySelector(),
            }
        )
        return self.async_show_form(
            step_id="evidence",
            data_schema=self.add_suggested_values_to_schema(
                schema, without_passwords(user_input or options)
            ),
            errors=errors,
        )

    async def async_step_verification(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say for how long new firmware is watched, and what happens when it does not work."""
        options = dict(self.config_entry.options)
        if user_input is not None:
            options.pop(CONF_SOAK_ENTITIES, None)
            return self.async_create_entry(data=options | user_input)
        return self.async_show_form(
            step_id="verification",
            data_schema=self.add_suggested_values_to_schema(vol.Schema(VERIFICATION), options),
        )

    async def async_step_firmware(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say which firmware belongs on the module, and what is accepted as unknown."""
        options = dict(self.config_entry.options)
        if user_input is not None:
            for key in (CONF_FIRMWARE, CONF_CHIP, CONF_SLOT_SIZE, CONF_ACCEPTED, CONF_GZIP):
                options.pop(key, None)
            if user_input.pop(CONF_FORGET):
                await self._async_forget()
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
                vol.Optional(CONF_SLOT_SIZE): _SLOT_SIZE,
                vol.Optional(CONF_ACCEPTED): choice([*ACCEPTABLE], "check", multiple=True),
                vol.Required(CONF_GZIP, default=True): selector.BooleanSelector(),
                vol.Required(CONF_FORGET, default=False): selector.BooleanSelector(),
            }
        )
        packing = await async_packing_advice(self.config_entry.runtime_data.coordinator)
        return self.async_show_form(
            step_id="firmware",
            data_schema=self.add_suggested_values_to_schema(schema, options),
            description_placeholders={"packing": packing},
        )

    async def _async_forget(self) -> None:
        """Forget what the module's answers taught; it is right again after a cable was used."""
        entry = self.config_entry
        await self.hass.data[HOUSE].journal.async_learn(entry.entry_id, {})
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
