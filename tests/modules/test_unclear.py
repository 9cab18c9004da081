"""Words that may be of another board: the module is asked, and not without end."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant
from tests.kit.air import NAME
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.hours import Hours, running_clock
from tests.modules.test_presence import die, questions

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def clock() -> Iterator[TickingDateTimeFactory]:
    """Let the clock leap, from before Home Assistant starts."""
    with running_clock() as clock:
        yield clock


@pytest.fixture
def hours(clock: TickingDateTimeFactory, hass: HomeAssistant) -> Hours:
    return Hours(hass, clock)


async def test_a_silent_module_is_asked_no_more_than_that_either(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not calm, ever: each text without an address made it be asked."""
    entry = await garden.add(entry_for(await start_module()))
    await hours.go_on(1)
    asked = questions(garden, monkeypatch)
    for _ in range(20):
        entry.runtime_data.coordinator.presence.async_unclear()
        await hours.go_on(seconds=15, step=5.0)
    assert len(asked) < 13


async def test_a_module_is_not_looked_for_twice_at_once(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is off takes two probes of three seconds."""
    module = await start_module(advertise=True)
    entry = await garden.add(entry_for(module))
    presence: Any = entry.runtime_data.coordinator.presence
    await until(lambda: presence._was_heard)
    await hours.go_on(1)
    await die(module)
    running, most, ask = 0, 0, type(presence)._ask

    async def counted(self: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await ask(self)
        finally:
            running -= 1

    async def nobody(_address: object) -> bool:
        await asyncio.sleep(6)
        return False

    monkeypatch.setattr(presence._speech.moves, "is_alive", nobody)
    monkeypatch.setattr(type(presence), "_ask", counted)
    for _ in range(14):
        presence.async_unclear()
        await asyncio.sleep(1)
    assert most == 1


async def test_somebody_who_says_half_of_it_all_the_time_makes_us_ask_five_times_more(
    garden: Garden, start_module: StartModule, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each quarter of an hour, with growing pauses."""
    entry = await garden.add(entry_for(await start_module(advertise=True)))
    coordinator = entry.runtime_data.coordinator
    await hours.go_on(1)
    asked = questions(garden, monkeypatch)

    for _ in range(60):
        coordinator.presence.async_unclear()
        await hours.go_on(1)

    assert 5 < len(asked) < 40
    gaps = [later - sooner for sooner, later in pairwise(asked)]
    assert max(gaps) > timedelta(minutes=5)
    assert garden.house.announcements.claims(NAME)
