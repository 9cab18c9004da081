"""An entry is reloaded right after the send, while its module is yet to restart."""

import asyncio
from typing import Any

import pytest

from tests.installs.test_doubt import ASSUMED, NOBODY_KNOWS, add_assumed, shown
from tests.kit.entries import StartModule, firmware
from tests.kit.garden import CLOSED_AND_OPENED, Garden, until
from tests.virtual_module import Fault, Seen

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("config", "waits", "cause", "told"),
    [
        ({"faults": [Fault.NO_RESTART]}, {"go": 1.5}, "no_result", NOBODY_KNOWS),
        ({"faults": [Fault.NEVER_BACK]}, {"back": 2.0}, "did_not_come_back", NOBODY_KNOWS),
        ({}, {}, None, ("1.2.0", True)),
    ],
    ids=["it stays", "it goes, and does not come back", "it goes, and comes back"],
)
async def test_it_is_waited_until_it_has_gone(
    garden: Garden,
    start_module: StartModule,
    config: dict[str, Any],
    waits: dict[str, float],
    cause: str | None,
    told: tuple[str, bool],
) -> None:
    """The old sketch answers for a second after its OK: that is no return."""
    module = await start_module(image=firmware("1.1.0"), time_scale=1.0, offline_time=3.0, **config)
    entry = await garden.add(await add_assumed(garden, module, **waits))
    assert shown(garden) == ASSUMED
    pressed = asyncio.create_task(garden.press())
    await garden.at("restarting")
    assert not module.events.count_of(Seen.RESTARTED)

    assert await garden.hass.config_entries.async_reload(entry.entry_id)

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    await pressed
    assert garden.card.attributes["last_cause"] == cause
    assert shown(garden) == told
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
