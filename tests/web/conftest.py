"""Fixtures: who asks for an image."""

from collections.abc import AsyncIterator
from dataclasses import replace

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.ota import PullLimits
from tests.kit.asking import Asker, house
from tests.kit.garden import Garden

LIMITS = PullLimits(request=2.0, offer=10.0, hold=5.0, stall=5.0)


@pytest.fixture
async def asker(garden: Garden, hass_client_no_auth: ClientSessionGenerator) -> Asker:
    """Return what asks, without Home Assistant's login; the house has a secret."""
    await garden.add(house())
    garden.house.patience = replace(garden.house.patience, pull=LIMITS)
    return await hass_client_no_auth()


@pytest.fixture
async def port(garden: Garden) -> AsyncIterator[int]:
    """Return where Home Assistant's own web server listens; the house has a secret."""
    await garden.add(house())
    limits = replace(LIMITS, requests=10_000)
    garden.house.patience = replace(garden.house.patience, pull=limits)
    runner = web.AppRunner(garden.hass.http.app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()
