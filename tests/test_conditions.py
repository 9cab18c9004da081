"""Conditions as a person typed them."""

from typing import Any

import pytest
import voluptuous as vol

from custom_components.esp_ota.conditions import Conditions
from homeassistant.core import HomeAssistant


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ({"condition": "state", "entity_id": "valve.a", "state": "closed"}, "valve.a"),
        (
            {"condition": "state", "entity_id": ["valve.a", "valve.b"], "state": "closed"},
            "valve.a, valve.b",
        ),
        (
            {
                "condition": "state",
                "entity_id": "valve.a",
                "state": "closed",
                "alias": "Valve is shut",
            },
            "Valve is shut",
        ),
        ("{{ false }}", "condition 2"),
        ({"condition": "template", "value_template": "{{ false }}"}, "condition 2"),
    ],
)
async def test_what_is_not_true_is_named_so_that_a_person_knows_where_to_look(
    hass: HomeAssistant, condition: Any, name: str
) -> None:
    hass.states.async_set("valve.a", "open")
    hass.states.async_set("valve.b", "closed")
    conditions = await Conditions.load(hass, ["{{ true }}", condition], "test")
    assert conditions.unmet({}) == [name]
    conditions.unload()


async def test_a_condition_that_cannot_be_loaded_leaves_none_behind(hass: HomeAssistant) -> None:
    with pytest.raises(vol.Invalid):
        await Conditions.load(hass, ["{{ true }}", {"condition": "state"}], "test")
