"""So many installs at once, and no more because an entry was reloaded."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
import random
from typing import Any

import pytest

from custom_components.esp_ota.const import CONF_PARALLEL
from custom_components.esp_ota.house.turns import Turns
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for


async def at_once(turns: AbstractAsyncContextManager[Any], count: int) -> list[int]:
    """Return how many held a turn whenever one was taken."""
    held, seen = 0, []

    async def install() -> None:
        nonlocal held
        async with turns:
            held += 1
            seen.append(held)
            await asyncio.sleep(0.001)
            held -= 1

    await asyncio.gather(*(install() for _ in range(count)))
    return seen


async def test_no_more_than_the_limit_run_at_once_and_all_come_to_their_turn() -> None:
    seen = await at_once(Turns(3), 20)
    assert (max(seen), len(seen)) == (3, 20)


async def test_who_comes_first_is_served_first() -> None:
    turns, order = Turns(1), []

    async def install(number: int) -> None:
        async with turns:
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(install(number) for number in range(10)))
    assert order == list(range(10))


async def test_a_limit_that_grows_lets_in_who_waits_and_one_that_shrinks_takes_from_nobody() -> (
    None
):
    turns, inside, leave = Turns(1), [], asyncio.Event()

    async def install(number: int) -> None:
        async with turns:
            inside.append(number)
            await leave.wait()

    tasks = [asyncio.create_task(install(number)) for number in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert inside == [0]
    turns.limit = 3
    await asyncio.sleep(0)
    assert inside == [0, 1, 2]
    turns.limit = 1
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert inside == [0, 1, 2]
    leave.set()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
    await asyncio.wait(tasks)
    assert inside == [0, 1, 2, 3]
    assert max(await at_once(turns, 5)) == 1


async def test_whoever_is_cancelled_leaves_no_turn_taken() -> None:
    rng = random.Random(12)
    for _ in range(200):
        turns = Turns(2)

        async def install(turns: Turns = turns) -> None:
            async with turns:
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(install()) for _ in range(8)]
        for _ in range(rng.randrange(6)):
            await asyncio.sleep(0)
            rng.choice(tasks).cancel()
        await asyncio.wait(tasks)
        assert turns._running == 0
        assert not turns._waiting


@pytest.mark.slow
async def test_reloading_the_entry_of_the_library_lifts_no_limit(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(), options=options_for()))
    await garden.hass.async_block_till_done()
    entry = garden.house.entry
    assert entry is not None
    garden.hass.config_entries.async_update_entry(entry, options={CONF_PARALLEL: 1})
    await garden.hass.config_entries.async_reload(entry.entry_id)
    second = asyncio.Event()

    async def install() -> None:
        async with garden.house.turn():
            second.set()

    async with garden.house.turn():
        waiting = asyncio.create_task(install())
        await garden.hass.config_entries.async_reload(entry.entry_id)
        another = asyncio.create_task(install())
        await asyncio.sleep(0.01)
        assert not second.is_set()
    await asyncio.gather(waiting, another)
