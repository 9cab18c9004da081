"""A real valve entity that can be slow, stuck, deaf, or wrong about itself."""

import asyncio
from dataclasses import dataclass
from typing import Any, override

from pytest_homeassistant_custom_component.common import (
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)

from homeassistant.components.valve import ValveEntity, ValveEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

VALVE = "valve.garden"


@dataclass
class Faults:
    """What is wrong with a valve."""

    travel: float = 0.0
    """Seconds it moves."""
    stuck: bool = False
    """It takes the command and does not move."""
    raises: Exception | None = None
    silent: bool = False
    """It moves and does not say so."""


class GardenValve(ValveEntity):
    """One valve; `is_closed` is what it says, `flows` what is so."""

    _attr_should_poll = False
    _attr_reports_position = False
    _attr_name = "garden"
    _attr_supported_features = ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE
    _attr_is_closed = False

    def __init__(self) -> None:
        self.faults = Faults()
        self.flows = True
        self.moved: list[str] = []
        """What it was told and did."""

    async def _move(self, *, close: bool) -> None:
        if self.faults.raises is not None:
            raise self.faults.raises
        if self.faults.stuck:
            return
        self._attr_is_closing, self._attr_is_opening = close, not close
        self.async_write_ha_state()
        await asyncio.sleep(self.faults.travel)
        self._attr_is_closing = self._attr_is_opening = False
        self.flows = not close
        self.moved.append("closed" if close else "open")
        if not self.faults.silent:
            self._attr_is_closed = close
        self.async_write_ha_state()

    @override
    async def async_close_valve(self, **kwargs: Any) -> None:
        await self._move(close=True)

    @override
    async def async_open_valve(self, **kwargs: Any) -> None:
        await self._move(close=False)

    def is_reached(self, reached: bool) -> None:
        """Be reachable or not."""
        self._attr_available = reached
        self.async_write_ha_state()

    def says(self, *, closed: bool) -> None:
        """Say what is so, or what is not."""
        self._attr_is_closed = closed
        self.async_write_ha_state()


async def plant_valve(hass: HomeAssistant) -> GardenValve:
    """Set up the valve as an integration of its own."""
    valve = GardenValve()

    async def setup(_hass: HomeAssistant, _config: Any, add: Any, _info: Any = None) -> None:
        add([valve])

    mock_integration(hass, MockModule("watering"))
    mock_platform(hass, "watering.valve", MockPlatform(async_setup_platform=setup))
    assert await async_setup_component(hass, "valve", {"valve": {"platform": "watering"}})
    await hass.async_block_till_done()
    assert hass.states.is_state(VALVE, "open")
    return valve
