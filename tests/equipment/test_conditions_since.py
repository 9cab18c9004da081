"""Since when conditions have been true, and which ones say nothing at all."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.esp_ota.equipment import Conditions, any_of_several, enabled
from custom_components.esp_ota.equipment.clock import Clock
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    entity_registry as er,
)
from tests.kit.conditions import (
    A_CLOSED,
    A_IS_CLOSED,
    A_OPEN,
    ALL,
    BOTH,
    BOTH_ARE_CLOSED,
    NO_FLOW,
    TRUE,
)

pytestmark = pytest.mark.usefixtures("two_valves")


@pytest.fixture
def frozen(
    freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> FrozenDateTimeFactory:
    """Return a clock that only the test moves; freezing it is setting it, which is over then."""
    monkeypatch.setattr("custom_components.esp_ota.equipment.conditions.CLOCK", Clock())
    return freezer


@pytest.mark.parametrize(
    ("condition", "known"),
    [
        (A_CLOSED, True),
        (A_CLOSED | {"for": {"seconds": 2}}, False),
        (A_IS_CLOSED | {"options": {"behavior": "all", "for": {"seconds": 2}}}, False),
        (A_IS_CLOSED, True),
        (BOTH_ARE_CLOSED, True),
        (NO_FLOW, True),
        ({"and": [A_CLOSED, {"not": [NO_FLOW]}]}, True),
        (A_CLOSED | {"enabled": False}, True),
        (NO_FLOW | {"value_template": "{{ state.state }}"}, False),
        ("{{ is_state('valve.a', 'closed') }}", False),
        ({"or": [A_CLOSED, TRUE]}, False),
        ({"condition": "time", "after": "00:00:00"}, False),
        ({"condition": "valve.is_closed", "target": {"label_id": "outside"}} | ALL, False),
        (A_CLOSED | {"entity_id": "valve.nowhere"}, False),
    ],
)
async def test_only_of_states_of_named_entities_it_is_known_since_when(
    hass: HomeAssistant, frozen: FrozenDateTimeFactory, condition: Any, known: bool
) -> None:
    conditions = await Conditions.load(hass, [condition])
    frozen.tick(timedelta(seconds=5))
    assert conditions.are_older_than(4.9) is known
    assert conditions.are_older_than(5.1) is (not conditions._named[0][1])
    conditions.unload()


async def test_what_is_in_an_area_may_have_changed(
    hass: HomeAssistant,
    frozen: FrozenDateTimeFactory,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    area = area_registry.async_create("Garden")
    entry = entity_registry.async_get_or_create("valve", "test", "c", suggested_object_id="c")
    entity_registry.async_update_entity(entry.entity_id, area_id=area.id)
    hass.states.async_set("valve.c", "closed", {"is_closed": True})
    raw: list[Any] = [{"condition": "valve.is_closed", "target": {"area_id": area.id}} | ALL]
    conditions = await Conditions.load(hass, raw)
    frozen.tick(timedelta(seconds=5))
    assert conditions.unmet({}) == []
    assert not conditions.are_older_than(4)
    conditions.unload()


@pytest.mark.parametrize("entity", ["valve.a", "sensor.flow", "sensor.limit"])
async def test_whatever_changed_counts_from_then(
    hass: HomeAssistant, frozen: FrozenDateTimeFactory, entity: str
) -> None:
    hass.states.async_set("sensor.limit", "0.1")
    conditions = await Conditions.load(hass, [A_CLOSED, NO_FLOW | {"below": "sensor.limit"}])
    frozen.tick(timedelta(seconds=5))
    assert conditions.are_older_than(4)
    state = hass.states.get(entity)
    assert state is not None
    hass.states.async_set(entity, state.state, {"battery": 9})  # only an attribute
    frozen.tick(timedelta(seconds=3))
    assert not conditions.are_older_than(4)
    conditions.unload()


@pytest.mark.parametrize(
    ("condition", "negated", "refused"),
    [
        ({"condition": "valve.is_closed", "target": BOTH}, False, True),
        ({"condition": "valve.is_closed", "target": BOTH}, True, False),
        (BOTH_ARE_CLOSED, False, False),
        (BOTH_ARE_CLOSED, True, True),
        ({"condition": "valve.is_closed", "target": {"area_id": "garden"}}, False, True),
        (A_IS_CLOSED, False, False),
        (A_IS_CLOSED, True, False),
        (A_CLOSED, True, False),
        (A_CLOSED | BOTH, False, False),
        (A_CLOSED | BOTH, True, True),
        (A_CLOSED | BOTH | {"match": "any"}, False, True),
        (A_CLOSED | BOTH | {"match": "any"}, True, False),
        ({"not": [A_OPEN | BOTH]}, False, True),
        ({"not": [A_OPEN | BOTH | {"match": "any"}]}, False, False),
        ({"not": [{"not": [A_CLOSED | BOTH | {"match": "any"}]}]}, False, True),
        ({"condition": [{"condition": "valve.is_closed", "target": BOTH}]}, False, True),
        ({"condition": "or", "conditions": [A_CLOSED | BOTH | {"match": "any"}]}, False, True),
        ("{{ is_state('valve.a', 'closed') }}", False, False),
        ({"condition": "valve.is_closed", "target": "valve.a"}, False, False),
    ],
)
async def test_one_of_several_does_not_decide_for_all(
    condition: Any, negated: bool, refused: bool
) -> None:
    assert any_of_several([condition], negated=negated) is refused


def test_a_list_of_disabled_conditions_says_nothing() -> None:
    assert enabled([{"condition": [A_CLOSED | {"enabled": False}]}]) == []
    assert enabled([{"condition": [A_CLOSED]}]) == [{"condition": [A_CLOSED]}]
