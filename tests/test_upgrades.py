"""Going to another release: forward from 0.1.0, back again, and away.

That all ids and names of 0.1.0 load is in `tests/modules/test_identity.py`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.components.frontend import DATA_PANELS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for
from tests.kit.places import INTEGRATION
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.source_code import stores
from tests.virtual_module import ModuleConfig, VirtualModule

OTHER_STORES = {
    "history",
    "house",
    "journal",
    "library",
    "memory",
    "rollouts",
    "servers",
    "sources",
}


def issue(hass: HomeAssistant, key: str) -> ir.IssueEntry | None:
    found = ir.async_get(hass).async_get_issue(DOMAIN, key)
    if found is not None:
        assert_issue_is_whole(found)
    return found


def of_version(entry: MockConfigEntry, major: int, minor: int) -> MockConfigEntry:
    """Return an entry as another release has made it."""
    object.__setattr__(entry, "version", major)
    object.__setattr__(entry, "minor_version", minor)
    return entry


def test_every_store_is_meant() -> None:
    assert stores() == OTHER_STORES


@pytest.mark.parametrize("store", sorted(OTHER_STORES))
async def test_a_store_of_a_newer_release_is_answered_and_kept(
    hass: HomeAssistant, config_dir: Path, hass_storage: dict[str, Any], store: str
) -> None:
    """It is read from the disk by ourselves, whatever Home Assistant would make of it."""
    path = config_dir / ".storage" / f"{DOMAIN}.{store}"
    document = {"version": 2, "minor_version": 1, "key": path.name, "data": {}}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))

    assert await async_setup_component(hass, DOMAIN, {})

    told = issue(hass, f"{store}_newer_set_aside")
    assert told is not None
    assert told.translation_placeholders is not None
    aside = Path(told.translation_placeholders["aside"])
    kept = await hass.async_add_executor_job(aside.read_text)
    assert json.loads(kept) == document
    assert issue(hass, f"{store}_set_aside") is None


async def test_an_entry_of_a_newer_release_is_answered_and_left_as_it_is(
    hass: HomeAssistant,
) -> None:
    entry = of_version(entry_for(VirtualModule(ModuleConfig())), 2, 1)
    entry.add_to_hass(hass)
    before = dict(entry.data), entry.unique_id

    await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert (entry.version, entry.minor_version) == (2, 1)
    assert (dict(entry.data), entry.unique_id) == before
    assert issue(hass, f"entry_newer_{entry.entry_id}") is not None
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue(hass, f"entry_newer_{entry.entry_id}") is None


async def test_an_entry_of_a_newer_minor_release_is_used_and_stays_one(
    garden: Garden, start_module: StartModule
) -> None:
    entry = of_version(entry_for(await start_module()), 1, 9)
    await garden.add(entry)
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.version, entry.minor_version) == (1, 9)


@pytest.mark.parametrize(
    "data", [{"host": None}, {"port": "8266"}, {"transports": []}, {"transports": ["carrier"]}]
)
async def test_what_can_be_no_module_is_not_set_up_and_says_so(
    hass: HomeAssistant, esp_ota: None, data: dict[str, Any]
) -> None:
    entry = entry_for(VirtualModule(ModuleConfig()))
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, **data})

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "entry_unusable"


@pytest.mark.slow
async def test_what_is_removed_leaves_what_the_page_says(
    garden: Garden, start_module: StartModule, config_dir: Path
) -> None:
    hass = garden.hass
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(await start_module(), options=options_for()))
    await garden.install()

    for item in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_remove(item.entry_id)
    await hass.async_block_till_done()

    assert DOMAIN not in hass.data.get(DATA_PANELS, {})
    assert not [item for item in ir.async_get(hass).issues if item[0] == DOMAIN]
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert not er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert not [state for state in hass.states.async_all() if "garden_valve_fi" in state.entity_id]
    journal = garden.house.journal
    assert journal.good(entry.entry_id) == []
    assert [item.version for item in garden.house.library.releases] == ["1.1.0"]
    page = (INTEGRATION.parent.parent / "docs" / "entities.md").read_text(encoding="utf-8")
    assert "delete the folder `<config>/esp_ota`" in page
    assert "`<config>/.storage/esp_ota.*`" in page
