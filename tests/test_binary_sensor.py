"""Whether a module is there, as it is shown: only where it says something by itself."""

import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.virtual_module import ModuleConfig, VirtualModule

ASKS: Any = {"transports": ["http_pull"], "mac": "5c:cf:7f:a1:b2:c3"}
REACHABLE = "binary_sensor.garden_valve_reachable"


def shown(hass: HomeAssistant) -> str | None:
    state = hass.states.get(REACHABLE)
    return state.state if state else None


async def add_heard(garden: Garden, entry: MockConfigEntry) -> None:
    await garden.add(entry)
    # It is asked as well: an answer must not come after what a test does next.
    await until(lambda: entry.runtime_data.coordinator.presence._was_heard)
    assert shown(garden.hass) == "on"


@pytest.mark.slow
async def test_a_module_that_announces_itself_is_there_until_it_says_goodbye(
    garden: Garden, start_module: StartModule, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    module = await start_module(advertise=True)
    await add_heard(garden, entry_for(module))
    assert "is heard again" not in caplog.text

    advert = module._advert
    assert advert is not None
    assert advert._zeroconf is not None
    assert advert._info is not None
    await (await advert._zeroconf.async_unregister_service(advert._info))

    await until(lambda: shown(garden.hass) == "off")
    assert caplog.text.count("garden-valve is not heard any more") == 1


async def test_what_is_not_heard_any_more_and_heard_again_is_told_once(
    garden: Garden, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    entry = await garden.add(entry_for(VirtualModule(ModuleConfig()), service_name=None, **ASKS))
    presence = entry.runtime_data.coordinator.presence
    assert shown(garden.hass) == "unknown"

    for _ in range(2):
        presence.async_heard()
    assert shown(garden.hass) == "on"
    assert "heard" not in caplog.text
    for _ in range(2):
        presence.async_left()
    assert shown(garden.hass) == "off"
    assert caplog.text.count("garden-valve is not heard any more") == 1
    presence.async_heard()
    assert shown(garden.hass) == "on"
    assert caplog.text.count("garden-valve is heard again") == 1


async def test_a_module_that_never_says_anything_has_no_such_entity(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(), service_name=None))

    assert shown(garden.hass) is None


@pytest.mark.slow
async def test_an_unloaded_module_leaves_no_timer(
    garden: Garden, start_module: StartModule
) -> None:
    entry = entry_for(await start_module(advertise=True))
    await add_heard(garden, entry)

    assert await garden.hass.config_entries.async_unload(entry.entry_id)

    assert shown(garden.hass) == "unavailable"
