"""The house's own safe state, which modules may share."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import Context
from tests.kit.entries import StartModule, entry_for
from tests.kit.equipment import is_free, taken
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    SAFE_STATE,
    UNTOUCHED,
    Garden,
    assert_nothing_sent,
    patience,
    until,
)
from tests.kit.steps import IRRIGATING, VALVE_OPEN, WHILE_IRRIGATING
from tests.virtual_module import VirtualModule

# The house's


async def add_house(garden: Garden, **safe_state: Any) -> MockConfigEntry:
    """Give the house a safe state."""
    configured = dict(SAFE_STATE) | safe_state
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house"},
        options={"safe_state": configured} if safe_state.get("conditions", True) else {},
    )
    return await garden.add(entry)


HOUSE_DOES = {"firmware": "garden-valve", "equipment": "house"}


@pytest.mark.slow
async def test_a_module_may_do_as_the_house_does(garden: Garden, module: VirtualModule) -> None:
    await add_house(garden)
    entry = await garden.add(entry_for(module, options=HOUSE_DOES))

    await garden.install()

    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_the_houses_safe_state_refuses_as_a_modules_own(
    garden: Garden, module: VirtualModule
) -> None:
    garden.hass.states.async_set(IRRIGATING, "on")
    await add_house(garden, inhibit=[WHILE_IRRIGATING])
    entry = await garden.add(entry_for(module, options=HOUSE_DOES))

    await garden.refused("inhibited")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.parametrize("house", [False, True], ids=["no entry", "nothing set up"])
async def test_a_house_without_a_safe_state_refuses(
    garden: Garden, module: VirtualModule, house: bool
) -> None:
    if house:
        await add_house(garden, conditions=[])
    entry = await garden.add(entry_for(module, options=HOUSE_DOES))

    await garden.refused("house_safe_state_missing")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


async def test_the_houses_safe_state_does_not_stand_in_for_a_missing_one(
    garden: Garden, module: VirtualModule
) -> None:
    await add_house(garden)
    entry = await garden.add(entry_for(module, options=HOUSE_DOES | {"equipment": "switches"}))

    await garden.refused("safe_state_missing")

    assert_nothing_sent(module)
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_modules_that_share_the_houses_safe_state_are_in_it_one_after_the_other(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.release("1.1.0")
    await add_house(garden)
    modules = [await start_module(loop_time=5, hostname=name) for name in ("one", "two")]
    for module in modules:
        name = module.config.hostname
        service = f"{name}._arduino._tcp.local."
        await garden.add(
            entry_for(module, options=HOUSE_DOES, unique_id=name, name=name, service_name=service)
        )
    cards = [state.entity_id for state in garden.hass.states.async_all("update")]
    assert len(cards) == 2

    await asyncio.gather(
        *(
            garden.hass.services.async_call("update", "install", {"entity_id": card}, blocking=True)
            for card in cards
        )
    )

    assert [module.running_version for module in modules] == ["1.1.0", "1.1.0"]
    # Never opened by the first to end while the other still counted on it.
    assert garden.valve == CLOSED_AND_OPENED * 2


async def test_who_waits_for_the_house_and_is_cancelled_restores_nothing(
    garden: Garden, module: VirtualModule
) -> None:
    await add_house(garden)
    await garden.add(entry_for(module, options=HOUSE_DOES))
    with taken(garden.hass):
        install = asyncio.create_task(
            garden.hass.services.async_call(
                "update", "install", {"entity_id": CARD}, blocking=True, context=Context()
            )
        )
        await until(lambda: garden.card.attributes["waits_for"] == "Greenhouse")
        await garden.hass.services.async_call(DOMAIN, "cancel", {"entity_id": CARD}, blocking=True)
        with pytest.raises(Exception, match="cancelled"):
            await install

    assert garden.valve == UNTOUCHED
    assert_nothing_sent(module)
    assert is_free(garden.hass)


@pytest.mark.slow
async def test_the_house_is_free_again_after_an_update_that_failed(
    garden: Garden, module: VirtualModule
) -> None:
    garden.house.patience = patience(evidence=0.1)
    await add_house(garden, conditions=[VALVE_OPEN], time_limit=0.3)
    entry = await garden.add(entry_for(module, options=HOUSE_DOES))

    await garden.refused("safe_state_not_confirmed")

    assert is_free(garden.hass)
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
