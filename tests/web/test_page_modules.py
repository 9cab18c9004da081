"""What a page is told of modules and of the library: who may ask, all of it once, then changes."""

import asyncio
import time

import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp_ota.web.feed import PAUSE
from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, until
from tests.kit.page import Page
from tests.virtual_module import VirtualModule

COMMANDS = [
    {"type": "esp_ota/modules/subscribe"},
    {"type": "esp_ota/module/subscribe", "module": "any"},
    {"type": "esp_ota/module/try_safe_state", "module": "any"},
    {"type": "esp_ota/queue/subscribe"},
    {"type": "esp_ota/library/subscribe"},
    {"type": "esp_ota/rollouts/subscribe"},
    {"type": "esp_ota/rollout/subscribe", "rollout": "any"},
]


@pytest.fixture
async def talking(garden: Garden, start_module: StartModule) -> VirtualModule:
    """Switch on a module that announces what it runs, and have a release for it."""
    await garden.release("1.1.0")
    return await start_module(advertise=True)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command["type"])
async def test_only_administrators_may_ask(
    hass: HomeAssistant,
    esp_ota: None,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    command: dict[str, str],
) -> None:
    socket = await hass_ws_client(hass, hass_read_only_access_token)
    await socket.send_json_auto_id(command)
    answer = await socket.receive_json()
    assert (answer["success"], answer["error"]["code"]) == (False, "unauthorized")


async def test_a_module_that_is_not_there_is_not_told(
    hass: HomeAssistant, esp_ota: None, hass_ws_client: WebSocketGenerator
) -> None:
    socket = await hass_ws_client()
    await socket.send_json_auto_id({"type": "esp_ota/module/subscribe", "module": "none"})
    answer = await socket.receive_json()
    assert (answer["success"], answer["error"]["code"]) == (False, "not_found")


@pytest.mark.slow
async def test_an_update_is_told_from_its_press_to_its_end_by_small_changes(
    garden: Garden, talking: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_talking(talking)
    page = await Page.open(hass_ws_client, type="esp_ota/modules/subscribe")
    line = page.known[entry.entry_id]
    assert (line["runs"], line["offered"], line["proof"]) == ("1.0.0", "1.1.0", "txt")
    assert (line["stage"], line["verdict"]) == (None, None)

    installing = asyncio.create_task(garden.install())
    await page.knows(entry.entry_id, runs="1.1.0", verdict="verified", stage=None)
    await installing

    line = page.known[entry.entry_id]
    assert line["sentence"].startswith("garden-valve runs 1.1.0 now")
    stages = [
        told["changed"][entry.entry_id].get("stage")
        for told in page.messages
        if entry.entry_id in told.get("changed", {})
    ]
    assert "sending" in stages or "restarting" in stages
    assert all("name" not in told["changed"][entry.entry_id] for told in page.messages[1:])


@pytest.mark.slow
async def test_what_happens_at_once_is_told_a_few_times_a_second(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_valve(module)
    page = await Page.open(hass_ws_client, type="esp_ota/modules/subscribe")
    listening = asyncio.create_task(page.listen(8 * PAUSE))
    for number in range(300):
        shown = garden.card.attributes | {"latest_version": f"2.{number}.0"}
        garden.hass.states.async_set(CARD, "on", shown)
        await asyncio.sleep(0.005)
    await listening

    pauses = [after - before for before, after in zip(page.at[1:], page.at[2:], strict=False)]
    assert len(page.messages) > 3
    assert len(page.messages) <= 2 + (page.at[-1] - page.at[0]) / PAUSE
    assert min(pauses) > PAUSE * 0.5
    await page.knows(entry.entry_id, offered="2.299.0")


async def test_what_does_not_concern_the_table_is_not_told(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_valve(module)
    page = await Page.open(hass_ws_client, type="esp_ota/modules/subscribe")
    await page.listen(4 * PAUSE)
    count = len(page.messages)
    for _ in range(5):
        entry.runtime_data.coordinator.async_update_listeners()
        await asyncio.sleep(PAUSE / 2)
    await page.listen(2 * PAUSE)
    assert len(page.messages) == count


async def test_a_module_that_is_added_or_removed_is_told(
    garden: Garden, start_module: StartModule, hass_ws_client: WebSocketGenerator
) -> None:
    page = await Page.open(hass_ws_client, type="esp_ota/modules/subscribe")
    assert page.known == {}
    entry = await garden.add(entry_for(await start_module()))
    await page.knows(entry.entry_id, name="garden-valve", entity="update.garden_valve_firmware")

    assert await garden.hass.config_entries.async_remove(entry.entry_id)
    while entry.entry_id in page.known:
        await page.told()


async def test_nobody_listens_any_more_after_the_page_is_closed(
    garden: Garden, module: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await garden.add_valve(module)
    coordinator = entry.runtime_data.coordinator
    await garden.hass.async_block_till_done()
    before = len(coordinator._listeners)
    page = await Page.open(hass_ws_client, type="esp_ota/module/subscribe", module=entry.entry_id)
    assert len(coordinator._listeners) == before + 1
    await page.close()
    await until(lambda: len(coordinator._listeners) == before)


@pytest.mark.slow
async def test_an_opened_module_tells_its_last_updates_evidence_and_safe_state(
    garden: Garden,
    talking: VirtualModule,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
) -> None:
    entry = await garden.add_talking(talking)
    assert await garden.press(hass_admin_user) is None
    page = await Page.open(hass_ws_client, type="esp_ota/module/subscribe", module=entry.entry_id)
    (past,) = page.known["history"]["past"]
    assert (past["verdict"], past["before"], past["version"]) == ("verified", "1.0.0", "1.1.0")
    assert past["who"] == hass_admin_user.name
    assert past["stages"].keys() >= {"making_safe", "sending", "restarting", "restoring"}
    assert sum(past["stages"].values()) == pytest.approx(past["seconds"], abs=1.5)
    (said,) = (one for one in page.known["evidence"]["said"] if one["source"] == "txt")
    assert said["version"] == "1.1.0"
    assert abs(said["at"] - time.time()) < 60
    assert page.known["equipment"]["safe_state"]["actions"][0]["action"].endswith("turn_off")
    facts = page.known["facts"]
    assert (facts["chip"], facts["versions"], facts["host"]) == ("esp8266", ["1.1.0"], "127.0.0.1")
    assert page.known["live"] == {"points": [], "total": None}


@pytest.mark.slow
async def test_the_library_tells_who_would_miss_a_release(
    garden: Garden, talking: VirtualModule, hass_ws_client: WebSocketGenerator
) -> None:
    await garden.add_talking(talking)
    old = await garden.release("1.0.0")
    page = await Page.open(hass_ws_client, type="esp_ota/library/subscribe")
    assert page.known[old.image.sha256]["runs_on"] == ["garden-valve"]
    new = next(item for item in garden.house.library.releases if item.version == "1.1.0")
    assert page.known[new.image.sha256]["runs_on"] == []

    await garden.install()
    await page.knows(new.image.sha256, runs_on=["garden-valve"])
    await page.knows(old.image.sha256, runs_on=[], goes_back=["garden-valve"])

    await garden.house.library.async_remove(old.image.sha256)
    while old.image.sha256 in page.known:
        await page.told()
