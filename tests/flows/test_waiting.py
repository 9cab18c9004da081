"""The forms that say when updates may begin, and what they wait for."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import HomeAssistant
from tests.kit.entries import entry_for
from tests.kit.garden import Garden
from tests.kit.sentences import assert_form_is_whole
from tests.virtual_module import ModuleConfig, VirtualModule

TIMES = {"window_start": "22:00:00", "window_end": "05:00:00", "window_days": ["mon", "fri"]}
DARK = [{"condition": "state", "entity_id": "sun.sun", "state": "below_horizon"}]


async def said(
    hass: HomeAssistant, entry: MockConfigEntry, step: str, **answers: Any
) -> dict[str, Any]:
    """Fill the form in; return what becomes of it."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": step}
    )
    assert_form_is_whole("options", form)
    result = await hass.config_entries.options.async_configure(form["flow_id"], answers)
    await hass.async_block_till_done()
    return dict(result)


@pytest.fixture
async def house(garden: Garden) -> MockConfigEntry:
    return await garden.add(
        MockConfigEntry(
            domain=DOMAIN, unique_id="house", data={"kind": "house"}, options={"keep_releases": 7}
        )
    )


async def test_the_window_of_the_house_is_stored_and_shown_again(
    garden: Garden, house: MockConfigEntry
) -> None:
    await said(
        garden.hass,
        house,
        "house_waiting",
        when_inhibited="wait",
        wait_hours=48,
        at_deadline="wait_on",
        window_conditions=DARK,
        **TIMES,
    )
    assert house.options == {
        "keep_releases": 7,
        "when_inhibited": "wait",
        "wait_hours": 48,
        "at_deadline": "wait_on",
        "window": {
            "start": "22:00:00",
            "end": "05:00:00",
            "days": ["mon", "fri"],
            "conditions": DARK,
        },
    }
    menu = await garden.hass.config_entries.options.async_init(house.entry_id)
    form = await garden.hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": "house_waiting"}
    )
    assert form["data_schema"] is not None
    shown = {
        str(key): (key.description or {}).get("suggested_value")
        for key in form["data_schema"].schema
    }
    assert shown["window_start"] == "22:00:00"
    assert shown["window_days"] == ["mon", "fri"]
    assert shown["window_conditions"] == DARK


async def test_a_window_that_is_emptied_is_none_any_more(
    garden: Garden, house: MockConfigEntry
) -> None:
    await said(garden.hass, house, "house_waiting", **TIMES)
    assert "window" in house.options
    await said(garden.hass, house, "house_waiting")
    assert "window" not in house.options


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"window_start": "22:00:00"}, {"window_end": "window_half"}),
        ({**TIMES, "window_days": []}, {"window_days": "window_days"}),
        ({"window_of": "own"}, {"window_start": "window_empty"}),
    ],
)
async def test_a_window_that_never_opens_is_not_taken(
    garden: Garden, answers: dict[str, Any], error: dict[str, str]
) -> None:
    entry = await garden.add(entry_for(VirtualModule(ModuleConfig())))
    form = await said(garden.hass, entry, "waiting", **answers)
    assert form["errors"] == error
    assert_form_is_whole("options", form)


async def test_a_module_that_sleeps_has_a_window_of_its_own(garden: Garden) -> None:
    entry = await garden.add(entry_for(VirtualModule(ModuleConfig())))
    answers = {"sleeps": True, "wake_entity": "sensor.mqtt", "window_of": "own", **TIMES}
    await said(garden.hass, entry, "waiting", **answers)
    assert entry.options["sleeps"] is True
    assert entry.options["wake_entity"] == "sensor.mqtt"
    assert entry.options["window_of"] == "own"
    assert entry.options["window"]["start"] == "22:00:00"
    assert entry.options["firmware"] == "garden-valve"
