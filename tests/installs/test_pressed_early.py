"""Who presses before Home Assistant has started, with an install of another life left open."""

import pytest

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState
from tests.installs.test_recovery import crashed
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CLOSED_AND_OPENED, Garden, options_for, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", ["making_safe", "queued"])
async def test_what_was_left_open_is_not_forgotten_for_who_presses_before_it_is_picked_up(
    garden: Garden, start_module: StartModule, stage: str
) -> None:
    module = await start_module()
    entry = entry_for(module, options=options_for())
    await crashed(garden, entry, stage, started="2126-11-01T12:00:00+00:00")
    garden.hass.set_state(CoreState.starting)
    await garden.add(entry)

    await garden.refused("install_running")
    note = garden.house.journal.open_install(entry.entry_id)
    assert note is not None
    assert note["stage"] == stage

    garden.hass.set_state(CoreState.running)
    garden.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    if stage == "making_safe":
        garden.assert_at_rest(entry, CLOSED_AND_OPENED)
    else:
        assert module.running_version == "1.1.0"
