"""What the house listens with, and whom it hears."""

from collections.abc import AsyncIterator

import pytest
from zeroconf import (
    IPVersion,
)
from zeroconf.asyncio import AsyncZeroconf

from custom_components.esp_ota.house import Announcements
from tests.kit.air import Air
from tests.kit.garden import Garden


@pytest.fixture
async def air() -> AsyncIterator[Air]:
    """Return somebody else on the network."""
    responder = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    await responder.zeroconf.async_wait_for_start()
    yield Air(responder)
    await responder.async_close()


@pytest.fixture
def announcements(garden: Garden) -> Announcements:
    """Return what the house listens with."""
    return garden.house.announcements
