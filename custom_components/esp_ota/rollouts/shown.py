"""How rollouts stand, flat and in few words: what a page shows and keeps up to date."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..ota import waves_of
from ..owners import guest_entity_id, is_guest
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


def modules_of(hass: HomeAssistant, rollout: Rollout) -> list[tuple[str | None, dict[str, Any]]]:
    """Return its modules and guests in their order, each with its key, then who takes no part."""
    note = rollout.note
    found: list[tuple[str | None, dict[str, Any]]] = []
    for wave, places in enumerate(waves_of(terms_of(note["terms"]), states_of(note))):
        for place in places:
            member = note["members"][place]
            key = member["entry_id"]
            entry = hass.config_entries.async_get_entry(key)
            told = {
                "wave": wave,
                "module": entry.title if entry else member["module"],
                "entity": _entity_of(hass, key, entry),
                "from": member["before"],
                "to": member["version"],
                "state": member["state"],
                "sentence": member.get("sentence"),
                "seconds": member.get("seconds"),
            }
            found.append((key, told))
    for left in note["left_out"]:
        told = {"module": left["module"], "sentence": left["sentence"]}
        found.append((None, {"wave": None, "state": _LEFT_OUT, "seconds": None} | told))
    return found


def _entity_of(hass: HomeAssistant, key: str, entry: ConfigEntry | None) -> str | None:
    """Return the update entity of a module or a guest, None for a module that was removed."""
    if is_guest(key):
        return guest_entity_id(hass, key)
    return card_of(hass, entry) if entry else None
