"""Fixtures: who asks for an image."""

from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import PullLimits
from tests.kit.asking import SECRET, Asker
from tests.kit.garden import Garden


@pytest.fixture
async def asker(garden: Garden, hass_client_no_auth: ClientSessionGenerator) -> Asker:
    """Return what asks, without Home Assistant's login; the house has a secret."""
    house = MockConfigEntry(
        domain=DOMAIN, unique_id="house", data={"kind": "house", "pull_secret": SECRET}
    )
    await garden.add(house)
    garden.house.patience = replace(
        garden.house.patience, pull=PullLimits(request=2.0, offer=10.0, hold=5.0, stall=5.0)
    )
    return await hass_client_no_auth()
