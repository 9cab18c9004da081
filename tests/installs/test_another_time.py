"""Home Assistant was away for long, or is of last month's backup: what waited is asked for."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import InstallNote
from custom_components.esp_ota.house.memory import Memory
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule
from tests.kit.garden import CLOSED_AND_OPENED, UNTOUCHED, Garden, assert_nothing_sent, until
from tests.kit.repairs import fix
from tests.virtual_module import VirtualModule

pytestmark = pytest.mark.slow

MEMORY = "esp_ota.memory"


async def left_waiting(garden: Garden, module: VirtualModule) -> MockConfigEntry:
    """Leave an update in the queue, and Home Assistant away."""
    entry = await garden.add_talking(module)
    [release] = garden.house.library.releases
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    note: InstallNote = {
        "stage": "queued",
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-10-01T12:00:00+00:00",
        "queued": {"priority": 3, "order": 1.0},
    }
    await garden.house.journal.async_write(entry.entry_id, note)
    return entry


async def start(
    garden: Garden, storage: dict[str, Any], entry: MockConfigEntry, **away: float
) -> None:
    """Start Home Assistant again, so long after it lived last."""
    alive = (dt_util.utcnow() - timedelta(**away)).isoformat()
    content = {"modules": {}} | ({"alive": alive} if away else {})
    storage[MEMORY] = {"version": 1, "minor_version": 1, "key": MEMORY, "data": content}
    garden.house.memory = Memory(garden.hass)
    await garden.house.memory.async_load()
    await garden.house.journal.async_load()
    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()


async def test_what_waited_then_does_not_begin_by_itself(
    garden: Garden,
    start_module: StartModule,
    hass_storage: dict[str, Any],
    issue_registry: ir.IssueRegistry,
) -> None:
    module = await start_module(advertise=True)
    entry = await left_waiting(garden, module)

    await start(garden, hass_storage, entry, days=30)

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)
    assert garden.card.attributes["last_verdict"] == "refused"
    issue = issue_registry.async_get_issue(DOMAIN, f"interrupted_{entry.entry_id}")
    assert issue is not None
    assert await fix(garden.hass, issue) == "create_entry"
    await until(lambda: module.running_version == "1.1.0")
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)


@pytest.mark.parametrize("away", [{"hours": 20}, {"hours": -20}, {}], ids=["a night", "back", "-"])
async def test_what_waited_a_moment_ago_begins(
    garden: Garden,
    start_module: StartModule,
    hass_storage: dict[str, Any],
    away: dict[str, float],
) -> None:
    """Also after a clock was set back, and where no earlier release noted it."""
    module = await start_module(advertise=True)
    entry = await left_waiting(garden, module)

    await start(garden, hass_storage, entry, **away)

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_what_is_wanted_since_then_outlives_a_reload(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module = await start_module(advertise=True)
    entry = await left_waiting(garden, module)
    await start(garden, hass_storage, entry, days=30)
    garden.house.queue.async_set(limit=0, stagger="area")
    pressed = await garden.begin(garden.refused("suspended"), "queued")

    await garden.hass.config_entries.async_reload(entry.entry_id)
    await pressed
    garden.house.queue.async_set(limit=1, stagger="area")

    await until(lambda: module.running_version == "1.1.0")
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)


async def test_it_is_noted_that_home_assistant_lives(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    entry = await garden.add_talking(await start_module(advertise=True))
    await garden.hass.config_entries.async_unload(entry.entry_id)
    garden.hass.bus.async_fire("homeassistant_final_write")
    await garden.hass.async_block_till_done()

    alive = dt_util.parse_datetime(hass_storage[MEMORY]["data"]["alive"], raise_on_error=True)

    assert dt_util.utcnow() - alive < timedelta(minutes=5)
