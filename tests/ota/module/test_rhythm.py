"""How often a module asks, told from its last requests."""

import pytest

from custom_components.esp_ota.ota.module import Rhythm


def rhythm(*waits: float) -> Rhythm:
    found = Rhythm()
    at = 0.0
    found.asked(at)
    for wait in waits:
        at += wait
        found.asked(at)
    return found


@pytest.mark.parametrize(
    ("waits", "usual", "longest"),
    [
        ((), None, None),
        ((3600.0,), 3600.0, 3600.0),
        ((20.0, 3600.0), 1810.0, 3600.0),
        ((3600.0, 604_800.0, 3600.0), 3600.0, 3600.0),
        ((3600.0, 20.0, 3580.0, 3600.0), 3590.0, 3600.0),
        ((3.0, 3597.0, 3.0, 3597.0, 3.0), 3.0, 3597.0),
        ((0.4, 60.0, 0.4, 60.0), 60.0, 60.0),
        ((900_000.0,), None, None),
        ((3600.0,) * 9 + (60.0,) * 5, 60.0, 60.0),
    ],
    ids=["never", "hourly", "boot", "week off", "restart", "files", "at once", "clock", "faster"],
)
def test_the_wait_that_it_lets_pass_is_found(
    waits: tuple[float, ...], usual: float | None, longest: float | None
) -> None:
    found = rhythm(*waits)
    assert found.usual == pytest.approx(usual)
    assert found.longest == pytest.approx(longest)


def test_what_was_kept_goes_on_after_a_restart() -> None:
    found = Rhythm()
    found.restore([3600.0, 0.0, -5.0, 3600.0], -1800.0)
    found.asked(1800.0)
    assert found.waits == [3600.0, 3600.0, 3600.0]


def test_a_clock_that_was_set_back_tells_nothing() -> None:
    found = Rhythm()
    found.restore([], 1000.0)
    found.asked(10.0)
    found.asked(70.0)
    assert found.waits == [60.0]
