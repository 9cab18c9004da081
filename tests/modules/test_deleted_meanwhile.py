"""An entry that is deleted while it is looked whether a new name is its own."""

import asyncio

import pytest

from homeassistant.helpers import issue_registry as ir
from tests.kit.garden import Garden, until
from tests.kit.neighbours import HERE, VALVE_MAC, Neighbours
from tests.modules.test_names import add, rename

pytestmark = pytest.mark.slow


async def test_no_repair_is_left_of_it(garden: Garden, neighbours: Neighbours) -> None:
    valve = await neighbours.start("garden-valve", HERE, VALVE_MAC, txt_mac=False)
    entry = await add(neighbours, valve)
    looking = entry.runtime_data.coordinator.names._looking
    await rename(valve)
    await until(looking.locked, 30)
    await asyncio.sleep(0.3)
    assert looking.locked()

    await garden.hass.config_entries.async_remove(entry.entry_id)

    await until(lambda: not looking.locked(), 30)
    await garden.hass.async_block_till_done()
    issues = ir.async_get(garden.hass).issues.values()
    assert not [issue for issue in issues if entry.entry_id in issue.issue_id]
