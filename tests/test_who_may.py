"""Firmware is sent and equipment is moved by administrators, and by Home Assistant itself."""

import asyncio
from http import HTTPStatus

import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.issues import async_raise_module_issue
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.core import Context
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule
from tests.kit.garden import CARD, CLOSED_AND_OPENED, UNTOUCHED, Garden, assert_nothing_sent, until

CANCEL, ROLL_BACK = "button.garden_valve_cancel_update", "button.garden_valve_roll_back"
DOORS = {
    "update": ("update", "install", CARD),
    "button roll back": ("button", "press", ROLL_BACK),
    "button cancel": ("button", "press", CANCEL),
    "action roll back": (DOMAIN, "rollback", CARD),
    "action cancel": (DOMAIN, "cancel", CARD),
}


@pytest.fixture
async def person(garden: Garden) -> MockUser:
    """Return somebody of the household, who may switch everything but is no administrator."""
    group = await garden.hass.auth.async_get_group(GROUP_ID_USER)
    return MockUser(name="Ben", groups=[group]).add_to_hass(garden.hass)


async def call(garden: Garden, door: str, context: Context) -> None:
    domain, action, entity = DOORS[door]
    await garden.hass.services.async_call(
        domain, action, {"entity_id": entity}, blocking=True, context=context
    )


@pytest.mark.slow
@pytest.mark.parametrize("door", [door for door in DOORS if "button" not in door])
async def test_every_door_answers_unauthorized_to_who_is_no_administrator(
    garden: Garden, start_module: StartModule, person: MockUser, door: str
) -> None:
    module = await start_module()
    entry = await garden.add_valve(module)

    with pytest.raises(Unauthorized):
        await call(garden, door, Context(user_id=person.id))
    with pytest.raises(UnknownUser):
        await call(garden, door, Context(user_id="somebody who was deleted"))

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_somebody_of_the_household_does_not_end_the_update_of_an_administrator(
    garden: Garden, start_module: StartModule, person: MockUser
) -> None:
    entry = await garden.add_valve(await start_module(offline_time=8))
    install = asyncio.create_task(garden.install())
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    with pytest.raises(Unauthorized):
        await call(garden, "button cancel", Context(user_id=person.id))

    await install
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_deleting_who_pressed_does_not_keep_the_equipment_shut_off(
    garden: Garden, start_module: StartModule, hass_admin_user: MockUser
) -> None:
    entry = await garden.add_valve(await start_module(offline_time=8))
    pressed = asyncio.create_task(call(garden, "update", Context(user_id=hass_admin_user.id)))
    await until(lambda: garden.card.attributes["stage"] == "restarting")

    await garden.hass.auth.async_remove_user(hass_admin_user)

    await pressed
    assert garden.card.attributes["last_verdict"] == "unverified"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_forms_and_repairs_are_open_to_administrators_only(
    garden: Garden,
    start_module: StartModule,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Home Assistant sees to it; who relies upon that wants to know when it changes."""
    assert await async_setup_component(garden.hass, "repairs", {})
    assert await async_setup_component(garden.hass, "config", {})
    entry = await garden.add_valve(await start_module())
    fix = {"sha256": "0" * 64}
    async_raise_module_issue(garden.hass, entry.entry_id, "offered_twice", {}, fix=fix)
    client = await hass_client(hass_read_only_access_token)

    for path, said in (
        (
            "/api/repairs/issues/fix",
            {"handler": DOMAIN, "issue_id": f"offered_twice_{entry.entry_id}"},
        ),
        ("/api/config/config_entries/options/flow", {"handler": entry.entry_id}),
        (
            "/api/config/config_entries/subentries/flow",
            {"handler": [entry.entry_id, "manifest"]},
        ),
    ):
        answer = await client.post(path, json=said)
        assert answer.status == HTTPStatus.UNAUTHORIZED, path
