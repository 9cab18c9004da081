"""A library, and places that its sources are asked at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import Library, source_kinds
from homeassistant.core import HomeAssistant
from tests.kit.sources import GitHub
from tests.kit.web_site import Site


@pytest.fixture
async def github(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GitHub]:
    async with GitHub() as site:
        monkeypatch.setattr(source_kinds, "GITHUB_API", site.url("/").rstrip("/"))
        yield site


@pytest.fixture
def house(hass: HomeAssistant, esp_ota: None) -> House:
    return hass.data[HOUSE]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def library(hass: HomeAssistant, config_dir: Path) -> Library:
    """Return an empty library in a directory of its own."""
    library = Library(hass)
    await library.async_load()
    return library
