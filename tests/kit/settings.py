"""All forms that a person can open, as Home Assistant shows them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers.selector import NumberSelector, SelectSelector
from tests.kit.adding import announcement, discover

type Form = tuple[str, str, Mapping[Any, Any], Mapping[str, str]]
"""Which flow, which step, its fields, and what stands for the placeholders of its texts."""

_PAGES: Final = {"preset_close_valve", "preset_switch_off", "preset_call_script"}
"""Behind the menu of examples; the house has the same."""
_NO_FIELDS: Final = {"try_safe_state"}
"""Begins at once."""

_WAYS: Final = ("http_upload", "http_pull")
"""Those of which a form asks more."""


async def forms(
    hass: HomeAssistant, module: ConfigEntry, page: ConfigEntry, house: ConfigEntry
) -> AsyncIterator[Form]:
    """Yield each form once, in the order in which a person meets them."""
    async for form in _adding(hass, module, page):
        yield form
    options = hass.config_entries.options
    for entry in module, house:
        menu = await options.async_init(entry.entry_id)
        steps = [step for step in menu["menu_options"] if step not in _NO_FIELDS]
        options.async_abort(menu["flow_id"])
        for step in steps:
            async for form in _options(hass, entry, step):
                yield form
    for kind in ("manifest", "github", "guest", "server"):
        result = await hass.config_entries.subentries.async_init(
            (house.entry_id, kind), context={"source": SOURCE_USER}
        )
        yield f"config_subentries.{kind}", *_shown(result)


async def _adding(
    hass: HomeAssistant, module: ConfigEntry, page: ConfigEntry
) -> AsyncIterator[Form]:
    flow = hass.config_entries.flow
    found = await discover(hass, announcement("spare", auth_upload="yes"))
    yield "config", *_shown(found)
    flow.async_abort(found["flow_id"])
    for way in ("address", "page"):
        menu = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        form = await flow.async_configure(menu["flow_id"], {"next_step_id": way})
        yield "config", *_shown(form)
        flow.async_abort(menu["flow_id"])
    for entry in module, page:
        form = await entry.start_reconfigure_flow(hass)  # type: ignore[attr-defined]
        yield "config", *_shown(form)
        flow.async_abort(form["flow_id"])


async def _options(hass: HomeAssistant, entry: ConfigEntry, step: str) -> AsyncIterator[Form]:
    options = hass.config_entries.options
    menu = await options.async_init(entry.entry_id)
    result = await options.async_configure(menu["flow_id"], {"next_step_id": step})
    if result["type"] is FlowResultType.MENU:
        for behind in result["menu_options"]:
            if behind not in _PAGES or step == "safe_state_preset":
                again = await options.async_init(entry.entry_id)
                await options.async_configure(again["flow_id"], {"next_step_id": step})
                form = await options.async_configure(again["flow_id"], {"next_step_id": behind})
                yield _owner(entry), *_shown(form)
                options.async_abort(again["flow_id"])
    else:
        yield _owner(entry), *_shown(result)
    options.async_abort(menu["flow_id"])
    for way in _WAYS if step == "doors" else ():
        again = await options.async_init(entry.entry_id)
        await options.async_configure(again["flow_id"], {"next_step_id": step})
        form = await options.async_configure(again["flow_id"], {"transports": [way]})
        yield _owner(entry), *_shown(form)
        options.async_abort(again["flow_id"])


def _owner(entry: ConfigEntry) -> str:
    return "options.house" if entry.data["kind"] == "house" else "options.module"


def _shown(
    result: Mapping[str, Any],
) -> tuple[str, Mapping[Any, Any], Mapping[str, str]]:
    """Return which step it is, its fields, and its placeholders."""
    return result["step_id"], _fields(result), result["description_placeholders"] or {}


def _fields(result: Mapping[str, Any]) -> Mapping[Any, Any]:
    """Return the fields of a form, those in sections as well."""
    assert result["type"] is FlowResultType.FORM, result
    fields: dict[Any, Any] = {}
    for marker, value in (result["data_schema"] or vol.Schema({})).schema.items():
        fields |= value.schema.schema if isinstance(value, section) else {marker: value}
    return fields


def default_of(marker: Any, validator: Any, texts: Mapping[str, Any]) -> str:
    """Return the default of a field as the form shows it; empty for none."""
    default = marker.default() if marker.default is not vol.UNDEFINED else None
    suggested = (marker.description or {}).get("suggested_value")
    shown = default if suggested is None else suggested
    if shown is None or shown in ([], ""):
        return ""
    if isinstance(shown, bool):
        return "on" if shown else "off"
    if isinstance(shown, Mapping):
        return " ".join(f"{value} {unit}" for unit, value in shown.items() if value) or "0"
    items = shown if isinstance(shown, list) else [shown]
    words = ", ".join(_label(validator, item, texts) for item in items)
    return " ".join([words, *_units(validator)])


def _selectors(validator: Any) -> list[Any]:
    return [validator, *getattr(validator, "validators", ())]


def _units(validator: Any) -> list[str]:
    """Return the unit that the form shows behind a number, if there is one."""
    numbers = [item for item in _selectors(validator) if isinstance(item, NumberSelector)]
    units = (item.config.get("unit_of_measurement") for item in numbers)
    return [unit for unit in units if unit]


def _label(validator: Any, value: Any, texts: Mapping[str, Any]) -> str:
    for item in _selectors(validator):
        if isinstance(item, SelectSelector) and (key := item.config.get("translation_key")):
            return str(texts["selector"][key]["options"][str(value)])
    return str(int(value) if isinstance(value, float) and value == int(value) else value)
