"""What the ids of a module's device and entities are made from, and who finds them again."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN, HOUSE_UNIQUE_ID
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.modules import identity_of
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.setup import async_setup_component
from tests.kit.entries import entry_for
from tests.kit.garden import Garden
from tests.virtual_module import ModuleConfig, VirtualModule

MAC = "5c:cf:7f:a1:b2:c3"
STORED = Path(__file__).with_name("stored_0_1_0.json")
"""What the code before the ids changed has written of three modules: known by a host name, by a
MAC, and by an address alone; a person has renamed all of them."""


async def start_with(hass: HomeAssistant, storage: dict[str, Any], stored: dict[str, Any]) -> None:
    """Start Home Assistant with what is stored."""
    storage |= stored
    dr.async_setup(hass)
    for registry in (ar, dr, er, ir):
        await registry.async_load(hass)
    await hass.config_entries.async_initialize()
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()


@pytest.mark.parametrize("load_registries", [False])
async def test_what_0_1_0_stored_is_loaded_with_all_names_and_nothing_twice(
    hass: HomeAssistant, hass_storage: dict[str, Any], config_dir: Path
) -> None:
    stored = json.loads(await hass.async_add_executor_job(STORED.read_text))
    before = stored["core.entity_registry"]["data"]["entities"]
    devices = stored["core.device_registry"]["data"]["devices"]

    await start_with(hass, hass_storage, stored)

    entries = hass.config_entries.async_entries(DOMAIN)
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}
    assert {(entry.version, entry.minor_version) for entry in entries} == {(1, 2)}
    registry = er.async_get(hass)
    house = hass.data[HOUSE].entry
    assert house is not None
    assert house.unique_id == HOUSE_UNIQUE_ID
    now = [
        item
        for item in registry.entities.values()
        if item.platform == DOMAIN and item.config_entry_id != house.entry_id
    ]
    assert {(item.id, item.entity_id, item.name, item.area_id) for item in now} == {
        (item["id"], item["entity_id"], item["name"], item["area_id"]) for item in before
    }
    mine = {name: registry.async_get(f"update.mine_{number}") for number, name in enumerate("nmp")}
    assert {name: item and item.unique_id for name, item in mine.items()} == {
        "n": "garden-valve_firmware",
        "m": f"{MAC}_firmware",
        "p": "01ENTRYWITHAPLACEALONE0003_firmware",
    }
    registered = {item.device_id for item in now}
    assert registered == {device["id"] for device in devices}
    found = [dr.async_get(hass).async_get(device["id"]) for device in devices]
    assert [item and item.name_by_user for item in found] == [
        device["name_by_user"] for device in devices
    ]
    for number in range(3):
        card = hass.states.get(f"update.mine_{number}")
        assert card is not None
        assert card.attributes["installed_version"] == "1.0.0"
    failure = hass.data[HOUSE].journal.failure("01ENTRYWITHAHOSTNAME000001")
    assert failure is not None
    assert failure["tries"] == 2


def module_entry(**changes: Any) -> MockConfigEntry:
    """Return what a flow of today makes."""
    entry = entry_for(VirtualModule(ModuleConfig()), **changes)
    object.__setattr__(entry, "minor_version", 2)
    return entry


def mine(garden: Garden, entry: MockConfigEntry) -> set[tuple[str, str, str, str | None]]:
    """Return the ids of a module's entities and device, and what a person called the card."""
    entities = er.async_entries_for_config_entry(er.async_get(garden.hass), entry.entry_id)
    return {(item.id, item.entity_id, item.device_id or "", item.name) for item in entities}


async def rename(garden: Garden, entry: MockConfigEntry) -> None:
    """Call the card, its id and its device as a person does."""
    registry = er.async_get(garden.hass)
    unique_id = f"{identity_of(entry)}_firmware"
    card = registry.async_get_entity_id("update", DOMAIN, unique_id)
    assert card is not None
    registry.async_update_entity(card, new_entity_id="update.mine", name="Mine")
    [device] = dr.async_entries_for_config_entry(dr.async_get(garden.hass), entry.entry_id)
    dr.async_get(garden.hass).async_update_device(device.id, name_by_user="My board")


PLACED = {"unique_id": None, "service_name": None, "name": "127.0.0.1", "port": 8266}


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({"unique_id": MAC, "mac": MAC}, {"unique_id": MAC, "mac": MAC}),
        ({}, {}),
        ({"unique_id": MAC, "mac": MAC}, {}),
        ({}, {"unique_id": MAC, "mac": MAC}),
        ({"unique_id": MAC, "mac": MAC}, {"unique_id": MAC, "mac": MAC, "name": "renamed"}),
        (PLACED, PLACED),
    ],
    ids=["mac", "name", "mac not said", "mac said at last", "renamed", "place"],
)
async def test_a_module_that_is_deleted_and_added_again_keeps_ids_and_names(
    garden: Garden, first: dict[str, Any], later: dict[str, Any]
) -> None:
    entry = await garden.add(module_entry(**first))
    await rename(garden, entry)
    before = mine(garden, entry)
    assert await garden.hass.config_entries.async_remove(entry.entry_id)
    await garden.house.outliving.async_load()  # as the next start does

    again = await garden.add(module_entry(**later))

    assert mine(garden, again) == before
    [device] = dr.async_entries_for_config_entry(dr.async_get(garden.hass), again.entry_id)
    assert device.name_by_user == "My board"
    assert garden.hass.states.get("update.mine") is not None


async def test_ids_that_a_crash_kept_off_the_disk_are_changed_with_the_next_start(
    garden: Garden,
) -> None:
    """Entries are written a second after a change, registries minutes after a start."""
    entry = await garden.add(module_entry())
    await rename(garden, entry)
    before, identity = mine(garden, entry), identity_of(entry)
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    entities, devices = er.async_get(garden.hass), dr.async_get(garden.hass)
    for item in er.async_entries_for_config_entry(entities, entry.entry_id):
        unique_id = item.unique_id.replace(identity, entry.entry_id)
        entities.async_update_entity(item.entity_id, new_unique_id=unique_id)
    [device] = dr.async_entries_for_config_entry(devices, entry.entry_id)
    devices.async_update_device(device.id, new_identifiers={(DOMAIN, entry.entry_id)})

    await garden.hass.config_entries.async_setup(entry.entry_id)

    assert mine(garden, entry) == before
    assert garden.hass.states.get("update.mine") is not None


async def test_a_mac_that_is_learnt_later_changes_no_id(garden: Garden) -> None:
    entry = await garden.add(module_entry())
    before = mine(garden, entry)
    garden.hass.config_entries.async_update_entry(
        entry, unique_id=MAC, data={**entry.data, "mac": MAC}
    )

    await garden.hass.config_entries.async_reload(entry.entry_id)

    assert mine(garden, entry) == before


@pytest.mark.parametrize(
    "other",
    [
        {"unique_id": "5c:cf:7f:00:00:01", "mac": "5c:cf:7f:00:00:01"},
        {"unique_id": "other-valve", "name": "other-valve"},
        PLACED,
    ],
    ids=["another MAC", "another name", "a place where one with a name was"],
)
async def test_another_module_is_not_taken_for_the_one_that_was_deleted(
    garden: Garden, other: dict[str, Any]
) -> None:
    entry = await garden.add(module_entry(unique_id=MAC, mac=MAC, port=8266))
    await rename(garden, entry)
    assert await garden.hass.config_entries.async_remove(entry.entry_id)

    added = await garden.add(module_entry(**other))

    assert garden.hass.states.get("update.mine") is None
    assert not identity_of(added).startswith(MAC)


async def test_two_modules_never_share_an_id(garden: Garden) -> None:
    """One was known by its name till its MAC was learnt; then another one of that name came."""
    entry = await garden.add(module_entry())
    garden.hass.config_entries.async_update_entry(
        entry, unique_id=MAC, data={**entry.data, "mac": MAC}
    )
    before = mine(garden, entry)

    other = await garden.add(module_entry(port=8267))

    assert len(mine(garden, other)) == len(before)
    assert mine(garden, entry) == before


async def test_a_hundred_deleted_modules_are_remembered(garden: Garden) -> None:
    outliving = garden.house.outliving
    for number in range(103):
        await outliving.async_keep_module(module_entry(name=f"valve-{number}"))
    assert [item["name"] for item in outliving.former] == [f"valve-{n}" for n in range(3, 103)]
