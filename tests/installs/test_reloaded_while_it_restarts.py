"""An entry is reloaded right after the send, while its module is yet to restart."""

import asyncio
from typing import Any

import pytest

from tests.installs.test_doubt import ASSUMED, NOBODY_KNOWS, add_assumed, shown
from tests.kit.entries import StartModule, firmware
from tests.kit.garden import CLOSED_AND_OPENED, Garden, until
from tests.test_files_update import add_files
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


@pytest.mark.parametrize("files", [False, True], ids=["its sketch", "its files"])
async def test_one_that_had_gone_has_only_to_come_back(
    garden: Garden, start_module: StartModule, files: bool
) -> None:
    """It came back while nobody listened, and neither a silent sketch nor files say so."""
    module = await start_module(image=firmware("1.1.0"), time_scale=1.0, offline_time=4.0)
    entry = await garden.add(await add_assumed(garden, module, go=2.0, quick_probe=0.3))
    if files:
        await add_files(garden, "1.2.0")
    pressed = asyncio.create_task(garden.install_files() if files else garden.press())
    await module.wait_for(Seen.RESTARTED)
    await asyncio.sleep(2.5)
    assert not module.events.count_of(Seen.BACK)
    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    await until(lambda: module.events.count_of(Seen.BACK))

    assert await garden.hass.config_entries.async_setup(entry.entry_id)

    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    await garden.hass.async_block_till_done()
    await asyncio.gather(pressed, return_exceptions=True)
    assert garden.card.attributes["last_verdict"] == "unverified"
    assert shown(garden) == (ASSUMED if files else ("1.2.0", True))
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)
