"""How the bytes of an install came along: few points, however long it takes."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from custom_components.esp_ota.installs.chronicle import Chronicle
from custom_components.esp_ota.modules.state import ModuleState
from custom_components.esp_ota.ota import InstallProgress, InstallStage


class Shown:
    """Stands for a coordinator: what it shows, and who is told."""

    def __init__(self) -> None:
        self.data = ModuleState()
        self.told: Any = None

    def async_add_listener(self, listener: Any) -> None:
        self.told = listener

    def show(self, stage: InstallStage | None, sent: int = 0) -> None:
        progress = InstallProgress(stage=stage, sent=sent, total=10**7) if stage else None
        self.data = ModuleState(progress=progress)
        self.told()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr("time.monotonic", lambda: now.seconds)
    return now


def test_a_plot_has_few_points_however_long_it_takes(clock: SimpleNamespace) -> None:
    shown = Shown()
    chronicle = Chronicle(shown)  # type: ignore[arg-type]
    shown.show(InstallStage.SENDING)
    for step in range(1, 10_001):
        clock.seconds += 0.1
        shown.show(InstallStage.SENDING, step * 1000)
    points = chronicle.points
    assert 30 <= len(points) <= 60
    assert points[0] == (0.0, 1000)
    assert points[-1][0] > 900
    # The same speed all the way: what was left out bends nothing.
    assert all(sent - 1000 == pytest.approx(at * 10_000) for at, sent in points)
    pauses = {round(b[0] - a[0], 1) for a, b in pairwise(points)}
    assert max(pauses) <= 2 * min(pauses)


def test_what_is_sent_anew_is_drawn_anew(clock: SimpleNamespace) -> None:
    shown = Shown()
    chronicle = Chronicle(shown)  # type: ignore[arg-type]
    for sent in (1000, 2000, 500, 900):
        clock.seconds += 1
        shown.show(InstallStage.SENDING, sent)
    assert chronicle.points == [(0.0, 500), (1.0, 900)]


def test_stages_are_timed_and_forgotten_after_the_end(clock: SimpleNamespace) -> None:
    shown = Shown()
    chronicle = Chronicle(shown)  # type: ignore[arg-type]
    for stage, seconds in (("checking", 1), ("queued", 2), ("checking", 3), ("sending", 4)):
        shown.show(InstallStage(stage))
        clock.seconds += seconds
    assert chronicle.stages == {"checking": 4.0, "queued": 2.0, "sending": 4.0}
    shown.show(None)
    assert chronicle.stages == {}
