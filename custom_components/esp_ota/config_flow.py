"""Adding a module: discovered, by hand, again with another password or address."""

from collections.abc import Mapping
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.components import zeroconf
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers import selector
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component

from .const import (
    CONF_EQUIPMENT,
    CONF_KIND,
    CONF_MAC,
    CONF_MOVED_FROM,
    CONF_PULL_SECRET,
    CONF_REFUSED_BY,
    CONF_RENAMED,
    CONF_TRANSPORTS,
    CONF_UPLOAD_DIALECT,
    CONF_UPLOAD_PORT,
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
    HOUSE_UNIQUE_ID,
    KIND_GUEST,
    KIND_HOUSE,
    TRANSPORT_UPLOAD,
)
from .flows import (
    EQUIPMENT,
    NO_PASSWORD,
    PASSWORD,
    PORT,
    RENAMED,
    SOURCE_FLOWS,
    GuestFlow,
    HouseOptionsFlow,
    ModuleFlow,
    ModuleOptionsFlow,
    async_updater_of,
    has_a_page_alone,
    name_at,
    ways_of,
    with_stored,
    without_passwords,
)
from .helpers import async_said
from .house import (
    HOUSE,
    Announcements,
    async_newcomers,
    may_have_mac,
    new_secret,
    owner_of_mac,
)
from .installs import async_meet, async_meet_by_address, async_renamed, is_installing
from .ota import (
    WIFI_OTA_PORT,
    Address,
    ModuleFacts,
    UploadDialect,
    as_texts,
    facts_from_announcement,
    is_alive,
)

_REACH_SECONDS: Final = 5.0
_ADDRESS: Final = {vol.Required(CONF_HOST): selector.TextSelector(), vol.Required(CONF_PORT): PORT}


class EspOtaConfigFlow(ModuleFlow, domain=DOMAIN):
    """Makes the entries of modules, and the house's own."""

    VERSION = ENTRY_VERSION
    MINOR_VERSION = ENTRY_MINOR_VERSION
    """Since 2, ids of entities are made from the module and not from its entry."""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of a module or of the house."""
        if config_entry.data[CONF_KIND] == KIND_HOUSE:
            return HouseOptionsFlow()
        return ModuleOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to the library: sources of several kinds, and guests."""
        is_house = config_entry.data[CONF_KIND] == KIND_HOUSE
        return {**SOURCE_FLOWS, KIND_GUEST: GuestFlow} if is_house else {}

    async def async_step_system(self, _data: Mapping[str, Any] | None = None) -> ConfigFlowResult:
        """Make the house's entry; the first module asks for it."""
        await self.async_set_unique_id(HOUSE_UNIQUE_ID)
        self._abort_if_unique_id_configured()
        # The first entry of all: nothing of the integration is set up before it.
        await async_setup_component(self.hass, DOMAIN, {})
        known = self.hass.data[HOUSE].outliving  # it may have been deleted
        data = {CONF_KIND: KIND_HOUSE, CONF_PULL_SECRET: known.secret or new_secret()}
        options = dict(known.options)
        title = async_said(self.hass, "library_title", {}, module="")
        return self.async_create_entry(title=title, data=data, options=options)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take one `_arduino._tcp` announcement."""
        if discovery_info.port == WIFI_OTA_PORT:  # announced as ArduinoOTA, but it is a page
            self._doors = {
                CONF_TRANSPORTS: [TRANSPORT_UPLOAD],
                CONF_UPLOAD_PORT: WIFI_OTA_PORT,
                CONF_UPLOAD_DIALECT: UploadDialect.WIFI_OTA,
            }
        self._facts = facts_from_announcement(
            discovery_info.hostname,
            discovery_info.host,
            discovery_info.port or 0,
            discovery_info.properties,
        )
        self._service_name = discovery_info.name
        if house := self.hass.data.get(HOUSE):  # before the first module there is none
            # What Home Assistant hands over mixes the records of two boards of one name.
            heard = house.announcements.claims(discovery_info.name)
            here = (item.facts for item in heard if item.facts.host == self._facts.host)
            self._facts = next(here, self._facts)
        if not self._is_known():
            if not async_newcomers(self.hass).async_admit(discovery_info, self._facts.mac):
                return self.async_abort(reason="looked_at")
            self.context["title_placeholders"] = {"name": self._facts.name}  # it counts as a card
        if (reason := await self._async_identify()) is not None:
            return self.async_abort(reason=reason)
        self._adopt_entry_by_address()
        entries = self._async_current_entries()
        await async_meet_by_address(entries, self._service_name, self._facts)
        self._async_abort_entries_match({CONF_HOST: self._facts.host, CONF_PORT: self._facts.port})
        if other := async_updater_of(self.hass, self._facts):
            return self.async_abort(
                reason="other_integration", description_placeholders={"integration": other}
            )
        self.context["title_placeholders"] = {"name": self._facts.name}
        return await self.async_step_confirm()

    def _is_known(self) -> bool:
        """Whether this says the MAC of a known module, or its name and no MAC: no newcomer does.

        However often that is said, it is looked into once at a time, for the id is the same. With a
        known address, or under a known name, ever other names or MACs can be said.
        """
        said = self._facts.mac or self._facts.name.lower()
        return any(
            said in {entry.unique_id, data.get(CONF_MAC), str(data.get(CONF_NAME, "")).lower()}
            for entry in self._async_current_entries(include_ignore=True)
            for data in (entry.data,)
        )

    def _adopt_entry_by_address(self) -> None:
        """Give a module that was added by its address the name it announces now."""
        for entry in self._async_current_entries():
            address = entry.data.get(CONF_HOST), entry.data.get(CONF_PORT)
            mac = self._facts.mac
            if entry.state is not ConfigEntryState.LOADED:
                continue
            if entry.unique_id is not None or (mac and not may_have_mac(self.hass, entry, mac)):
                continue  # it has a name, or is another board for certain
            if address == (self._facts.host, self._facts.port):
                mac = mac or entry.data.get(CONF_MAC)
                data = {**entry.data, **self._announced(), CONF_MAC: mac}
                self.hass.config_entries.async_update_entry(
                    entry, unique_id=self.unique_id, data=data
                )
                if not is_installing(entry):  # else it listens from the next start on
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)

    async def _async_identify(self) -> str | None:
        """Use the MAC where it is known, else the host name; never the address.

        An entry known by its host name moves to the MAC once that is announced, and is found
        by its host name again when a later sketch does not announce it. Returns why there is
        nothing to add: it is known, or cannot be told from what is known.
        """
        # Whoever types an address may do so while the same module's discovered card waits.
        wait = self.source == SOURCE_ZEROCONF
        name, mac = self._facts.name.lower(), self._facts.mac
        by_name = await self.async_set_unique_id(name, raise_on_progress=wait)
        by_mac = None
        if mac is not None:
            by_mac = await self.async_set_unique_id(mac, raise_on_progress=wait)
            by_mac = by_mac or owner_of_mac(self.hass, mac)
        known = by_mac or by_name or (None if mac else self._with_learnt_mac(name))
        if known is None:
            return None
        is_ignored = known.source == SOURCE_IGNORE
        if not is_ignored and known.state is not ConfigEntryState.LOADED:
            # Nothing can judge that it moved. Once it is loaded, it looks for its module itself.
            return "already_configured"
        same = is_ignored or await async_meet(known, self._service_name, self._facts)
        if self.hass.config_entries.async_get_entry(known.entry_id) is None:
            return None  # it was deleted meanwhile, and is nobody's now
        if known is by_mac or same:
            if same and mac is not None and may_have_mac(self.hass, known, mac):
                self.hass.config_entries.async_update_entry(
                    known, unique_id=mac, data={**known.data, CONF_MAC: mac}
                )
            return "already_configured"
        return "same_name" if same is None else None

    def _with_learnt_mac(self, name: str) -> ConfigEntry | None:
        """Return the entry of a host name that is known by its MAC."""
        for entry in self._async_current_entries(include_ignore=False):
            if entry.data.get(CONF_MAC) and str(entry.data.get(CONF_NAME, "")).lower() == name:
                return entry
        return None

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the password, if there is one, and what the module switches."""
        if user_input is not None:
            return self._create(user_input)
        schema: dict[vol.Marker, Any] = {vol.Required(CONF_EQUIPMENT): EQUIPMENT}
        if self._facts.auth_required is not False:
            # One that does not say may have none: sketches of 2015 know no password.
            asked = vol.Required if self._facts.auth_required else vol.Optional
            schema = {asked(CONF_PASSWORD): PASSWORD} | schema
        firmware = filter(None, (self._facts.firmware, self._facts.version))
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema(schema),
            description_placeholders=as_texts(
                {
                    "name": self._facts.name,
                    "host": self._facts.host,
                    "board": self._facts.board or "?",
                    "firmware": " ".join(firmware) or "?",
                }
            ),
        )

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how updates reach the module."""
        return self.async_show_menu(step_id="user", menu_options=["address", "page", "pull"])

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add a module by its address; it must answer."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._async_abort_entries_match(
                {CONF_HOST: user_input[CONF_HOST], CONF_PORT: user_input[CONF_PORT]}
            )
            if await self._async_reach(user_input):
                if (reason := await self._async_identify_by_hand(user_input)) is not None:
                    return self.async_abort(reason=reason)
                if user_input.get(CONF_PASSWORD) or not self._facts.auth_required:
                    return self._create(user_input)
                errors[CONF_PASSWORD] = "password_missing"
            else:
                errors["base"] = "unreachable"
        schema = vol.Schema(
            _ADDRESS
            | {
                vol.Optional(CONF_PASSWORD): PASSWORD,
                vol.Required(CONF_EQUIPMENT): EQUIPMENT,
            }
        )
        return self.async_show_form(
            step_id="address",
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or {CONF_PORT: 8266}
            ),
            errors=errors,
            description_placeholders={"module": (user_input or {}).get(CONF_HOST, "")},
        )

    @staticmethod
    async def _async_reach(address: Mapping[str, Any]) -> bool:
        return await is_alive(address[CONF_HOST], address[CONF_PORT], _REACH_SECONDS)

    async def _async_identify_by_hand(self, user_input: Mapping[str, Any]) -> str | None:
        """Find the module's announcement, which names it better than its address does.

        Returns why it cannot be added.
        """
        host, port = user_input[CONF_HOST], user_input[CONF_PORT]
        announcements = await self._async_announcements()
        self._service_name = announcements.find(host, port)
        facts = None
        if self._service_name and (known := announcements.facts(self._service_name)) is not None:
            facts = await announcements.async_said_at(self._service_name, known.host)
        if facts is None:
            self._facts = ModuleFacts(name=host, host=host, port=port)
            return None
        self._facts = facts
        return await self._async_identify()

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin when a module refused the password, of the way that an install tried last."""
        refused_by = entry_data.get(CONF_REFUSED_BY) or ways_of(self._get_reauth_entry())[0]
        if refused_by == TRANSPORT_UPLOAD:
            return await self.async_step_reauth_page()
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new password; the next install proves it.

        Trying it now would begin an update: ArduinoOTA has no other way to ask.
        """
        entry = self._get_reauth_entry()
        if user_input is not None:
            # No reload, here and below: it would end a running install, and is not needed.
            return self.async_update_and_abort(
                entry, data_updates={CONF_PASSWORD: user_input[CONF_PASSWORD]}
            )
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({vol.Required(CONF_PASSWORD): PASSWORD}),
            description_placeholders=as_texts({"name": entry.title}),
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change address, port or password."""
        entry = self._get_reconfigure_entry()
        if entry.data[CONF_KIND] == KIND_HOUSE:
            return self.async_abort(reason="house")
        if has_a_page_alone(entry):
            return await self.async_step_reconfigure_page()
        errors: dict[str, str] = {}
        found: str | None = None
        if user_input is not None:
            announcements, entries = (
                await self._async_announcements(),
                self._async_current_entries(),
            )
            why_not, found = name_at(announcements, entries, entry, user_input)
            if why_not is not None:
                errors["base"] = why_not
            elif await self._async_reach(user_input):
                user_input.pop(CONF_RENAMED, None)
                if found is not None:
                    there = Address(user_input[CONF_HOST], user_input[CONF_PORT])
                    async_renamed(self.hass, entry, found, there)
                data = {CONF_PASSWORD: None} | with_stored(user_input, entry.data)
                data[CONF_MOVED_FROM] = None  # a person says where it is
                return self.async_update_and_abort(entry, data_updates=data)
            else:
                errors["base"] = "unreachable"
        schema = vol.Schema(
            _ADDRESS
            | {vol.Optional(CONF_PASSWORD): PASSWORD}
            | NO_PASSWORD
            | (RENAMED if found is not None else {})
        )
        shown = user_input or without_passwords(entry.data)
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders=as_texts(
                {"name": entry.title, "other": (found or "?").partition(".")[0]}
            ),
        )

    async def _async_announcements(self) -> Announcements:
        """Return what modules announced; the house is not set up before the first entry exists."""
        return Announcements(await zeroconf.async_get_instance(self.hass))
