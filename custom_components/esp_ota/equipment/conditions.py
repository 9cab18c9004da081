"""Conditions as a person types them: loaded, read back, and checked for what can never say no."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final, Self, cast

from homeassistant.const import ATTR_ASSUMED_STATE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition, config_validation as cv
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from .clock import CLOCK
from .condition_tree import GROUPS, Node, load

_INDIRECT: Final = ("device_id", "area_id", "floor_id", "label_id")


class Conditions:
    """Conditions that were loaded, each with a name for the person."""

    def __init__(self, hass: HomeAssistant, named: list[tuple[str, Node | None]]) -> None:
        """Take loaded conditions; they are unloaded by `unload`."""
        self._hass = hass
        self._named = named

    @classmethod
    async def load(cls, hass: HomeAssistant, raw: list[Any]) -> Self:
        """Load conditions; raises vol.Invalid, HomeAssistantError or ValueError.

        The raw ones are left as they are, for storing: validators put objects into them.
        """
        named: list[tuple[str, Node | None]] = []
        try:
            for number, item in enumerate(raw, 1):
                [checked] = await condition.async_validate_conditions_config(
                    hass, cv.CONDITIONS_SCHEMA([deepcopy(item)])
                )
                node = await load(hass, cast("ConfigType", checked))
                named.append((_name(number, item), node))
        except BaseException:
            cls(hass, named).unload()
            raise
        return cls(hass, named)

    def unmet(self, variables: Mapping[str, Any]) -> list[str]:
        """Return the names of the conditions that are not true right now, or cannot be told."""
        return self._but(variables, answer=True)

    def untrue(self, variables: Mapping[str, Any]) -> list[str]:
        """Return the names of the conditions that are certainly not true right now."""
        return [
            name
            for name, node in self._named
            if node is not None and node.read(variables)[0] is False
        ]

    def standing(self, variables: Mapping[str, Any]) -> list[str]:
        """Return the names of the conditions that are not false right now, or cannot be told."""
        return self._but(variables, answer=False)

    def _but(self, variables: Mapping[str, Any], *, answer: bool) -> list[str]:
        found = []
        for name, node in self._named:
            if node is not None:
                said, doubts = node.read(variables)
                if said is not answer:
                    why = ", ".join(dict.fromkeys(doubts))
                    found.append(f"{name} ({why})" if why else name)
        return found

    def entities(self, variables: Mapping[str, Any]) -> set[str]:
        """Return the entities that the answers rest on."""
        return {
            entity_id
            for _, node in self._named
            if node is not None
            for entity_id in node.entities(variables)
        }

    def assumed(self, variables: Mapping[str, Any]) -> list[str]:
        """Return the entities that repeat what they were told instead of what is so."""
        found = sorted(self.entities(variables))
        states = [self._hass.states.get(entity_id) for entity_id in found]
        return [
            state.entity_id
            for state in states
            if state is not None and state.attributes.get(ATTR_ASSUMED_STATE)
        ]

    def are_older_than(self, seconds: float) -> bool:
        """Whether it is known that none of the answers changed for that long."""
        if not CLOCK.ran_evenly_for(seconds):
            return False
        moment = dt_util.utcnow() - timedelta(seconds=seconds)
        return all(node.is_older_than(moment) for _, node in self._named if node is not None)

    def unload(self) -> None:
        """Let go of what the conditions listen to."""
        for _, node in self._named:
            if node is not None:
                node.unload()


def _name(number: int, item: Any) -> str:
    """Return what a person recognises a condition by."""
    if isinstance(item, Mapping):
        if alias := item.get("alias"):
            return str(alias)
        if entities := _entities(item):
            return ", ".join(entities)
    return f"condition {number}"


def _entities(item: Mapping[str, Any]) -> list[str]:
    target = item.get("target")
    found = target.get("entity_id") if isinstance(target, Mapping) else item.get("entity_id")
    return [str(entity) for entity in cv.ensure_list(found)]


def enabled(conditions: list[Any]) -> list[Any]:
    """Return the conditions that can say no: a disabled one, or an empty group, never does."""
    return [item for item in conditions if _can_say_no(item)]


def _can_say_no(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return True  # a template
    if item.get("enabled", True) is not True:
        return False
    members = _members(item)
    return members is None or bool(enabled(members))


def any_of_several(conditions: list[Any], *, negated: bool = False) -> bool:
    """Whether one of several targets decides where all of them have to be safe.

    That is what the editor makes of "the valve is closed" for two valves or an area: it is true
    while the other valve is open. Where a condition forbids something, inside "not" or because
    it inhibits, it is the other way round: "all are open" is false while one is.
    """
    for item in conditions:
        if not isinstance(item, Mapping):
            continue
        if _has_several(item) and _any_one(item) is not negated:
            return True
        inside = negated is not (_group(item) == "not")
        if any_of_several(_members(item) or [], negated=inside):
            return True
    return False


def _any_one(item: Mapping[str, Any]) -> bool:
    """Whether a condition on several is true as soon as one of them is as asked for."""
    if "target" not in item:
        return item.get("match") == "any"
    options = item.get("options")
    return not isinstance(options, Mapping) or options.get("behavior", "any") == "any"


def _has_several(item: Mapping[str, Any]) -> bool:
    target = item.get("target", item)
    if not isinstance(target, Mapping):
        return False
    if target is not item and any(target.get(key) for key in _INDIRECT):
        return True  # one today, two once somebody adds a valve there
    return len(_named(target) - _named(target.get("exclude"))) > 1


def _named(target: Any) -> set[str]:
    """Return the entities that a target names, or what it excludes."""
    found = target.get("entity_id") if isinstance(target, Mapping) else None
    return {str(entity) for entity in cv.ensure_list(found)}


def _group(item: Mapping[str, Any]) -> str | None:
    """Return which group a condition is, None for one that is none."""
    if isinstance(item.get("condition"), list):
        return "and"
    return next((kind for kind in GROUPS if kind in item or item.get("condition") == kind), None)


def _members(item: Mapping[str, Any]) -> list[Any] | None:
    """Return the conditions inside a group, None for a condition that is none."""
    if (group := _group(item)) is None:
        return None
    if isinstance(listed := item.get("condition"), list):
        return listed
    return cv.ensure_list(item[group] if group in item else item.get("conditions"))
