"""What conditions are asked about."""

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component


@pytest.fixture(autouse=True)
async def words(hass: HomeAssistant) -> None:
    """Have our sentences in memory, as they are once the integration is set up."""
    await async_get_translations(hass, "en", "exceptions", {DOMAIN})


@pytest.fixture
async def two_valves(hass: HomeAssistant) -> None:
    """Have two closed valves and no flow."""
    assert await async_setup_component(hass, "valve", {})
    for valve in ("valve.a", "valve.b"):
        hass.states.async_set(valve, "closed", {"is_closed": True})
    hass.states.async_set("sensor.flow", "0.0")
