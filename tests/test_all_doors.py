"""Every door there is, counted: no action, command or view is left out of the rule of who may."""

from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.esp_ota.const import DOMAIN
from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule
from tests.kit.garden import CARD, UNTOUCHED, Garden, assert_nothing_sent
from tests.kit.guests import calls, card, move_in

HALL = {"entity_id": card("hall")}
VALVE = {"entity_id": CARD}
ACTIONS: dict[str, dict[str, Any]] = {
    "add_firmware": {"url": "http://127.0.0.1:9/valve.bin"},
    "remove_firmware": {"firmware": "garden-valve", "version": "1.1.0"},
    "install": VALVE,
    "cancel": VALVE,
    "rollback": VALVE,
    "move_in_queue": VALVE | {"place": 1},
    "pin": VALVE | {"version": "1.0.0"},
    "hold": VALVE | {"until": "2099-01-01T00:00:00"},
    "set_channel": VALVE | {"channel": "beta"},
    "update_guests": HALL | {"guest_equipment": "nothing"},
    "plan_rollout": {"firmware": "garden-valve"},
    "start_rollout": {"firmware": "garden-valve"},
    "pause_rollout": {},
    "resume_rollout": {},
    "cancel_rollout": {},
    "rollout_report": {},
}
_FOR_ALL = {
    "/esp_ota_page/": "the files of the page, which hold no secret",
    "/api/esp_ota/pull": "modules, which have a secret",
    "/api/esp_ota/pull/{secret}": "modules, which have a secret",
}


@pytest.fixture(params=[GROUP_ID_USER, GROUP_ID_READ_ONLY, "entities"])
async def person(garden: Garden, request: pytest.FixtureRequest) -> MockUser:
    """Return somebody without administrator rights; one has each right over the entities."""
    user = MockUser(name="Ben")
    if request.param == "entities":
        user.mock_policy({"entities": True})
    else:
        user.groups.append(await garden.hass.auth.async_get_group(request.param))
    return user.add_to_hass(garden.hass)


async def test_no_action_works_for_who_is_no_administrator(
    garden: Garden, start_module: StartModule, person: MockUser
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    await move_in(garden.hass, {"name": "hall"})
    services = garden.hass.services.async_services_for_domain(DOMAIN)
    assert set(services) == set(ACTIONS)
    options = dict(entry.options)

    for action, data in ACTIONS.items():
        answers = services[action].supports_response.value == "only"
        with pytest.raises(Unauthorized):
            await garden.hass.services.async_call(
                DOMAIN,
                action,
                data,
                blocking=True,
                return_response=answers,
                context=Context(user_id=person.id),
            )

    assert calls() == []
    assert dict(entry.options) == options
    assert [item.version for item in garden.house.library.releases] == ["1.1.0"]
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_a_script_sends_no_firmware_for_who_may_not(
    garden: Garden, start_module: StartModule, person: MockUser
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)
    scripts = {
        name: {"sequence": [{"action": action, "target": VALVE}]}
        for name, action in (("ours", f"{DOMAIN}.install"), ("card", "update.install"))
    }
    assert await async_setup_component(garden.hass, "script", {"script": scripts})
    for name in scripts:
        with pytest.raises(Unauthorized):
            await garden.hass.services.async_call(
                "script", name, {}, blocking=True, context=Context(user_id=person.id)
            )
    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_no_command_of_the_page_answers_who_is_no_administrator(
    hass: HomeAssistant,
    esp_ota: None,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    socket = await hass_ws_client(hass, hass_read_only_access_token)
    commands = [name for name in hass.data["websocket_api"] if name.startswith(f"{DOMAIN}/")]
    assert len(commands) >= 6
    for name in commands:
        await socket.send_json_auto_id({"type": name, "module": "none", "rollout": "none"})
        answer = await socket.receive_json()
        if answer["error"]["code"] == "invalid_format":
            await socket.send_json_auto_id({"type": name} | _wanted(name))
            answer = await socket.receive_json()
        assert (answer["success"], answer["error"]["code"]) == (False, "unauthorized"), name


def _wanted(name: str) -> dict[str, str]:
    """Return the one field that a command needs."""
    kind = name.split("/")[1]
    return {kind: "none"} if kind in {"module", "rollout"} else {}


async def test_no_view_answers_who_is_nobody(
    hass: HomeAssistant, esp_ota: None, hass_client_no_auth: ClientSessionGenerator
) -> None:
    client = await hass_client_no_auth()
    found = {
        resource.canonical
        for resource in hass.http.app.router.resources()
        if "esp_ota" in resource.canonical
    }
    closed = {path for path in found if not path.startswith(tuple(_FOR_ALL))}
    assert closed == {"/api/esp_ota/firmware"}
    for path in closed:
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = await client.request(method, path)
            assert answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.METHOD_NOT_ALLOWED}
