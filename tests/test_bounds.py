"""A module's pin, hold and channel: what its card offers, and who is refused."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, assert_nothing_sent, options_for
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import VirtualModule

pytestmark = pytest.mark.slow


async def add(garden: Garden, module: VirtualModule, **options: Any) -> MockConfigEntry:
    """Set up a module that runs 1.0.0."""
    entry = await garden.add(entry_for(module, options=options_for(equipment="nothing", **options)))
    entry.runtime_data.coordinator.async_set_installed("1.0.0", "garden-valve", assumed=False)
    return entry


async def act(garden: Garden, action: str, **data: Any) -> None:
    await garden.hass.services.async_call(
        "esp_ota", action, {"entity_id": CARD, **data}, blocking=True
    )
    await garden.hass.async_block_till_done()


async def test_a_pinned_module_is_offered_what_its_pin_permits(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await add(garden, module)
    for version in ("1.1.0", "1.2.0"):
        await garden.release(version)
    await act(garden, "pin", version="1.1.*")
    shown = garden.card.attributes
    assert (shown["latest_version"], shown["pinned_to"]) == ("1.1.0", "1.1.*")
    await garden.install()
    assert module.running_version == "1.1.0"
