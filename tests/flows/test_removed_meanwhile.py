"""A module whose entry is deleted while somebody looks whether it has moved."""

import asyncio
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from homeassistant.config_entries import SOURCE_ZEROCONF
from homeassistant.data_entry_flow import FlowResultType
from tests.house.test_newcomers import announced
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.neighbours import ELSEWHERE, VALVE_MAC

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mac", [VALVE_MAC, None], ids=["its MAC", "its name"])
async def test_its_announcement_makes_a_card(
    garden: Garden, start_module: StartModule, mac: str | None
) -> None:
    """Home Assistant asks for who was removed once: what is under way then is that question."""
    module = await start_module()
    unique_id = mac or "garden-valve"
    entry = await garden.add(entry_for(module, mac=mac, unique_id=unique_id))
    await module.power_off()
    entries, info = garden.hass.config_entries, announced("garden-valve", ELSEWHERE, mac=mac)
    context: Any = {"source": SOURCE_ZEROCONF}
    looking = asyncio.create_task(entries.flow.async_init(DOMAIN, context=context, data=info))
    await until(lambda: entries.flow.async_progress_by_handler(DOMAIN, include_uninitialized=True))
    await asyncio.sleep(0.3)
    assert not looking.done()

    await entries.async_remove(entry.entry_id)

    result = await looking
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "confirm")
