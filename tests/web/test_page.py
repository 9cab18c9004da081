"""The page in the sidebar: when it is there, what its files are, and that its texts exist."""

from http import HTTPStatus
import json
import re

from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.ota import Chip, EvidenceSource, SignatureState, SlotSource
from homeassistant.components.frontend import async_panel_exists, async_register_built_in_panel
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden
from tests.kit.places import INTEGRATION
from tests.kit.source_code import read

PAGE = "esp-ota"
FILES = {path.name: path.read_text("utf-8") for path in (INTEGRATION / "frontend").glob("*.js")}
MOST = 60_000
"""Bytes that all files of the page may have together."""
# Written into one line, or as the first word of one.
ASKED = re.compile(r"""(?:\b_?t|texts\.t)\(\s*["`]([\w.]+)(\$?)""")
PREFIXES = {
    "modules.js": "modules.",
    "detail.js": "detail.",
    "library.js": "library.",
    "upload.js": "upload.",
    "queue.js": "queue.",
    "safe.js": "safe.",
}


def texts() -> dict[str, str]:
    """Return all texts of the page by their path."""
    found: dict[str, str] = {}

    def walk(tree: dict[str, object], path: str) -> None:
        for key, value in tree.items():
            if isinstance(value, dict):
                walk(value, f"{path}{key}.")
            else:
                found[path + key] = str(value)

    walk(read("frontend/words/en.json"), "")
    return found


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

    for name, content in FILES.items():
        response = await client.get(url.replace("page.js", name))
        assert response.status == HTTPStatus.OK
        assert "javascript" in response.headers["Content-Type"]
        assert "max-age" in response.headers["Cache-Control"]
        assert await response.text() == content


def test_the_files_are_small_and_come_from_here() -> None:
    assert sum(len(text.encode()) for text in FILES.values()) <= MOST
    for name, text in FILES.items():
        wanted = re.findall(r'from "([^"]+)"', text)
        assert {place.removeprefix("./") for place in wanted} <= FILES.keys(), name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name


def test_every_text_that_the_page_asks_for_is_there() -> None:
    known = texts()
    for name, content in FILES.items():
        for key, more in ASKED.findall(content):
            paths = {key, PREFIXES.get(name, "") + key}
            found = [text for text in known if more and text.startswith(tuple(paths))]
            assert found or paths & known.keys(), f"{name}: {key}"


def test_every_text_of_the_page_is_asked_for() -> None:
    written = "\n".join(FILES.values())
    for path in texts():
        last, group = path.rsplit(".", 1)[1], path.rsplit(".", 2)[-2]
        is_listed = re.search(rf"\b{group}\.\$", written) or f"columns.{last}" in path
        assert is_listed or re.search(rf"""["`.]{last}["`]|\b{last}:|_of""", written), path


def test_a_page_has_words_for_whatever_it_may_be_told() -> None:
    known = texts()
    assert {f"proof.{source}" for source in EvidenceSource} <= known.keys()
    assert {f"detail.slot_source.{source}" for source in SlotSource} <= known.keys()
    by_hand = re.search(r"BY_HAND = (\[.*?\])", FILES["library.js"])
    assert by_hand is not None
    assert {f"library.sources.{source}" for source in json.loads(by_hand[1])} <= known.keys()
    compared = {*SignatureState} - {SignatureState.UNCHECKED}  # then it is signed, or is not
    assert {f"library.signatures.{state}" for state in compared} <= known.keys()
    listed = re.search(r"CHIPS = \[(.*?)\]", FILES["upload.js"], re.DOTALL)
    assert listed is not None
    assert re.findall(r'"(\w+)"', listed[1]) == [*Chip]


def test_nobody_has_written_words_into_the_page() -> None:
    """Every text is one of the translations; only the name of this integration is not."""
    for name, content in FILES.items():
        if name == "style.js":
            continue
        code = re.sub(r"//[^\n]*|/\*.*?\*/", "", content, flags=re.DOTALL)
        said = re.findall(r'"([^"\n]*)"', code)
        sentence = re.compile(r"[A-Z][a-z]+ [a-z]|[a-z]+ [a-z]+ [a-z]+")
        assert [text for text in said if sentence.search(text)] == [], name
