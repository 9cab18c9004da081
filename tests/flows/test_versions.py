"""The form of a module's pin, hold and channel."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden
from tests.kit.sentences import assert_form_is_whole, shown_in

pytestmark = pytest.mark.slow

OPTIONS = {"equipment": "nothing", "firmware": "garden-valve"}


async def opened(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": "versions"}
    )
    assert_form_is_whole("options", form)
    return dict(form)


async def said(hass: HomeAssistant, form: dict[str, Any], **answers: Any) -> dict[str, Any]:
    result = await hass.config_entries.options.async_configure(form["flow_id"], answers)
    await hass.async_block_till_done()
    return dict(result)


async def test_what_is_said_holds_is_shown_again_and_can_be_taken_back(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    entry = await garden.add(entry_for(await start_module(), options=OPTIONS))
    answers = {"pin": ">=1.0, <2", "hold_until": "2099-12-24 08:00:00", "channel": "beta"}
    await said(hass, await opened(hass, entry), **answers)
    stored = {"pin": ">=1.0, <2", "hold_until": "2099-12-24T08:00:00", "channel": "beta"}
    assert entry.options == OPTIONS | stored
    state = hass.states.get(CARD)
    assert state is not None
    assert (state.attributes["pinned_to"], state.attributes["channel"]) == (">=1.0, <2", "beta")

    form = await opened(hass, entry)
    assert {key: value for key, (value, _) in shown_in(form).items()} == answers
    await said(hass, form, channel="stable")
    assert entry.options == OPTIONS | {"channel": "stable"}


async def test_each_mistake_is_told_at_its_field_and_nothing_is_stored(
    garden: Garden, start_module: StartModule
) -> None:
    hass = garden.hass
    entry = await garden.add(entry_for(await start_module(), options=OPTIONS))
    form = await opened(hass, entry)
    form = await said(hass, form, pin="^1.2", hold_until="2020-01-01 08:00:00", channel="beta")
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"pin": "pin_unreadable", "hold_until": "hold_over"}
    assert_form_is_whole("options", form)
    assert shown_in(form)["pin"][0] == "^1.2"
    form = await said(hass, form, hold_until="9999-12-31 23:59:59", channel="stable")
    assert form["errors"] == {"hold_until": "hold_unreadable"}
    assert entry.options == OPTIONS


async def test_a_hold_that_is_over_is_not_shown_any_more(
    garden: Garden, start_module: StartModule
) -> None:
    options = {**OPTIONS, "hold_until": "2020-01-01T08:00:00"}
    entry = await garden.add(entry_for(await start_module(), options=options))
    form = await opened(garden.hass, entry)
    assert shown_in(form)["hold_until"][0] is None
    await said(garden.hass, form, channel="stable")
    assert entry.options == OPTIONS
