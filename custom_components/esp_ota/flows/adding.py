"""Adding a module that is not pushed to: by its update page, or because it asks."""

from collections.abc import Mapping
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.helpers import selector
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from ..const import (
    CONF_AUTH,
    CONF_BOARD,
    CONF_EQUIPMENT,
    CONF_KIND,
    CONF_MAC,
    CONF_PULL_SECRET,
    CONF_SERVICE_NAME,
    CONF_TRANSPORTS,
    CONF_UPLOAD_PASSWORD,
    CONF_UPLOAD_PATH,
    CONF_UPLOAD_PORT,
    EQUIPMENT_HOUSE,
    EQUIPMENT_NOTHING,
    EQUIPMENT_SWITCHES,
    KIND_MODULE,
    TRANSPORT_PULL,
    TRANSPORT_UPLOAD,
)
from ..house import async_make_house_entry, owner_of_mac
from ..installs import async_lent
from ..ota import DEFAULT_PORTS, ModuleFacts, PullRequest, as_texts, format_mac
from .other_integrations import async_updater_of
from .page import PageFlow
from .transports import TEXT, UPLOAD_FIELDS, async_try_page, is_page_path, pull_url, sketch_lines

EQUIPMENT: Final = selector.SelectSelector(
    selector.SelectSelectorConfig(
        options=[EQUIPMENT_SWITCHES, EQUIPMENT_HOUSE, EQUIPMENT_NOTHING],
        translation_key=CONF_EQUIPMENT,
        mode=selector.SelectSelectorMode.LIST,
    )
)


class ModuleFlow(PageFlow):
    """What all ways of adding a module share, and the two that need no announcement."""

    _facts: ModuleFacts
    _service_name: str | None = None
    _doors: Mapping[str, Any] = {}
    """How an image reaches it, where that is not by ArduinoOTA."""

    @override
    async def async_step_integration_discovery(
        self, discovery_info: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Take a module that asked for an update with the house's secret."""
        request: PullRequest = discovery_info["request"]
        tail = request.mac.replace(":", "")[6:]
        self._facts = ModuleFacts(
            name=f"{request.family}-{tail}",
            host=discovery_info["host"],
            port=DEFAULT_PORTS[request.family],
            family=request.family,
            mac=request.mac,
            version=request.version,
        )
        own = discovery_info.get("secret")  # it was deleted, and its sketch has that one
        self._doors = {CONF_TRANSPORTS: [TRANSPORT_PULL]} | ({CONF_PULL_SECRET: own} if own else {})
        await self.async_set_unique_id(request.mac)
        self._abort_if_unique_id_configured()
        if other := async_updater_of(self.hass, self._facts):
            return self.async_abort(
                reason="other_integration", description_placeholders={"integration": other}
            )
        self.context["title_placeholders"] = {"name": self._facts.name}
        return await self.async_step_confirm_pull()

    async def async_step_confirm_pull(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what the module switches."""
        if user_input is not None:
            self._abort_if_unique_id_configured()
            return self._create(user_input)
        return self.async_show_form(
            step_id="confirm_pull",
            data_schema=vol.Schema({vol.Required(CONF_EQUIPMENT): EQUIPMENT}),
            description_placeholders=as_texts(
                {
                    "name": self._facts.name,
                    "host": self._facts.host,
                    "mac": self._facts.mac or "?",
                    "version": self._facts.version or "?",
                }
            ),
        )

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Look into an address that the router has lent to a known module."""
        mac = format_mac(discovery_info.macaddress)
        for entry in self._async_current_entries(include_ignore=False):
            if mac is not None and entry.data.get(CONF_MAC) == mac:
                async_lent(entry, discovery_info.ip)
        return self.async_abort(reason="already_configured")

    async def async_step_pull(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what to put into a sketch; its first request makes it appear as discovered."""
        if user_input is not None:
            return self.async_abort(reason="waiting_for_poll")
        await async_make_house_entry(self.hass)
        url = pull_url(self.hass, {})
        return self.async_show_form(
            step_id="pull",
            data_schema=vol.Schema({}),
            description_placeholders={"url": url, "sketch": sketch_lines(url)},
        )

    async def async_step_page(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Add a module by its update page, which is looked at without changing anything."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            self._async_abort_entries_match(
                {CONF_HOST: user_input[CONF_HOST], CONF_UPLOAD_PORT: user_input[CONF_UPLOAD_PORT]}
            )
            if not is_page_path(user_input.get(CONF_UPLOAD_PATH)):
                errors[CONF_UPLOAD_PATH] = "no_path"
            else:
                err, seen = await async_try_page(user_input[CONF_HOST], user_input)
                if err is None:
                    return self._create_with_page(user_input, seen)
                errors["base"] = str(err.cause)
                placeholders = {"module": user_input[CONF_HOST]} | err.facts
        schema = vol.Schema(
            {vol.Required(CONF_HOST): TEXT}
            | UPLOAD_FIELDS
            | {vol.Required(CONF_EQUIPMENT): EQUIPMENT}
        )
        return self.async_show_form(
            step_id="page",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or {}),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _create_with_page(
        self, user_input: Mapping[str, Any], seen: Mapping[str, Any]
    ) -> ConfigFlowResult:
        host, port = user_input[CONF_HOST], user_input[CONF_UPLOAD_PORT]
        self._facts = ModuleFacts(name=host, host=host, port=port)
        fields = {str(marker) for marker in UPLOAD_FIELDS}
        said = {key: value for key, value in user_input.items() if key in fields}
        self._doors = {CONF_TRANSPORTS: [TRANSPORT_UPLOAD], **said, **seen}
        return self._create(user_input)

    def _create(self, user_input: Mapping[str, Any]) -> ConfigFlowResult:
        if (mac := self._facts.mac) is not None and owner_of_mac(self.hass, mac) is not None:
            # Another one may have learnt it while the form waited.
            return self.async_abort(reason="already_configured")
        data = {CONF_KIND: KIND_MODULE, **self._announced(), **self._doors}
        if password := user_input.get(CONF_PASSWORD):
            pushed = TRANSPORT_UPLOAD not in data.get(CONF_TRANSPORTS, [])
            data[CONF_PASSWORD if pushed else CONF_UPLOAD_PASSWORD] = password
        return self.async_create_entry(
            title=self._facts.name,
            data=data,
            options={CONF_EQUIPMENT: user_input[CONF_EQUIPMENT]},
        )

    def _announced(self) -> dict[str, Any]:
        """Return what an entry keeps of the announcement."""
        facts = self._facts
        return {
            CONF_NAME: facts.name,
            CONF_HOST: facts.host,
            CONF_PORT: facts.port,
            CONF_SERVICE_NAME: self._service_name,
            CONF_BOARD: facts.board,
            CONF_MAC: facts.mac,
            CONF_AUTH: facts.auth_required,
        }
