"""A house with a valve, and a server that decides what it runs."""

from collections.abc import AsyncIterator

import pytest

from homeassistant.core import HomeAssistant
from tests.kit.assigned import Assigned
from tests.kit.entries import StartModule
from tests.kit.garden import Garden
from tests.kit.hawkbit import HawkBit


@pytest.fixture
async def hawkbit() -> AsyncIterator[HawkBit]:
    async with HawkBit() as server:
        yield server


@pytest.fixture
async def assigned(
    hass: HomeAssistant, garden: Garden, hawkbit: HawkBit, start_module: StartModule
) -> Assigned:
    return Assigned(garden=garden, hawkbit=hawkbit, start_module=start_module)
