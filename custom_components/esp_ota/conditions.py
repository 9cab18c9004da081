"""Conditions as a person types them: loaded, read back, and checked for what can never say no."""

from collections.abc import Mapping
from copy import deepcopy
import logging
from typing import Any, Final, Self, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition, config_validation as cv
from homeassistant.helpers.typing import ConfigType

# A missing entity would be logged at every look; the refusal names it once.
_QUIET: Final = logging.getLogger(__name__)
_QUIET.setLevel(logging.ERROR)

_GROUPS: Final = ("and", "or", "not")


class Conditions:
    """Conditions that must all be true, each with a name for the person."""

    def __init__(self, named: list[tuple[str, condition.ConditionsChecker]]) -> None:
        """Take loaded conditions; they are unloaded by `unload`."""
        self._named = named

    @classmethod
    async def load(cls, hass: HomeAssistant, raw: list[Any], name: str) -> Self:
        """Load conditions; raises vol.Invalid, HomeAssistantError or ValueError.

        The raw ones are left as they are, for storing: validators put objects into them.
        """
        named: list[tuple[str, condition.ConditionsChecker]] = []
        try:
            for number, item in enumerate(raw, 1):
                checked = await condition.async_validate_conditions_config(
                    hass, cv.CONDITIONS_SCHEMA([deepcopy(item)])
                )
                checker = await condition.async_conditions_from_config(
                    hass, cast("list[ConfigType]", checked), _QUIET, name
                )
                named.append((_name(number, item), checker))
        except BaseException:
            cls(named).unload()
            raise
        return cls(named)

    def unmet(self, variables: Mapping[str, Any]) -> list[str]:
        """Return the names of the conditions that are not true right now."""
        return [
            name
            for name, checker in self._named
            if checker.async_check(variables=dict(variables)) is not True
        ]

    def unload(self) -> None:
        """Let go of what the conditions listen to."""
        for _, checker in self._named:
            checker.async_unload()


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


def any_of_several(conditions: list[Any]) -> bool:
    """Whether a condition on several targets is content with any one of them.

    That is what the editor makes of "the valve is closed" for two valves or an area: it is true
    while the other valve is open.
    """
    for item in conditions:
        if not isinstance(item, Mapping):
            continue
        options = item.get("options") or {}
        behavior = options.get("behavior", "any") if isinstance(options, Mapping) else "any"
        if behavior == "any" and _has_several(item.get("target")):
            return True
        if any_of_several(_members(item) or []):
            return True
    return False


def _has_several(target: Any) -> bool:
    if not isinstance(target, Mapping):
        return False
    if any(target.get(key) for key in ("device_id", "area_id", "floor_id", "label_id")):
        return True  # one today, two once somebody adds a valve there
    return len(cv.ensure_list(target.get("entity_id"))) > 1


def _members(item: Mapping[str, Any]) -> list[Any] | None:
    """Return the conditions inside a group, None for a condition that is none."""
    for group in _GROUPS:
        if group in item:
            return cv.ensure_list(item[group])
        if item.get("condition") == group:
            return cv.ensure_list(item.get("conditions"))
    return None
