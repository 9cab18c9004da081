"""What a page is told of rollouts: how each stands, its modules, and only what changes."""

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.esp_ota.rollouts import ROLLOUTS
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.page import Page
from tests.kit.rolling import act, ended, start
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Fault


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    return Yard(garden, start_module)


async def test_a_rollout_that_nobody_knows_is_not_told(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open()
    socket = await hass_ws_client()
    await socket.send_json_auto_id({"type": "esp_ota/rollout/subscribe", "rollout": "none"})
    answer = await socket.receive_json()
    assert (answer["success"], answer["error"]["code"]) == (False, "not_found")


@pytest.mark.slow
async def test_a_rollout_is_told_wave_by_wave_by_small_changes(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open()
    await yard.add("a", "b", "c")
    await yard.add("other", options=NOTHING | {"firmware": "greenhouse"})
    overview = await Page.open(hass_ws_client, type="esp_ota/rollouts/subscribe")
    assert overview.known == {}
    cards = [yard.card(name) for name in ("a", "b", "c", "other")]
    key = (await start(yard, entity_id=cards, waves=["1"]))["rollout"]
    await overview.knows(key, state="running", firmware="garden-valve", modules=3, ended=None)

    page = await Page.open(hass_ws_client, type="esp_ota/rollout/subscribe", rollout=key)
    told = [(item["wave"], item["module"]) for item in page.known.values()]
    assert told == [(0, "a"), (1, "b"), (2, "c"), (None, "other")]
    assert page.known["0"]["entity"] == yard.card("a")
    assert "another firmware" in page.known["3"]["sentence"]

    for at, name in enumerate("abc"):
        await page.knows(str(at), state="updated")
        assert page.known[str(at)]["sentence"].startswith(f"{name} is back")
        assert page.known[str(at)]["seconds"] is not None
    changes = [news for told in page.messages[1:] for news in told["changed"].values()]
    assert all(not news.keys() & {"module", "entity", "from", "to"} for news in changes)
    assert not any("3" in told["changed"] for told in page.messages[1:])
    await overview.knows(key, state="done", wave="2")
    assert overview.known[key]["counts"]["updated"] == 3
    assert overview.known[key]["ended"] is not None


@pytest.mark.slow
async def test_a_pause_and_what_waits_for_its_rest_are_told(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open()
    await yard.add("a", "b")
    key = (await start(yard, soak={"hours": 1}))["rollout"]
    page = await Page.open(hass_ws_client, type="esp_ota/rollouts/subscribe")
    while page.known[key]["rest_ends"] is None:
        await page.told(30.0)
    assert page.known[key]["counts"] | {"updated": 1, "waits": 1} == page.known[key]["counts"]
    await act(yard, "pause_rollout")
    await page.knows(key, state="paused")
    await act(yard, "cancel_rollout")
    await page.knows(key, state="cancelled")


@pytest.mark.slow
async def test_a_rollout_that_is_forgotten_goes_from_the_page(
    yard: Yard, hass_ws_client: WebSocketGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.rollouts.rollouts._KEPT", 0)
    await yard.open()
    await yard.add("a", "b", faults=[Fault.BUSY])
    first = (await start(yard, entity_id=[yard.card("a")]))["rollout"]
    await ended(yard)
    overview = await Page.open(hass_ws_client, type="esp_ota/rollouts/subscribe")
    page = await Page.open(hass_ws_client, type="esp_ota/rollout/subscribe", rollout=first)
    second = (await start(yard, entity_id=[yard.card("b")]))["rollout"]
    while first in overview.known or page.known:
        await (overview if first in overview.known else page).told()
    assert second in overview.known
    await ended(yard)


@pytest.mark.slow
async def test_nobody_follows_a_rollout_after_the_page_is_closed(
    yard: Yard, hass_ws_client: WebSocketGenerator
) -> None:
    await yard.open()
    await yard.add("a")
    key = (await start(yard))["rollout"]
    rollouts = yard.hass.data[ROLLOUTS]
    before = len(rollouts._listeners)
    page = await Page.open(hass_ws_client, type="esp_ota/rollout/subscribe", rollout=key)
    assert len(rollouts._listeners) == before + 1
    await page.close()
    await until(lambda: len(rollouts._listeners) == before)
    await ended(yard)
