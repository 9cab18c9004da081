"""The device a module's entities sit on, and their identity."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, snapshot_platform
from syrupy.assertion import SnapshotAssertion

from custom_components.esp_ota import PLATFORMS
from custom_components.esp_ota.const import DOMAIN
from homeassistant.const import Platform
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from tests.kit.garden import Garden

MAC = "5c:cf:7f:a1:b2:c3"


async def add(garden: Garden, **data: Any) -> MockConfigEntry:
    """Set up a module whose ids are the same in every run."""
    usual = {
        "kind": "module",
        "name": "garden-valve",
        "host": "127.0.0.1",
        "port": 8266,
        "service_name": None,
        "board": "nodemcuv2",
        "mac": MAC,
        "auth_required": False,
    }
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="garden-valve",
        entry_id="01ENTRY0F0THE0GARDEN0VALVE",
        unique_id=MAC,
        data=usual | data,
        options={"equipment": "nothing", "firmware": "garden-valve"},
    )
    return await garden.add(entry)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_the_entities_of_a_module(
    garden: Garden,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
    platform: Platform,
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.PLATFORMS", [platform])
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    await garden.house.journal.async_remember(
        "01ENTRY0F0THE0GARDEN0VALVE",
        {"version": "1.0.0", "firmware": "garden-valve", "assumed": False},
    )
    await garden.release("1.1.0")
    entry = await add(garden, service_name="garden-valve._arduino._tcp.local.")

    await snapshot_platform(garden.hass, entity_registry, snapshot, entry.entry_id)


async def test_the_device_of_a_module(
    garden: Garden, device_registry: dr.DeviceRegistry, snapshot: SnapshotAssertion
) -> None:
    entry = await add(garden)

    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device == snapshot


@pytest.mark.parametrize(
    ("data", "manufacturer", "model", "model_id"),
    [
        ({"board": "esp32s3", "port": 3232}, "Espressif", "esp32s3", "esp32s3"),
        ({"board": "rpipicow", "port": 2040}, "Raspberry Pi", "rpipicow", "rp2040"),
        ({"board": "homemade", "port": 8266}, None, "homemade", None),
        ({"board": None, "port": 9999}, None, None, None),
    ],
    ids=["esp32", "pico", "unknown board", "unknown"],
)
async def test_a_device_says_what_is_known_of_the_board(
    garden: Garden,
    device_registry: dr.DeviceRegistry,
    data: dict[str, Any],
    manufacturer: str | None,
    model: str | None,
    model_id: str | None,
) -> None:
    entry = await add(garden, **data)

    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert (device.manufacturer, device.model, device.model_id) == (manufacturer, model, model_id)


async def test_a_module_without_a_mac_has_a_device_without_connections(
    garden: Garden, device_registry: dr.DeviceRegistry
) -> None:
    entry = await add(garden, mac=None)

    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.connections == set()
    assert device.identifiers == {(DOMAIN, entry.unique_id)}
