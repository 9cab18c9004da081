"""A MAC that one module has is learnt by no other one, by whatever way; none loses its place."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import CONF_MAC, DOMAIN
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType
from tests.house.test_outliving import delete
from tests.kit.adding import MAC, announcement, assert_aborted, discover
from tests.kit.asking import OWN, PATH, SECRET, Asker, ask, house, poller
from tests.kit.garden import Garden

ELSEWHERE = "127.0.0.9"


@pytest.fixture
async def asker(garden: Garden, hass_client_no_auth: ClientSessionGenerator) -> Asker:
    """Return what asks; the house has a secret."""
    await garden.add(house())
    return await hass_client_no_auth()


def owner(**changes: Any) -> MockConfigEntry:
    """Return a module that is known by its name, and learnt its MAC later."""
    return poller(OWN, unique_id="garden-valve", **changes)


def other(**changes: Any) -> MockConfigEntry:
    return poller(**{"mac": None, "name": "pump", "unique_id": "pump"} | changes)


@pytest.mark.parametrize("name", ["pump", None], ids=["by its name", "by its address"])
async def test_no_announcement_teaches_a_module_the_mac_of_another(
    garden: Garden, name: str | None
) -> None:
    entry, pump = owner(), other(unique_id=name, host=ELSEWHERE)
    for one in (entry, pump):
        one.add_to_hass(garden.hass)

    result = await discover(garden.hass, announcement("pump", host=ELSEWHERE, mac=MAC))

    assert_aborted(result, "already_configured")
    assert (entry.data[CONF_MAC], pump.data[CONF_MAC]) == (MAC, None)
    assert (entry.unique_id, pump.unique_id) == ("garden-valve", name)


async def test_a_new_name_with_the_mac_of_a_module_is_no_new_module(garden: Garden) -> None:
    owner().add_to_hass(garden.hass)

    result = await discover(garden.hass, announcement("pump", host=ELSEWHERE, mac=MAC))

    assert_aborted(result, "already_configured")


async def test_a_form_that_waited_adds_nobody_whose_mac_another_one_has_learnt(
    garden: Garden,
) -> None:
    card = await discover(garden.hass, announcement("pump", host=ELSEWHERE, mac=MAC))
    assert card["type"] is FlowResultType.FORM
    owner().add_to_hass(garden.hass)

    answer = {"equipment": "nothing"}
    result = await garden.hass.config_entries.flow.async_configure(card["flow_id"], answer)

    assert_aborted(result, "already_configured")


async def test_no_request_teaches_a_module_the_mac_of_one_that_is_disabled(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(owner(host=ELSEWHERE))
    disabled = ConfigEntryDisabler.USER
    await garden.hass.config_entries.async_set_disabled_by(entry.entry_id, disabled)
    pump = await garden.add(other())

    assert (await ask(asker))[0] == 404
    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
    assert pump.data[CONF_MAC] is None
    assert garden.hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_two_that_were_stored_with_one_mac_only_whose_it_is_may_ask(
    garden: Garden, asker: Asker, caplog: pytest.LogCaptureFixture, is_first: bool
) -> None:
    """It is whose id it is, else who was there first, and not who is loaded first."""
    entry = owner() if is_first else poller(OWN, unique_id=MAC)
    both = (entry, other(mac=MAC)) if is_first else (other(mac=MAC), entry)
    for one in both:
        one.add_to_hass(garden.hass)
    for one in reversed(both):
        if one.state is ConfigEntryState.NOT_LOADED:
            assert await garden.hass.config_entries.async_setup(one.entry_id)
    await garden.hass.async_block_till_done()

    for _ in range(2):
        assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
        assert (await ask(asker, f"{PATH}/{SECRET}"))[0] == 404
        await garden.hass.config_entries.async_reload(both[0].entry_id)
    assert "garden-valve may not ask: another module has its MAC" in caplog.text

    await delete(garden, entry)
    assert (await ask(asker, f"{PATH}/{SECRET}"))[0] == 304
