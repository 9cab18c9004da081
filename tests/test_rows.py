"""What one module makes Home Assistant's recorder write: a row for each state that changes."""

from collections import Counter
from typing import Any

import pytest

from homeassistant.core import Event, HomeAssistant, callback
from tests.kit.entries import StartModule
from tests.kit.garden import CARD, Garden

MOST = 50
"""Rows of one module on any day."""


def rows_of(hass: HomeAssistant) -> Counter[str]:
    """Return what counts from now on; the recorder has a row for each `state_changed`."""
    rows: Counter[str] = Counter()

    @callback
    def changed(event: Event[Any]) -> None:
        if "garden_valve" in event.data["entity_id"]:
            rows[event.data["entity_id"]] += 1

    hass.bus.async_listen("state_changed", changed)
    return rows


@pytest.mark.slow
async def test_a_day_with_an_update_and_a_restart_writes_few_rows(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True)
    await garden.release("1.2.0", size=900 * 1024)
    entry = await garden.add_talking(module)
    rows = rows_of(garden.hass)

    await garden.install()
    await garden.hass.async_block_till_done()
    update = rows.total()
    percents = [percent for _, percent, _ in garden.shown if percent is not None]
    assert percents[-1] == 100
    assert all(isinstance(percent, int) for percent in percents)
    assert 10 < len(percents) <= 21
    assert update - rows[CARD] == 4  # how it ended, the event, and "Cancel" that comes and goes

    await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.hass.async_block_till_done()
    restart = rows.total() - update
    assert restart <= 2 * 6  # each entity goes and comes back
    assert update + restart < MOST
