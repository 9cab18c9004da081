"""Which entities a condition with targets is about: those that its own checker looks at."""

from typing import Any

import pytest

from custom_components.esp_ota.equipment import Conditions, any_of_several
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    entity_registry as er,
    target as targets,
)
from homeassistant.setup import async_setup_component

ALL: dict[str, Any] = {"options": {"behavior": "all"}}
BOTH = ["valve.a", "valve.b"]


async def unmet(hass: HomeAssistant, *raw: Any) -> list[str]:
    """Return what of the conditions is not true."""
    conditions = await Conditions.load(hass, list(raw))
    found = conditions.unmet({})
    conditions.unload()
    return found


@pytest.fixture
def area(area_registry: ar.AreaRegistry) -> str:
    return area_registry.async_create("Garden").id


@pytest.fixture
def battery(hass: HomeAssistant, entity_registry: er.EntityRegistry, area: str) -> str:
    """Return a battery, which is a diagnostic entity as all of them are."""
    entry = entity_registry.async_get_or_create(
        "binary_sensor",
        "test",
        "battery",
        suggested_object_id="battery",
        original_device_class="battery",
        entity_category=EntityCategory.DIAGNOSTIC,
    )
    entity_registry.async_update_entity(entry.entity_id, area_id=area)
    hass.states.async_set(entry.entity_id, "off", {"device_class": "battery"})
    return entry.entity_id


@pytest.mark.slow
async def test_a_condition_that_looks_at_diagnostic_entities_is_read_so(
    hass: HomeAssistant, area: str, battery: str
) -> None:
    assert await async_setup_component(hass, "battery", {})
    charged = {"condition": "battery.is_not_low", "target": {"area_id": area}} | ALL
    assert await unmet(hass, charged) == []

    hass.states.async_set(battery, "unavailable", {"device_class": "battery"})
    assert await unmet(hass, charged) == [f"condition 1 ({battery}: unavailable)"]
    hass.states.async_set(battery, "on", {"device_class": "battery"})
    assert await unmet(hass, charged) == ["condition 1"]


async def test_what_a_diagnostic_entity_rests_on_is_watched(
    hass: HomeAssistant, area: str, battery: str
) -> None:
    assert await async_setup_component(hass, "battery", {})
    charged = {"condition": "battery.is_not_low", "target": {"area_id": area}} | ALL
    conditions = await Conditions.load(hass, [charged])
    assert conditions.entities({}) == {battery}
    conditions.unload()


async def test_other_conditions_still_pass_over_diagnostic_entities(
    hass: HomeAssistant, area: str, entity_registry: er.EntityRegistry
) -> None:
    assert await async_setup_component(hass, "valve", {})
    for name, category in (("a", None), ("b", EntityCategory.DIAGNOSTIC)):
        entry = entity_registry.async_get_or_create(
            "valve", "test", name, suggested_object_id=name, entity_category=category
        )
        entity_registry.async_update_entity(entry.entity_id, area_id=area)
    hass.states.async_set("valve.a", "closed", {"is_closed": True})
    hass.states.async_set("valve.b", "unavailable")
    closed = {"condition": "valve.is_closed", "target": {"area_id": area}} | ALL
    assert await unmet(hass, closed) == []


async def test_a_zone_that_is_asked_about_is_no_entity_of_another_kind(
    hass: HomeAssistant,
) -> None:
    assert await async_setup_component(hass, "zone", {})
    hass.states.async_set("person.anna", "home", {"in_zones": ["zone.home"]})
    at_home = {
        "condition": "zone.in_zone",
        "target": {"entity_id": "person.anna"},
        "options": {"zone": "zone.home"},
    }
    assert await unmet(hass, at_home) == []


async def test_an_entity_that_cannot_answer_confirms_nothing(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "media_player", {})
    hass.states.async_set("media_player.pump", "on")
    muted = {"condition": "media_player.is_muted", "target": {"entity_id": "media_player.pump"}}
    assert await unmet(hass, muted | ALL) == [
        "media_player.pump (media_player.pump: of another kind)"
    ]


async def test_an_entity_that_is_excluded_is_not_looked_at(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await async_setup_component(hass, "valve", {})
    hass.states.async_set("valve.a", "closed", {"is_closed": True})
    hass.states.async_set("valve.b", "unavailable")
    target: dict[str, Any] = {"entity_id": BOTH}
    if hasattr(targets.TargetSelection({}), "exclude"):
        target["exclude"] = {"entity_id": "valve.b"}
    else:
        resolve = targets.async_extract_referenced_entity_ids

        def without_b(*args: Any, **more: Any) -> targets.SelectedEntities:
            """Resolve a target as Home Assistant 2026.11 does one with an `exclude`."""
            selected = resolve(*args, **more)
            selected.referenced -= {"valve.b"}
            return selected

        monkeypatch.setattr(targets, "async_extract_referenced_entity_ids", without_b)
        for user in ("condition", "target"):
            monkeypatch.setattr(
                f"homeassistant.helpers.{user}.async_extract_referenced_entity_ids", without_b
            )
    closed = {"condition": "valve.is_closed", "target": target} | ALL

    assert await unmet(hass, closed) == []
    conditions = await Conditions.load(hass, [closed])
    assert conditions.entities({}) == {"valve.a"}
    conditions.unload()

    hass.states.async_set("valve.a", "open", {"is_closed": False})
    assert await unmet(hass, closed) != []


@pytest.mark.parametrize(
    ("exclude", "several"),
    [({"entity_id": "valve.b"}, False), ({"entity_id": "valve.c"}, True), ({}, True)],
)
async def test_two_of_which_one_is_excluded_are_one(exclude: dict[str, Any], several: bool) -> None:
    target = {"entity_id": BOTH, "exclude": exclude}
    assert any_of_several([{"condition": "valve.is_closed", "target": target}]) is several
