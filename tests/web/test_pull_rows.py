"""A module that asks each minute makes the recorder write next to nothing."""

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.kit.asking import Asker, ask, poller
from tests.kit.garden import Garden
from tests.test_rows import rows_of


@pytest.mark.slow
async def test_a_module_that_asks_each_minute_for_hours_writes_next_to_nothing(
    garden: Garden, asker: Asker, freezer: FrozenDateTimeFactory
) -> None:
    await garden.add(poller())
    rows = rows_of(garden.hass)
    for _ in range(6 * 60):
        freezer.tick(60)
        async_fire_time_changed(garden.hass)
        assert (await ask(asker))[0] == 304
    await garden.hass.async_block_till_done()
    assert rows.keys() <= {"binary_sensor.garden_valve_reachable"}  # it is there, and says so
    assert rows.total() <= 6
