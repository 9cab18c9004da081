"""The page in the sidebar: when it is there, and what its files are."""

from http import HTTPStatus
import re

from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.ota import Chip
from homeassistant.components.frontend import async_panel_exists, async_register_built_in_panel
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden
from tests.kit.places import INTEGRATION

PAGE = "esp-ota"
FRONTEND = INTEGRATION / "frontend"
FILES = {path.name: path.read_text("utf-8") for path in FRONTEND.glob("*.js")}
WORDS = {path.stem: path.read_text("utf-8") for path in (FRONTEND / "words").glob("*.json")}
MOST = 48_500
"""Bytes that a browser may have to load, in English, to show the modules and open one."""
MOST_OF_ALL = 60_000
"""Bytes of all files, words not counted: what a browser may have once every tab was opened."""


async def test_the_page_comes_with_the_first_module_and_goes_with_the_last(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    hass.config.components.add("frontend")
    assert not async_panel_exists(hass, PAGE)

    entry = await garden.add(entry_for(await start_module()))
    panel = hass.data["frontend_panels"][PAGE]
    assert panel.require_admin
    assert panel.sidebar_title == "ESP OTA"

    assert await hass.config_entries.async_remove(entry.entry_id)
    assert async_panel_exists(hass, PAGE)  # there is still the library
    assert garden.house.entry is not None
    assert await hass.config_entries.async_remove(garden.house.entry.entry_id)
    assert not async_panel_exists(hass, PAGE)


async def test_a_dashboard_of_the_same_address_is_left_alone(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    hass.config.components.add("frontend")
    async_register_built_in_panel(hass, "lovelace", "Mine", frontend_url_path=PAGE)

    entry = await garden.add(entry_for(await start_module()))
    assert garden.house.entry is not None
    for each in (entry, garden.house.entry):
        assert await hass.config_entries.async_remove(each.entry_id)

    assert hass.data["frontend_panels"][PAGE].sidebar_title == "Mine"


async def test_a_home_assistant_without_a_frontend_has_no_page(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module()))
    assert not async_panel_exists(garden.hass, PAGE)


async def test_the_files_are_served_and_may_be_kept(
    garden: Garden, start_module: StartModule, hass_client_no_auth: ClientSessionGenerator
) -> None:
    garden.hass.config.components.add("frontend")
    await garden.add(entry_for(await start_module()))
    panel = garden.hass.data["frontend_panels"][PAGE]
    url = panel.config["_panel_custom"]["module_url"]
    client = await hass_client_no_auth()

    assert panel.config["languages"] == sorted(WORDS)
    assert panel.config["chips"] == list(Chip)
    words = {f"words/{language}.json": content for language, content in WORDS.items()}
    for name, content in (FILES | words).items():
        response = await client.get(url.replace("page.js", name))
        assert response.status == HTTPStatus.OK
        kind = "json" if name in words else "javascript"
        assert kind in response.headers["Content-Type"]
        assert "max-age" in response.headers["Cache-Control"]
        assert await response.text() == content


def loaded_with(name: str) -> set[str]:
    """Return the files that a browser loads with one, before it runs it."""
    found, left = set[str](), {name}
    while left:
        found |= left
        texts = "\n".join(FILES[one] for one in left)
        left = set(re.findall(r'(?:from|import) "\./([^"]+)"', texts)) - found
    return found


def test_the_files_are_small() -> None:
    at_once = loaded_with("page.js")
    assert {"modules.js", "detail.js"} <= at_once
    assert not {"library.js", "queue.js", "rollouts.js"} & at_once
    sizes = {name: len(text.encode()) for name, text in FILES.items()}
    english = len(WORDS["en"].encode())
    assert english + sum(sizes[name] for name in at_once) <= MOST
    assert sum(sizes.values()) <= MOST_OF_ALL


def test_the_files_come_from_here() -> None:
    for name, text in FILES.items():
        wanted = re.findall(r'(?:from|import) "([^"]+)"', text)
        assert {place.removeprefix("./") for place in wanted} <= FILES.keys(), name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
