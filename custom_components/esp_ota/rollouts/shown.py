"""How rollouts stand, flat and in few words: what a page shows and keeps up to date."""

from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..ota import waves_of
from .note import counts, states_of, terms_of
from .rollout import Rollout
from .selection import card_of

_LEFT_OUT: Final = "left_out"
"""How a module stands that takes no part."""


def standing(rollout: Rollout) -> dict[str, Any]:
    """Return how far a rollout has come."""
    note, progress = rollout.note, rollout.progress
    versions = {member["version"] for member in note["members"]}
    return {
        **{name: progress[name] for name in ("firmware", "wave", "waves", "modules")},
        # `newest` is mostly the same one for all.
        "version": versions.pop() if len(versions) == 1 else note["version"],
        "state": note["state"],
        "began": note["began"],
        "ended": note["ended"],
        "rest_ends": note["rest_ends"],
        "counts": counts(note["members"]),
    }


def modules_of(hass: HomeAssistant, rollout: Rollout) -> list[dict[str, Any]]:
    """Return its modules in their order, then those that take no part."""
    note = rollout.note
    found: list[dict[str, Any]] = []
    for wave, places in enumerate(waves_of(terms_of(note["terms"]), states_of(note))):
        for place in places:
            member = note["members"][place]
            entry = hass.config_entries.async_get_entry(member["entry_id"])
            found.append(
                {
                    "wave": wave,
                    "module": entry.title if entry else member["module"],
                    "entity": card_of(hass, entry) if entry else None,
                    "from": member["before"],
                    "to": member["version"],
                    "state": member["state"],
                    "sentence": member.get("sentence"),
                    "seconds": member.get("seconds"),
                }
            )
    for left in note["left_out"]:
        told = {"module": left["module"], "sentence": left["sentence"]}
        found.append({"wave": None, "state": _LEFT_OUT, "seconds": None} | told)
    return found
