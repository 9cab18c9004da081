"""Words that may be of another board: the module is asked, and not without end."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from freezegun.api import TickingDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant
from tests.kit.air import NAME
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden
from tests.kit.hours import Hours, running_clock
from tests.modules.test_presence import questions

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def clock() -> Iterator[TickingDateTimeFactory]:
    """Let the clock leap, from before Home Assistant starts."""
    with running_clock() as clock:
        yield clock


@pytest.fixture
def hours(clock: TickingDateTimeFactory, hass: HomeAssistant) -> Hours:
    return Hours(hass, clock)


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
