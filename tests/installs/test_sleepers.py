"""Many modules that sleep: nearly all are caught while they are awake for eight seconds."""

import asyncio
from collections import Counter
import os
import random

import pytest

from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.yard import NOTHING, Yard
from tests.virtual_module import Seen

LIMIT = 8
MANY = int(os.environ.get("SLEEPERS", "30"))
"""`script/bench sleepers` has a hundred, which take a machine that has nothing else to do."""
AWAKE = 8.0
SPREAD = float(os.environ.get("SPREAD", "40"))
"""Seconds within which all of them wake once; eight at once have to be enough for that."""


@pytest.mark.slow
@pytest.mark.timeout(240 + 4 * SPREAD)
async def test_of_many_sleepers_nearly_all_are_caught_when_they_wake_first(
    garden: Garden, start_module: StartModule
) -> None:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    yard = Yard(garden, start_module)
    await yard.open(parallel_installs=LIMIT)
    names = [f"s{number:02}" for number in range(MANY)]
    for name in names:
        options = {**NOTHING, "sleeps": True, "wake_entity": f"sensor.{name}"}
        # None of those that the system gives away, or somebody has it while the module sleeps.
        await yard.add(name, options=options, port=20000 + len(yard.modules))
        await yard.modules[name].power_off()
    pressed = yard.press(*names)
    queue = yard.garden.house.queue
    await until(lambda: len(queue) == MANY and not queue.running, 60)
    rng, late = random.Random(8), list[float]()

    async def wake(name: str) -> bool:
        """Be awake once; tell whether the update began meanwhile."""
        module = yard.modules[name]
        await asyncio.sleep(rng.uniform(0, SPREAD))
        await module.power_cycle()
        back = await module.wait_for(Seen.BACK)
        garden.hass.states.async_set(f"sensor.{name}", str(rng.random()))
        try:
            invited = await module.wait_for(Seen.INVITED, AWAKE)
        except TimeoutError:
            await module.power_off()
            return False
        late.append(invited.time - back.time)
        return True

    caught = sum(await asyncio.gather(*(wake(name) for name in names)))
    late.sort()
    print(f"\nsleepers_caught {100 * caught / MANY:.0f} percent of {MANY} in {SPREAD:.0f} s")
    print(f"sleepers_begun_median {late[len(late) // 2]:.2f} s after the sign of life")
    soon = sum(seconds <= 2.0 for seconds in late)
    print(f"sleepers_begun_within_2s {100 * soon / MANY:.0f} percent of {MANY}")
    print(f"sleepers_begun_max {late[-1]:.2f} s after the sign of life")
    assert caught >= 0.95 * MANY
    await until(lambda: not queue.running, 60)
    waiting = [name for name in names if yard.shown(name)["stage"] is not None]
    if waiting:
        await yard.act("cancel", *waiting)
    told = Counter(await pressed)
    assert told["done"] >= 0.95 * MANY, told
