"""Five hundred presses at once, as "Update all" makes them, only fill the queue."""

from itertools import pairwise

import pytest

from custom_components.esp_ota.const import EVENT_UPDATE_ENDED
from homeassistant.core import callback
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience, until
from tests.kit.yard import Yard
from tests.virtual_module import Seen

MANY, AREAS, LIMIT = 500, 50, 8
BEGUN = 24
WAITS = {"checking", "queued"}


def overlapping(spans: list[tuple[float, float]]) -> int:
    """Return how many spans cover one moment at most."""
    ends = sorted([(end, -1) for _, end in spans] + [(start, 1) for start, _ in spans])
    most = now = 0
    for _, step in ends:
        now += step
        most = max(most, now)
    return most


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_update_all_of_five_hundred_fills_the_queue(
    garden: Garden, start_module: StartModule
) -> None:
    # An answer that a busy loop gives or reads late is no absence.
    waits = {"quick_probe": 4.0, "go": 60.0, "back": 60.0}
    garden.house.patience = patience(evidence=0.1, breath=0.1, **waits)
    yard = Yard(garden, start_module)
    await yard.open(parallel_installs=LIMIT)
    names = [f"m{number:03}" for number in range(MANY)]
    for number, name in enumerate(names):
        # Away for so long that a busy loop finds it gone.
        await yard.add(name, area=f"Area {number % AREAS}", offline_time=250.0)
    ended: list[str] = []
    garden.hass.bus.async_listen(
        EVENT_UPDATE_ENDED, callback(lambda event: ended.append(event.data["module"]))
    )
    pressed = yard.press(*names)
    await until(lambda: int(yard.queue["length"]) >= MANY - LIMIT, 120)
    assert len(yard.queue["waiting"]) == 20
    assert yard.queue["more"] >= MANY - LIMIT - 20
    assert len(str(yard.queue)) < 4096
    await until(lambda: len(ended) >= BEGUN, 120)
    # From behind and some at a time: all at once would stop the loop for longer than a restart.
    while waiting := [name for name in names if yard.shown(name)["stage"] in WAITS]:
        await yard.act("cancel", *waiting[-50:])
    told = await pressed
    await garden.hass.async_block_till_done()

    assert set(told) == {"done", "cancelled"}
    updated = [name for name in names if yard.running(name) == "1.1.0"]
    assert told.count("done") == len(updated) >= BEGUN
    assert yard.garden.house.queue.waiting == []
    spans = {
        name: (module.events.last(Seen.INVITED).time, module.events.last(Seen.BACK).time)
        for name, module in yard.modules.items()
        if name in updated
    }
    assert overlapping(list(spans.values())) <= LIMIT
    for area in range(AREAS):
        inside = sorted(spans[name] for name in names[area::AREAS] if name in spans)
        assert all(one[1] <= two[0] for one, two in pairwise(inside))
