"""Whether a module is there: only where it says so by itself, and never asked."""

from datetime import timedelta
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.virtual_module import ModuleConfig, Seen, VirtualModule

REACHABLE = "binary_sensor.garden_valve_reachable"


def shown(hass: HomeAssistant) -> str | None:
    state = hass.states.get(REACHABLE)
    return state.state if state else None


async def add_heard(garden: Garden, entry: MockConfigEntry) -> None:
    await garden.add(entry)
    await until(lambda: shown(garden.hass) == "on")


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


@pytest.mark.parametrize(
    ("changes", "minutes"),
    [
        ({"service_name": "garden-valve._arduino._tcp.local."}, 80),
        ({"service_name": None, "transports": ["http_pull"], "mac": "5c:cf:7f:a1:b2:c3"}, 10),
    ],
    ids=["announces", "asks for updates"],
)
async def test_a_module_that_falls_silent_is_gone_when_it_must_have_been_heard(
    garden: Garden,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    minutes: int,
) -> None:
    caplog.set_level(logging.INFO)
    hass = garden.hass
    entry = await garden.add(module_entry(**changes))
    coordinator = entry.runtime_data.coordinator

    async def after(minutes: float) -> str | None:
        freezer.tick(timedelta(minutes=minutes))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        return shown(hass)

    coordinator._seen()
    assert await after(minutes - 1) == "on"
    coordinator._seen()
    assert await after(minutes - 1) == "on"
    assert await after(1.1) == "off"
    assert caplog.text.count("garden-valve is not heard any more") == 1

    freezer.tick(1)
    coordinator._seen()
    assert await after(0) == "on"
    assert caplog.text.count("garden-valve is heard again") == 1


def module_entry(**changes: Any) -> MockConfigEntry:
    """Return an entry of a module that nobody switched on."""
    return entry_for(VirtualModule(ModuleConfig()), **changes)


async def test_before_a_module_is_heard_nobody_knows(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.add(entry_for(module))

    assert shown(garden.hass) == "unknown"
    assert module.events.names() == [Seen.UP]  # and it was not asked


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
