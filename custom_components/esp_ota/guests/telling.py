"""How an update of a guest is told: log, logbook, event and repairs, in the words of all others."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..house import House
from ..modules import Press, async_outcome, async_tell
from ..ota import InstallResult
from .guest import Guest

_IN_REPORT: Final = 5
"""Updates of a guest that a report tells of."""


async def async_told(hass: HomeAssistant, guest: Guest, press: Press, result: InstallResult) -> str:
    """Tell how it ended, and keep that; return the sentence."""
    outcome = await async_outcome(hass, guest.title, press, result)
    device = guest.device
    async_tell(hass, guest, device.id if device else None, outcome)
    guest.house.history.async_add(guest.entry_id, outcome.past({}))
    return outcome.sentence


async def async_learn(guest: Guest, press: Press, result: InstallResult) -> None:
    """Keep what runs now, for a rollout that a crash has kept from hearing how it ended."""
    if result.verdict.is_success:
        await guest.house.journal.async_remember(
            guest.entry_id, {"version": press.version, "firmware": press.firmware, "assumed": False}
        )


def history_of(house: House, key: str) -> list[dict[str, Any]]:
    """Return how the last updates of a guest ended, the last one first."""
    return [
        {
            "ended": dt_util.utc_from_timestamp(past["ended"]).isoformat(),
            "from": past["before"],
            "to": past["version"],
            "verdict": past["verdict"],
            "cause": past["cause"],
            "sentence": past["sentence"],
        }
        for past in house.history.of(key)[:_IN_REPORT]
    ]
