"""What a page is told of guests: in the queue beside our modules, and in a rollout."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.guests import calls, card, guests_of, key_of, move_in, update_guests
from tests.kit.page import Page
from tests.kit.rolling import ended, start
from tests.kit.yard import Yard

pytestmark = pytest.mark.slow

QUEUE = "esp_ota/queue/subscribe"


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    return Yard(garden, start_module)


async def test_guests_and_modules_that_wait_stand_in_one_queue(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open(parallel_installs=0)
    await yard.add("valve")
    await move_in(yard.hass, {"name": "lamp", "flashing": 1.0, "blocks": True}, {"name": "gate"})
    page = await Page.open(hass_ws_client, type=QUEUE)
    assert page.known == {}
    task = asyncio.ensure_future(update_guests(yard.garden, "lamp", "gate"))
    await until(lambda: yard.queue["length"] == "2")
    pressed = yard.press("valve")
    gate, lamp = key_of(yard.hass, "gate"), key_of(yard.hass, "lamp")
    valve = yard.entries["valve"].entry_id
    await page.knows(gate, name="gate", entity=card("gate"), stage="queued", place=1)
    await page.knows(lamp, name="lamp", entity=card("lamp"), stage="queued", place=2)
    await page.knows(valve, name="valve", entity=yard.card("valve"), stage="queued", place=3)
    assert page.known[lamp]["waits"].startswith("In queue: number 2")

    await yard.hass.services.async_call(
        "esp_ota", "move_in_queue", {"entity_id": card("lamp"), "place": 1}, blocking=True
    )
    await page.knows(lamp, place=1)
    await page.knows(gate, place=2)

    await yard.set(parallel_installs=1)
    while page.known:
        await page.told(15.0)
    assert [name for name, _ in calls()] == ["lamp", "gate"]
    assert {line["verdict"] for line in (await task).values()} == {"verified"}
    assert await pressed == ["done"]
    stages = {
        news.get("stage") for told in page.messages for news in told.get("changed", {}).values()
    }
    assert {"queued", "sending"} <= stages


async def test_a_page_that_is_opened_late_knows_who_waits_and_nobody_is_followed_after_it(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open(parallel_installs=0)
    await move_in(yard.hass, {"name": "lamp"})
    task = asyncio.ensure_future(update_guests(yard.garden, "lamp"))
    await until(lambda: yard.queue["length"] == "1")
    before = len(guests_of(yard.hass)._listeners)
    page = await Page.open(hass_ws_client, type=QUEUE)
    assert [line["name"] for line in page.known.values()] == ["lamp"]
    assert len(guests_of(yard.hass)._listeners) == before + 1
    await page.close()
    await until(lambda: len(guests_of(yard.hass)._listeners) == before)
    await yard.set(parallel_installs=1)
    await task


async def test_a_rollout_tells_what_its_guests_and_modules_do(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open(parallel_installs=1)
    await yard.add("valve")
    await move_in(yard.hass, {"name": "lamp", "flashing": 1.5, "blocks": True})
    key = (
        await start(
            yard,
            guests={"entity_id": [card("lamp")]},
            guest_equipment="nothing",
            canaries=[card("lamp")],
        )
    )["rollout"]
    page = await Page.open(hass_ws_client, type="esp_ota/rollout/subscribe", rollout=key)
    assert [item["module"] for item in page.known.values()] == ["lamp", "valve"]
    assert page.known["0"]["entity"] == card("lamp")
    await page.knows("0", state="begun", stage="sending")
    await page.knows("0", state="updated", stage=None, waits=None, percent=None)
    await page.knows("1", state="updated", stage=None)
    await ended(yard)
    told = [told.get("changed", {}) for told in page.messages]
    percents = [change["0"].get("percent") for change in told if "0" in change]
    assert any(percents), percents
    assert any("1" in change and change["1"].get("stage") for change in told)
