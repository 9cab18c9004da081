"""A safe state that is tried from the page: told step by step, restored whatever happens."""

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.kit.garden import (
    CLOSE_VALVE,
    Garden,
    assert_nothing_sent,
    until,
)
from tests.kit.page import Page
from tests.kit.rehearsal import SLOW, have_failing_action
from tests.kit.steps import FAIL
from tests.virtual_module import VirtualModule

pytestmark = pytest.mark.slow
TRY = "esp_ota/module/try_safe_state"


async def tried(page: Page) -> dict[str, object]:
    """Return the last that is told of a try."""
    while not page.messages[-1]["done"]:
        await page.told(30.0)
    return page.messages[-1]


async def test_a_try_is_told_step_by_step_and_sends_nothing(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_valve(module)
    page = await Page.open(hass_ws_client, type=TRY, module=entry.entry_id)
    end = await tried(page)
    assert end["sentence"] is None
    assert end["seconds"].keys() >= {"inhibit", "actions", "conditions", "restore"}
    assert len({told["step"] for told in page.messages}) > 2
    assert_nothing_sent(module)
    assert garden.valve == ["off", "on"]


async def test_a_try_that_fails_says_why(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    have_failing_action(garden.hass)
    entry = await garden.add_with(module, actions=[FAIL])
    page = await Page.open(hass_ws_client, type=TRY, module=entry.entry_id)
    end = await tried(page)
    assert "the | bus" in str(end["sentence"])


async def test_who_closes_the_page_ends_the_try_and_all_is_put_back(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_with(module, actions=[CLOSE_VALVE, SLOW, SLOW, SLOW])
    page = await Page.open(hass_ws_client, type=TRY, module=entry.entry_id)
    await until(lambda: garden.valve == ["off"])
    await page.close()
    await until(lambda: garden.valve == ["off", "on"])
    await until(lambda: not entry.runtime_data.installer.is_running)
    assert_nothing_sent(module)


async def test_nothing_is_tried_while_a_try_runs_or_without_a_safe_state(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_with(module, actions=[CLOSE_VALVE, SLOW, SLOW])
    page = await Page.open(hass_ws_client, type=TRY, module=entry.entry_id)
    socket = await hass_ws_client()
    await socket.send_json_auto_id({"type": TRY, "module": entry.entry_id})
    error = (await socket.receive_json())["error"]
    assert error["translation_key"] == "install_running"
    await tried(page)
    garden.hass.config_entries.async_update_entry(entry, options={"equipment": "switches"})
    await garden.hass.async_block_till_done()
    await socket.send_json_auto_id({"type": TRY, "module": entry.entry_id})
    error = (await socket.receive_json())["error"]
    assert error["translation_key"] == "safe_state_missing"
    assert garden.valve == ["off", "on"]
