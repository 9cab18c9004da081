"""Whether a module that only asks for updates is there, over hours, reloads and restarts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.ota import PullLimits
from homeassistant.core import HomeAssistant
from tests.kit.asking import Asker, ask, poller
from tests.kit.garden import Garden
from tests.kit.hours import Hours, running_clock
from tests.modules.test_presence import last_seen, shown, states_of

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def clock() -> Iterator[TickingDateTimeFactory]:
    """Let the clock leap, from before Home Assistant starts."""
    with running_clock() as clock:
        yield clock


@pytest.fixture
def hours(clock: TickingDateTimeFactory, hass: HomeAssistant) -> Hours:
    """Let time pass."""
    return Hours(hass, clock)


@pytest.fixture
async def entry(garden: Garden, asker: Asker) -> MockConfigEntry:
    """Add a module that asks with the secret of the house, and is waited for as in a house."""
    garden.house.patience = replace(garden.house.patience, pull=PullLimits())
    return await garden.add(poller())


async def ask_hourly(asker: Asker, hours: Hours, times: int) -> None:
    """Ask now, and again after each hour."""
    for _ in range(times):
        assert (await ask(asker))[0] == 304
        await hours.go_on(60, step=300.0)


async def test_a_module_that_asks_each_hour_is_there_all_day_and_gone_after_three_hours(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    seen = states_of(garden.hass)

    await ask_hourly(asker, hours, 6)
    assert seen == ["on"]

    await hours.go_on(110, step=300.0)
    assert seen == ["on"]
    await hours.go_on(15, step=300.0)
    assert seen == ["on", "off"]
    await ask(asker)
    assert seen == ["on", "off", "on"]


async def test_one_that_asks_each_minute_is_gone_after_ten(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    for _ in range(5):
        await ask(asker)
        await hours.go_on(1)
    seen = states_of(garden.hass)

    await hours.go_on(8)
    assert seen == []
    await hours.go_on(2)
    assert seen == ["off"]


async def test_nobody_says_of_one_that_asked_once_how_often_it_asks(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    seen = states_of(garden.hass)
    await ask(asker)

    await hours.go_on(60, step=300.0)
    assert seen == ["on"]
    await hours.go_on(10, step=300.0)
    assert seen == ["on", "unknown"]
    await hours.go_on(24 * 60, step=900.0)
    assert seen == ["on", "unknown", "off"]


async def test_one_that_is_added_days_after_the_start_and_has_not_asked_yet_is_not_gone(
    garden: Garden, asker: Asker, hours: Hours
) -> None:
    garden.house.patience = replace(garden.house.patience, pull=PullLimits())
    await hours.go_on(3 * 24 * 60, step=6 * 3600.0)
    entry = await garden.add(poller())
    seen = states_of(garden.hass)

    assert shown(garden.hass) == "unknown"
    await hours.go_on(60, step=300.0)
    await garden.hass.config_entries.async_reload(entry.entry_id)
    assert "off" not in seen
    await hours.go_on(25 * 60, step=900.0)
    assert shown(garden.hass) == "off"


async def test_a_reload_takes_nothing_from_a_module_that_asks_each_hour(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    await ask_hourly(asker, hours, 3)
    before = last_seen(garden.hass)
    seen = states_of(garden.hass)

    for _ in range(3):
        await garden.hass.config_entries.async_reload(entry.entry_id)
        await hours.go_on(30, step=300.0)
    assert set(seen) == {"on"}
    assert last_seen(garden.hass) == before

    await hours.go_on(35, step=300.0)  # three hours after it asked last
    assert shown(garden.hass) == "off"
    await garden.hass.config_entries.async_reload(entry.entry_id)
    assert shown(garden.hass) == "off"


async def test_a_restart_takes_nothing_from_a_module_that_asks_each_hour(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    await ask_hourly(asker, hours, 3)
    seen = states_of(garden.hass)

    await hours.restart(garden.house, entry, minutes=20)
    await hours.go_on(40, step=300.0)
    await ask_hourly(asker, hours, 3)
    assert set(seen) == {"on"}
    await hours.go_on(130, step=300.0)
    assert shown(garden.hass) == "off"


async def test_one_that_died_before_a_restart_is_gone_after_it(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    await ask_hourly(asker, hours, 3)
    seen = states_of(garden.hass)

    await hours.restart(garden.house, entry, minutes=20)
    await hours.go_on(185, step=300.0)

    assert seen == ["on", "off"]


async def test_while_nobody_listens_nobody_is_silent(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    await ask_hourly(asker, hours, 3)
    seen = states_of(garden.hass)

    await hours.restart(garden.house, entry, minutes=20 * 60)
    assert seen == ["unknown"]
    await hours.go_on(20, step=300.0)
    await ask_hourly(asker, hours, 5)

    assert seen == ["unknown", "on"]


async def test_what_is_remembered_is_not_written_at_each_request(
    garden: Garden, asker: Asker, entry: MockConfigEntry, hours: Hours
) -> None:
    writes = 0
    stored = garden.house.memory._store._content

    def count() -> dict[str, Any]:
        nonlocal writes
        writes += 1
        return stored()

    garden.house.memory._store._content = count
    for _ in range(120):
        await ask(asker)
        await hours.go_on(1, step=60.0)

    assert 7 <= writes <= 9
