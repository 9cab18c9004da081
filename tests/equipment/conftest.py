"""What conditions are asked about."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component


@pytest.fixture
async def two_valves(hass: HomeAssistant) -> None:
    """Have two closed valves and no flow."""
    assert await async_setup_component(hass, "valve", {})
    for valve in ("valve.a", "valve.b"):
        hass.states.async_set(valve, "closed", {"is_closed": True})
    hass.states.async_set("sensor.flow", "0.0")
