"""A clock that is set makes nothing look older, or safe for longer, than it is."""

from datetime import timedelta
import time
from types import SimpleNamespace

import pytest

from custom_components.esp_ota.equipment.clock import Clock
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.equipment.test_said_anew import VALVE, safe_state

PLACE = "custom_components.esp_ota.equipment"


class Wall:
    """A clock on the wall that somebody sets, beside one that nobody can."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set_by = self.passed = 0.0
        self._began = time.monotonic()
        clocks = SimpleNamespace(time=self.time, monotonic=self.monotonic)
        monkeypatch.setattr(f"{PLACE}.clock.time", clocks)
        monkeypatch.setattr(f"{PLACE}.conditions.dt_util", SimpleNamespace(utcnow=self.utcnow))

    def time(self) -> float:
        return time.time() + self.set_by + self.passed

    def monotonic(self) -> float:
        return time.monotonic() + self.passed

    def utcnow(self) -> object:
        return dt_util.utcnow() + timedelta(seconds=self.set_by + self.passed)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 0.6])
def test_a_clock_that_was_set_is_believed_again_once_it_ran_evenly(
    monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    wall = Wall(monkeypatch)
    clock = Clock()
    assert clock.ran_evenly_for(3.0)
    wall.set_by = jump
    assert not clock.ran_evenly_for(3.0)
    wall.passed = 2.9
    assert not clock.ran_evenly_for(3.0)
    wall.passed = 3.1
    assert clock.ran_evenly_for(3.0)


def test_a_clock_that_only_goes_is_not_taken_for_set(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    clock = Clock()
    for _ in range(100):
        wall.passed += 86_400
        assert clock.ran_evenly_for(600.0)


@pytest.mark.slow
async def test_an_hour_that_the_clock_jumped_is_no_stable_time(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = Wall(monkeypatch)
    monkeypatch.setattr(f"{PLACE}.conditions.CLOCK", Clock())
    hass.services.async_register("test", "move", lambda _call: None)
    hass.states.async_set(VALVE, "closed")
    wall.set_by = 3600.0
    begun = time.monotonic()

    await safe_state(hass, stable=1, time_limit=60).enter()

    assert time.monotonic() - begun >= 1
