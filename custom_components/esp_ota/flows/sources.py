"""The forms of a source: added and changed under the library's entry, asked before it is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import voluptuous as vol

from homeassistant.config_entries import (
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.helpers import selector
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from ..const import (
    CHANNEL_PRE,
    CHANNEL_STABLE,
    CONF_CHANNEL,
    CONF_INSIDE,
    CONF_INTERVAL,
    CONF_PATTERN,
    CONF_REPOSITORY,
    CONF_SOURCE_FIRMWARE,
    CONF_TOKEN,
    CONF_URL,
    DEFAULT_INTERVAL,
    DEFAULT_PATTERN,
    KIND_GITHUB,
    KIND_MANIFEST,
)
from ..helpers import spelled_out
from ..house import HOUSE, House
from ..library import KINDS, repository_from
from ..ota import OtaError, web_address
from .selectors import with_stored, without_passwords

_TEXT: Final = selector.TextSelector()
_COMMON: Final = {
    vol.Optional(CONF_SOURCE_FIRMWARE): _TEXT,
    vol.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): vol.All(
        selector.NumberSelector(
            selector.NumberSelectorConfig(
                min=5,
                max=10080,
                step=1,
                unit_of_measurement="min",
                mode=selector.NumberSelectorMode.BOX,
            )
        ),
        vol.Coerce(int),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """What one kind of source asks for."""

    kind: str
    field: str
    """Where the source is."""
    settle: Callable[[str], str | None]
    """Turns what a person pasted there into what is kept; None when it cannot be used."""
    schema: vol.Schema

    def title(self, data: Mapping[str, Any]) -> str:
        """Return how the source is called."""
        address = web_address(str(data[self.field]))
        where = f"{address.host}{address.path}" if address else str(data[self.field])
        pattern = data.get(CONF_PATTERN) or DEFAULT_PATTERN
        return where if pattern == DEFAULT_PATTERN else f"{where} ({pattern})"

    def unique_id(self, data: Mapping[str, Any]) -> str:
        """Return what no other source may have."""
        return f"{self.kind} {data[self.field]} {data.get(CONF_PATTERN, '')}".lower()


def _address(text: str) -> str | None:
    address = web_address(text.strip())
    return str(address) if address else None


class SourceFlow(ConfigSubentryFlow):
    """Adds and changes a source of the kind that its form says."""

    form: ClassVar[_Form]

    @property
    def _house(self) -> House:
        return self.hass.data[HOUSE]

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a source; it must answer with a list."""
        errors: dict[str, str] = {}
        facts: dict[str, str] = {}
        if user_input is not None:
            data = await self._async_try(user_input, errors, facts)
            if not errors:
                return self.async_create_entry(
                    title=self.form.title(data), data=data, unique_id=self.form.unique_id(data)
                )
        return self._show("user", user_input or {}, errors, facts)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a source; it must answer with a list again."""
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        source = self._house.sources.get(subentry.subentry_id)
        last = dt_util.parse_datetime((source.memory.checked if source else None) or "")
        facts = {"checked": f"{dt_util.as_local(last):%Y-%m-%d %H:%M}" if last else "-"}
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = with_stored(user_input, subentry.data, addresses=[CONF_URL])
            data = await self._async_try(user_input, errors, facts, but=subentry)
            if not errors:
                title, unique_id = self.form.title(data), self.form.unique_id(data)
                return self.async_update_and_abort(
                    entry, subentry, title=title, data=data, unique_id=unique_id
                )
        return self._show(
            "reconfigure", without_passwords(user_input or subentry.data), errors, facts
        )

    async def _async_try(
        self,
        user_input: dict[str, Any],
        errors: dict[str, str],
        facts: dict[str, str],
        but: ConfigSubentry | None = None,
    ) -> dict[str, Any]:
        """Return what is kept of a form, after the source was asked as it will be later."""
        form, sources = self.form, self._house.sources
        where = form.settle(user_input[form.field])
        if where is None:
            errors[form.field] = f"invalid_{form.field}"
            return user_input
        data = user_input | {form.field: where}
        others = [item for item in self._get_entry().subentries.values() if item is not but]
        if form.unique_id(data) in {item.unique_id for item in others}:
            errors["base"] = "already_added"
            return data
        try:
            source = KINDS[form.kind](data, sources.budget)
            session = async_get_clientsession(self.hass)
            await source.async_list(session, etag=None, last=sources.keep())
        except OtaError as err:
            errors["base"] = str(err.cause)
            facts |= spelled_out(self.hass, err.facts)
        return data

    def _show(
        self, step: str, said: Mapping[str, Any], errors: dict[str, str], facts: dict[str, str]
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(self.form.schema, said),
            errors=errors,
            description_placeholders=facts,
        )


class ManifestSourceFlow(SourceFlow):
    """A list at a web address."""

    form = _Form(
        kind=KIND_MANIFEST,
        field=CONF_URL,
        settle=_address,
        schema=vol.Schema(
            {
                vol.Required(CONF_URL): selector.TextSelector(
                    selector.TextSelectorConfig(type=selector.TextSelectorType.URL)
                ),
                vol.Optional(CONF_INSIDE): selector.BooleanSelector(),
                vol.Optional(CONF_PATTERN): _TEXT,
                **_COMMON,
            }
        ),
    )


class GitHubSourceFlow(SourceFlow):
    """The releases of a repository."""

    form = _Form(
        kind=KIND_GITHUB,
        field=CONF_REPOSITORY,
        settle=repository_from,
        schema=vol.Schema(
            {
                vol.Required(CONF_REPOSITORY): _TEXT,
                vol.Required(CONF_PATTERN, default=DEFAULT_PATTERN): _TEXT,
                vol.Required(CONF_CHANNEL, default=CHANNEL_STABLE): selector.SelectSelector(
                    selector.SelectSelectorConfig(
                        options=[CHANNEL_STABLE, CHANNEL_PRE], translation_key=CONF_CHANNEL
                    )
                ),
                vol.Optional(CONF_TOKEN): selector.TextSelector(
                    selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD)
                ),
                **_COMMON,
            }
        ),
    )


SOURCE_FLOWS: Final[dict[str, type[ConfigSubentryFlow]]] = {
    KIND_MANIFEST: ManifestSourceFlow,
    KIND_GITHUB: GitHubSourceFlow,
}
