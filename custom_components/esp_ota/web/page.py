"""The page *ESP OTA* in the sidebar of administrators: its files, and when it is there.

It is written as the browser runs it: plain modules in `frontend/`, without a build. Its words are
in `frontend/words/`, one file a language; what one of them lacks is shown in English.
"""

from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import async_panel_exists, async_remove_panel
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.components.panel_custom import async_register_panel
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..ota import Chip
from .page_library import async_register_library
from .page_module import async_register_module
from .page_modules import async_register_modules
from .page_queue import async_register_queue
from .page_rollouts import async_register_rollouts
from .page_try import async_register_try

PAGE_PATH: Final = "esp-ota"
_FOLDER: Final = Path(__file__).parent.parent / "frontend"
_ELEMENT: Final = "esp-ota-page"
_FILES: Final[HassKey[PageFiles]] = HassKey("esp_ota_page")
_IS_SHOWN: Final[HassKey[bool]] = HassKey("esp_ota_page_is_shown")
"""Whether the page at its place is ours: a dashboard may be called so as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFiles:
    """What the browser has to know of the files before it loads them."""

    module: str
    """Where it finds the first one."""
    languages: list[str]
    """Those that have words, as Home Assistant calls them."""


async def async_prepare_page(hass: HomeAssistant) -> None:
    """Serve the files, and answer what the page asks for."""
    content, languages = await hass.async_add_executor_job(_content)
    # A browser keeps them for a month: other content has another address.
    url = f"/esp_ota_page/{content}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(_FOLDER), cache_headers=True)]
    )
    hass.data[_FILES] = PageFiles(module=f"{url}/page.js", languages=languages)
    async_register_modules(hass)
    async_register_module(hass)
    async_register_queue(hass)
    async_register_library(hass)
    async_register_rollouts(hass)
    async_register_try(hass)


async def async_show_page(hass: HomeAssistant) -> None:
    """Put the page into the sidebar, unless it is there, or there is no sidebar."""
    if "frontend" in hass.config.components and not async_panel_exists(hass, PAGE_PATH):
        files = hass.data[_FILES]
        await async_register_panel(
            hass,
            frontend_url_path=PAGE_PATH,
            webcomponent_name=_ELEMENT,
            sidebar_title="ESP OTA",
            sidebar_icon="mdi:chip",
            module_url=files.module,
            require_admin=True,
            # The frontend forgets for seconds what it knows of actions when one is registered.
            config={"languages": files.languages, "chips": list(Chip)},
        )
        hass.data[_IS_SHOWN] = True


@callback
def async_hide_page(hass: HomeAssistant) -> None:
    """Take the page out of the sidebar: there is nothing to show on it."""
    if hass.data.pop(_IS_SHOWN, False):
        async_remove_panel(hass, PAGE_PATH, warn_if_unknown=False)


def _content() -> tuple[str, list[str]]:
    """Return a word that changes with the files, and the languages that have words (executor)."""
    digest = hashlib.sha256()
    words = sorted((_FOLDER / "words").glob("*.json"))
    for path in [*sorted(_FOLDER.glob("*.js")), *words]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12], [path.stem for path in words]
