"""Wraps the updates of guests, so that each named point of them is told."""

import functools
from typing import Any

from custom_components.esp_ota.guests import guests, telling
from custom_components.esp_ota.guests.run import GuestRun
from custom_components.esp_ota.ota.guest.step import GuestStep

from .wraps import MODULE, Reach, Wraps


def install_guests(wraps: Wraps, reach: Reach) -> None:
    """Wrap everything, once per process."""
    _on_start(reach)
    wraps.around(telling, "async_tell", "before_tell", "after_tell")
    wraps.around(GuestRun, "_install", before="before_call", after="after_call")
    wraps.around(GuestRun, "pick_up", before="guest_picked_up")
    wraps.around(GuestStep, "_prove", before="proof_awaited", after="guest_proven")


def _on_start(reach: Reach) -> None:
    """Let all that an update starts belong to its guest, whoever begins it."""
    original = guests.Guests._start

    @functools.wraps(original)
    def start(this: Any, run: Any, work: Any) -> None:
        token = MODULE.set(run.guest.title)
        try:
            reach("begun" if run.stage == "checking" else "before_recover", MODULE.get())
            original(this, run, work)
        finally:
            MODULE.reset(token)

    setattr(guests.Guests, "_start", start)  # noqa: B010 - mypy knows it as a method
