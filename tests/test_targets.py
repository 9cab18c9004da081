"""Whoever targets a device, an area or a label reaches the module, or is told that nothing was."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.library import ReleaseName
from homeassistant.const import EntityCategory
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from tests.corpus.filesystems import littlefs
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden
from tests.kit.sentences import assert_error_is_whole

TARGETS = ["device", "area", "label", "labelled area"]


def target(garden: Garden, entry: MockConfigEntry, kind: str) -> dict[str, str]:
    """Put the module's device where it can be targeted so, and return the target."""
    devices = dr.async_get(garden.hass)
    [device] = dr.async_entries_for_config_entry(devices, entry.entry_id)
    area = ar.async_get(garden.hass).async_get_or_create("Garden")
    label = lr.async_get(garden.hass).async_get_label_by_name("Outdoors") or lr.async_get(
        garden.hass
    ).async_create("Outdoors")
    if kind == "device":
        return {"device_id": device.id}
    if kind == "label":
        devices.async_update_device(device.id, labels={label.label_id})
        return {"label_id": label.label_id}
    devices.async_update_device(device.id, area_id=area.id)
    if kind == "area":
        return {"area_id": area.id}
    ar.async_get(garden.hass).async_update(area.id, labels={label.label_id})
    return {"label_id": label.label_id}


async def act(garden: Garden, action: str, data: dict[str, Any]) -> None:
    await garden.hass.services.async_call(DOMAIN, action, data, blocking=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TARGETS)
async def test_an_update_of_a_target_updates_the_module_in_it(
    garden: Garden, start_module: StartModule, kind: str
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module))

    data = target(garden, entry, kind)
    await garden.hass.services.async_call("update", "install", data, blocking=True)

    assert module.running_version == "1.1.0"


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize(
    ("action", "cause"), [("cancel", "nothing_running"), ("rollback", "no_rollback")]
)
async def test_each_action_reaches_the_module_in_its_target(
    garden: Garden, start_module: StartModule, kind: str, action: str, cause: str
) -> None:
    entry = await garden.add(entry_for(await start_module()))

    with pytest.raises(HomeAssistantError) as caught:
        await act(garden, action, target(garden, entry, kind))

    assert caught.value.translation_key == cause


@pytest.mark.parametrize("action", ["cancel", "rollback"])
@pytest.mark.parametrize(
    "missed",
    [
        {"area_id": "attic"},
        {"device_id": "somebody"},
        {"label_id": "indoors"},
        {"entity_id": "update.somebody"},
        {"entity_id": "none"},
    ],
    ids=str,
)
async def test_an_action_that_reaches_no_module_says_so(
    garden: Garden, start_module: StartModule, action: str, missed: dict[str, str]
) -> None:
    await garden.add(entry_for(await start_module()))

    with pytest.raises(ServiceValidationError) as caught:
        await act(garden, action, missed)

    # It might have been a guest's.
    is_unknown = action == "cancel" and missed == {"entity_id": "update.somebody"}
    key = "rollout_target_unknown" if is_unknown else "nothing_reached"
    assert caught.value.translation_key == key
    assert_error_is_whole(caught.value)


async def test_a_module_whose_card_is_hidden_is_not_acted_on_in_silence(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    entry = await garden.add(entry_for(await start_module()))
    entity_registry.async_update_entity(CARD, hidden_by=er.RegistryEntryHider.USER)

    with pytest.raises(ServiceValidationError) as caught:
        await act(garden, "cancel", target(garden, entry, "device"))

    assert caught.value.translation_key == "nothing_reached"


async def test_a_card_of_before_loses_its_category(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    entry = entry_for(await start_module())
    entry.add_to_hass(garden.hass)
    kept = entity_registry.async_get_or_create(
        "update",
        DOMAIN,
        f"{entry.entry_id}_firmware",
        suggested_object_id="my_own_name",
        config_entry=entry,
        entity_category=EntityCategory.CONFIG,
    )

    assert await garden.hass.config_entries.async_setup(entry.entry_id)
    await garden.hass.async_block_till_done()

    found = entity_registry.async_get(kept.entity_id)
    assert found is not None
    assert found.entity_id == "update.my_own_name"
    assert found.entity_category is None


@pytest.mark.slow
async def test_of_two_cards_a_target_reaches_the_sketch_and_an_action_the_module_once(
    garden: Garden, start_module: StartModule, entity_registry: er.EntityRegistry
) -> None:
    module = await start_module()
    await garden.release("1.0.0")
    entry = await garden.add(entry_for(module))
    await garden.install()
    await garden.release("1.1.0")
    files = ReleaseName.stated(
        "files.bin", {"firmware": "garden-valve", "version": "0.9.0", "kind": "filesystem"}
    )
    await garden.house.library.async_add(littlefs(), files, source="upload")
    await garden.hass.async_block_till_done()
    cards = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert len([card for card in cards if card.domain == "update"]) == 2

    data = target(garden, entry, "device")
    await garden.hass.services.async_call("update", "install", data, blocking=True)
    assert module.running_version == "1.1.0"

    await act(garden, "rollback", {"entity_id": "all"})
    assert module.running_version == "1.0.0"
