"""The form of a server that decides about modules, which is asked before it is kept."""

from collections.abc import Mapping
import re
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.helpers import selector
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import slugify

from ..const import (
    BEGINS_BY_ITSELF,
    BEGINS_BY_PRESS,
    CONF_BEGINS,
    CONF_INSIDE,
    CONF_LOGIN,
    CONF_PREFIX,
    CONF_SOURCE_FIRMWARE,
    CONF_TENANT,
    CONF_TOKEN,
    CONF_TOKENS,
    CONF_URL,
    KIND_SERVER,
    LOGIN_GATEWAY,
    LOGIN_NONE,
    LOGIN_TARGET,
)
from ..ota import DdiTarget, Reach, target_base, web_address
from ..servers import account_for, name_at_server
from .selectors import choice
from .sources import TEXT, Form, SourceFlow, as_address

_TOKEN_LINE: Final = re.compile(r"(\S{1,128})\s*[=\s]\s*(\S{0,256})")
_MOST_NAMED: Final = 20
_EXAMPLES: Final = {"example": "https://updates.example.org", "inside": "http://192.168.1.5:60053"}
"""No text has an address in it, which somebody would have to translate."""


class _ServerForm(Form):
    """What is asked of a server."""

    @override
    def title(self, data: Mapping[str, Any]) -> str:
        address = web_address(data[CONF_URL])
        tenant, firmware = data[CONF_TENANT], data.get(CONF_SOURCE_FIRMWARE)
        where = f"{address.host}/{tenant}" if address else tenant
        return f"{where} ({firmware})" if firmware else where

    @override
    def unique_id(self, data: Mapping[str, Any]) -> str:
        parts = (data.get(key, "") for key in (CONF_URL, CONF_TENANT, CONF_SOURCE_FIRMWARE))
        return " ".join((self.kind, *parts)).lower()


def _server_address(text: str) -> str | None:
    """Return where a server is, without the part that each of its resources begins with."""
    found = as_address(text.partition("#")[0].partition("?")[0])
    return found.rstrip("/") if found else None


class ServerFlow(SourceFlow):
    """A server with hawkBit's DDI."""

    form = _ServerForm(
        kind=KIND_SERVER,
        field=CONF_URL,
        settle=_server_address,
        schema=vol.Schema(
            {
                vol.Required(CONF_URL): selector.TextSelector(
                    selector.TextSelectorConfig(type=selector.TextSelectorType.URL)
                ),
                vol.Optional(CONF_INSIDE): selector.BooleanSelector(),
                vol.Required(CONF_TENANT, default="DEFAULT"): TEXT,
                vol.Optional(CONF_PREFIX): TEXT,
                vol.Optional(CONF_SOURCE_FIRMWARE): TEXT,
                vol.Required(CONF_LOGIN, default=LOGIN_NONE): choice(
                    [LOGIN_NONE, LOGIN_TARGET, LOGIN_GATEWAY], CONF_LOGIN
                ),
                vol.Optional(CONF_TOKEN): selector.TextSelector(
                    selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD)
                ),
                vol.Optional(CONF_TOKENS): selector.TextSelector(
                    selector.TextSelectorConfig(multiline=True)
                ),
                vol.Required(CONF_BEGINS, default=BEGINS_BY_PRESS): choice(
                    [BEGINS_BY_PRESS, BEGINS_BY_ITSELF], CONF_BEGINS
                ),
            }
        ),
    )

    @override
    def _with_stored(self, said: dict[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the tokens, but never for another server than the one they were typed for."""
        kept = super()._with_stored(said, stored)
        old, new = web_address(stored[CONF_URL]), web_address(kept[CONF_URL])
        is_same = old is not None and new is not None and old.origin() == new.origin()
        if not is_same and not said.get(CONF_TOKEN):
            kept.pop(CONF_TOKEN, None)
        known = stored.get(CONF_TOKENS, {}) if is_same else {}
        return kept | {CONF_TOKENS: known | _tokens(said.get(CONF_TOKENS))}

    @override
    def _settled(self, data: dict[str, Any], errors: dict[str, str]) -> dict[str, Any]:
        """Read the lines with tokens."""
        tokens = data.get(CONF_TOKENS)
        tokens = tokens if isinstance(tokens, dict) else _tokens(tokens)
        data = data | {CONF_TOKENS: {name: token for name, token in tokens.items() if token}}
        if data[CONF_LOGIN] != LOGIN_NONE and not (data.get(CONF_TOKEN) or data[CONF_TOKENS]):
            errors[CONF_TOKEN] = "token_missing"
        return data

    @override
    async def _async_ask(self, data: dict[str, Any]) -> None:
        """Ask for one module, where there is one; raises SourceError."""
        session = async_get_clientsession(self.hass)
        for entry in self._house.modules[:1]:
            name = name_at_server(entry, data)
            base = target_base(data[CONF_URL], data[CONF_TENANT], name)
            reach = Reach.of(data[CONF_URL], inside=bool(data.get(CONF_INSIDE)))
            await DdiTarget(session, base, account_for(data, name), reach=reach).poll()

    @override
    def _facts(self, said: Mapping[str, Any]) -> dict[str, str]:
        """Name the modules as the server will know them."""
        shown = self._suggested(said)
        names = [name_at_server(entry, shown) for entry in self._house.modules]
        more = ["…"] if len(names) > _MOST_NAMED else []
        return _EXAMPLES | {"names": ", ".join(names[:_MOST_NAMED] + more) or "-"}

    @override
    def _suggested(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Suggest what tells this house's modules from others; the browser gets no token back.

        Where something was said, an empty prefix is meant so: names at the server never change.
        """
        if said:
            return super()._suggested(said)
        return {CONF_PREFIX: f"{slugify(self.hass.config.location_name)}-"}


def _tokens(text: str | None) -> dict[str, str]:
    """Return the token of each module, from lines like `name = token`; without one it is taken."""
    found = (_TOKEN_LINE.fullmatch(line.strip()) for line in (text or "").splitlines())
    return {item[1]: item[2] for item in found if item}
