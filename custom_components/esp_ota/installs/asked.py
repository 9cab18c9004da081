"""What a rollout asks of an install that it begins, or that was queued before a restart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..house import InstallNote
from ..ota import Priority, Reason
from .run import InstallRun


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a rollout asks of an install."""

    rollout: str
    """Its id."""
    priority: Priority
    ways: list[str] | None
    """The transports that may be used, None for all."""
    window: dict[str, Any] | None
    """One that has to be open beside the module's own."""
    gate: Callable[[], Reason | None]
    """Returns why it may not begin, although it is its turn."""
    on_end: Callable[[InstallRun], None]
    """Called when it has ended, or was put aside."""
    on_over: Callable[[bool], None]
    """Called with True when its turn is over, and with False when it goes on waiting."""

    def put_into(self, install_run: InstallRun) -> None:
        """Have it hold, after a restart as well."""
        install_run.turn.priority = self.priority
        install_run.turn.gate = self.gate
        install_run.turn.on_over = self.on_over
        install_run.turn.on_leave = lambda: self.on_end(install_run)
        install_run.note["rollout"] = self.rollout
        if self.ways is not None:
            install_run.note["ways"] = self.ways
        if self.window is not None:
            install_run.note["window"] = self.window


type Claims = Callable[[str, str], Asked | None]
"""Returns what a rollout asks of an install of its that goes on after a restart or a reload (id of
the rollout, entry id); None where it does not want it any more."""
CLAIMS: Final[HassKey[Claims]] = HassKey(f"{DOMAIN}_claims")


def claimed(hass: HomeAssistant, entry_id: str, note: InstallNote, run: InstallRun) -> bool:
    """Have the rollout that an install belongs to watch over it again.

    Return False where there is one that does not want it any more, or is not known.
    """
    if (rollout := note.get("rollout")) is None:
        return True
    claims = hass.data.get(CLAIMS)
    if claims is None or (asked := claims(rollout, entry_id)) is None:
        return False
    asked.put_into(run)
    return True
