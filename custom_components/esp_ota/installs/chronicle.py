"""What happened when in the installs of a module: the running one, and those before it.

It follows what everybody is shown, whoever began the install or picked it up after a crash.
"""

import time
from typing import Final

from homeassistant.core import callback

from ..modules import ModuleCoordinator, Outcome
from ..ota import InstallProgress, InstallStage

_MOST_POINTS: Final = 60
"""A plot is no wider than a phone; when it is full, every other point goes."""
_APART: Final = 0.5
"""Seconds between two points at the beginning."""


class Chronicle:
    """Of one module."""

    def __init__(self, coordinator: ModuleCoordinator) -> None:
        """Follow the module for as long as there is anything to be told of it.

        An install that outlives its entry ends in here as well.
        """
        self._coordinator = coordinator
        self._told: Outcome | None = None
        self._apart = _APART
        self._began = self._since = 0.0
        self.since = 0.0
        """When the stage began that it is in (seconds since the epoch)."""
        self._stage: InstallStage | None = None
        self._seconds: dict[str, float] = {}
        self.points: list[tuple[float, int]] = []
        """Bytes that the module has taken, by the seconds since the first one of this image."""
        coordinator.async_add_listener(self._look)

    @property
    def stages(self) -> dict[str, float]:
        """The seconds that the install was in each stage so far."""
        seconds = dict(self._seconds)
        if self._stage is not None:
            now = time.monotonic()
            seconds[self._stage] = round(seconds.get(self._stage, 0.0) + now - self._since, 1)
        return seconds

    @callback
    def _look(self) -> None:
        data = self._coordinator.data
        if data.progress is not None:
            self._take(data.progress)
        if data.outcome is not None and data.outcome is not self._told:
            self._told = data.outcome
            self._keep(data.outcome)
        if data.progress is None:
            self._stage, self._seconds, self.points = None, {}, []

    def _take(self, progress: InstallProgress) -> None:
        if progress.stage is not self._stage:
            self._seconds = self.stages
            self._stage, self._since = progress.stage, time.monotonic()
            self.since = round(time.time(), 1)
        if progress.stage is InstallStage.SENDING and progress.sent:
            self._note(progress.sent)

    def _note(self, sent: int) -> None:
        """Keep how far it is; what is sent anew begins anew."""
        now = time.monotonic()
        if not self.points or sent < self.points[-1][1]:
            self._began, self._apart, self.points = now, _APART, []
        seconds = round(now - self._began, 1)
        if self.points and seconds - self.points[-1][0] < self._apart:
            return
        self.points.append((seconds, sent))
        if len(self.points) >= _MOST_POINTS:
            self.points = self.points[::2]
            self._apart *= 2

    def _keep(self, outcome: Outcome) -> None:
        entry = self._coordinator.config_entry
        self._coordinator.house.history.async_add(entry.entry_id, outcome.past(self.stages))
