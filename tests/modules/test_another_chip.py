"""A board of another chip has the module's name now, and does not say what it runs."""

from typing import Any

import pytest

from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden, options_for, until

pytestmark = pytest.mark.slow


async def test_what_the_board_before_it_ran_is_not_shown_of_it(
    garden: Garden, start_module: StartModule
) -> None:
    new = firmware("3.0.0", "esp32")
    module = await start_module(chip="esp32", advertise=True, txt_firmware=False, image=new)
    entry = entry_for(module, options=options_for())
    assert entry.data["board"] == "nodemcuv2"
    known: Any = {"version": "1.1.0", "firmware": "garden-valve", "assumed": True}
    await garden.house.journal.async_remember(entry.entry_id, known)

    await garden.add(entry)

    await until(lambda: entry.data["board"] != "nodemcuv2")
    await garden.hass.async_block_till_done()
    assert garden.card.attributes["installed_version"] == "unknown"
