"""The page of all settings has each field of each form, with its default.

`ESP_OTA_WRITE=1 script/test -- tests/repository/test_settings_page.py` writes it anew.
"""

from collections.abc import Mapping
import os
from typing import Any, Final

import voluptuous as vol

from custom_components.esp_ota.const import DOMAIN
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden
from tests.kit.places import ROOT
from tests.kit.settings import default_of, forms
from tests.kit.source_code import read

PAGE: Final = ROOT / "docs" / "settings.md"
HEAD: Final = """\
# Every setting

Each form, each field, its default, and what it does: the words of the forms themselves. A field
without a default may stay empty, unless it is *needed*. All of them are under
*Settings → Devices & services → ESP OTA*: each module has a line there, and so has
*Firmware library*, which comes with the first module and is for the whole house. *Configure* is
the wheel on a line, *Reconfigure* stands behind its ⋮. Left out are forms that ask a part of the
same again (of a module that has asked for updates, for another password), and the tick *It has
another host name now*, which is there only where a module at the address that was typed says so.

Guides: [safe state](safe-state.md), [queue and windows](queue.md), [network](network.md),
[sources](sources.md), [names and versions](names.md), [which versions](versions.md),
[what a sketch needs](sketches.md), [rollouts and guests](rollouts.md), [servers](ddi.md).

This page is written by `tests/repository/test_settings_page.py` from the forms as they are shown.
"""
FOOT: Final = "*Checked for ESP OTA {version} with Home Assistant 2026.10 and 2026.11.*\n"
LATER: Final = {"confirm_pull", "reauth_confirm", "reauth_page"}
"""Forms that ask some of the same again, when a module asks for the first time or says no."""
PLACES: Final = {
    "config": "When a module is added or changed",
    "options.module": "Module → Configure",
    "options.house": "Firmware library → Configure",
    "config_subentries.manifest": "Firmware library → Add a list of firmware",
    "config_subentries.github": "Firmware library → Add GitHub releases",
    "config_subentries.guest": "Firmware library → Add guests",
    "config_subentries.server": "Firmware library → Add a server for many houses",
}


WAYS: Final = {
    "confirm": "*Add* on the card of a discovered module",
    "address": "*Add integration → ESP OTA → {user[address]}*",
    "page": "*Add integration → ESP OTA → {user[page]}*",
    "reconfigure": "*⋮ → Reconfigure*",
    "reconfigure_page": "*⋮ → Reconfigure*, of a module that has only an update page",
    "door_page": "*{init[doors]}*, after *Its update page* was chosen",
    "door_pull": "*{init[doors]}*, after *The module asks* was chosen",
}
"""Where a form is found that is no line of a menu by itself."""


def way_to(texts: Mapping[str, Any], flow: str, step: str) -> str:
    """Return what to press for a form, empty where the heading above says it."""
    menus = {
        name: form["menu_options"]
        for part in ("config", "options")
        for name, form in texts[part]["step"].items()
        if "menu_options" in form
    }
    init, house = menus["init"], menus["house_safe_state"]
    if step in WAYS:
        return WAYS[step].format(**menus)
    if flow == "options.house" and step in house:
        return f"*{init['house_safe_state']} → {house[step]}*"
    if step in menus["safe_state_preset"]:
        return f"*{init['safe_state_preset']} → {menus['safe_state_preset'][step]}*"
    return f"*{init[step]}*" if flow.startswith("options") else ""


def text_of(texts: Mapping[str, Any], flow: str, step: str) -> Mapping[str, Any]:
    """Return the words of one form, those of its sections among them."""
    tree: Any = texts
    for part in flow.removesuffix(".module").removesuffix(".house").split("."):
        tree = tree[part]
    form = dict(tree["step"][step])
    for part in form.get("sections", {}).values():
        for key in ("data", "data_description"):
            form[key] = form.get(key, {}) | part.get(key, {})
    return form


def filled(text: str, said: Mapping[str, str]) -> str:
    """Return a text for a cell, with what the form has in place of its placeholders."""
    return text.format_map(said).replace("|", "/")


def shown(step: str, marker: Any, validator: Any, texts: Mapping[str, Any]) -> str:
    """Return the default; a form that changes something begins with what is so."""
    default = default_of(marker, validator, texts)
    if isinstance(marker, vol.Required) and not default:
        return "*needed*"
    return "as it is" if default not in {"", "on", "off"} and "reconfigure" in step else default


async def test_the_page_has_each_field_of_each_form(
    garden: Garden, start_module: StartModule
) -> None:
    garden.hass.config.location_name = "Home"
    module = await garden.add(entry_for(await start_module(), options={}))
    ways = {"transports": ["http_upload"], "upload_port": 80, "service_name": None}
    page = await garden.add(entry_for(await start_module(), unique_id="page", **ways))
    await garden.hass.async_block_till_done()
    [house] = [
        entry
        for entry in garden.hass.config_entries.async_entries(DOMAIN)
        if entry.data["kind"] == "house"
    ]
    texts = read("translations/en.json")
    parts, seen, steps = [HEAD], "", set(LATER)
    async for flow, step, fields, said in forms(garden.hass, module, page, house):
        if flow != seen:
            parts.append(f"## {PLACES[flow]}\n")
            seen = flow
        steps.add(step)
        form = text_of(texts, flow, step)
        parts.append(f"### {form['title'].format(name='the module')}\n")
        if way := way_to(texts, flow, step):
            parts.append(f"{way}\n")
        rows = [
            f"| {form['data'][str(marker)]} | {shown(step, marker, validator, texts)} "
            f"| {filled(form['data_description'][str(marker)], said)} |"
            for marker, validator in fields.items()
        ]
        parts.append("\n".join(["| field | default | |", "|---|---|---|", *rows, ""]))
    asked = {**texts["config"]["step"], **texts["options"]["step"]}
    assert steps >= {step for step, form in asked.items() if "data" in form or "sections" in form}
    written = "\n".join([*parts, FOOT.format(version=read("manifest.json")["version"])])
    if os.environ.get("ESP_OTA_WRITE"):
        await garden.hass.async_add_executor_job(PAGE.write_text, written)
    assert await garden.hass.async_add_executor_job(PAGE.read_text) == written
