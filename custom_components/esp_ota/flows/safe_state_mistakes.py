"""What is wrong with a safe state that was typed, whoever it is for."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import (
    CONF_ACTIONS,
    CONF_CONDITIONS,
    CONF_INHIBIT,
    CONF_RESTORE,
    CONF_RESTORE_CONDITIONS,
    CONF_STABLE,
    CONF_TIME_LIMIT,
)
from ..equipment import Conditions, any_of_several, async_validate_actions, enabled, sweeps
from ..ota import as_text

_SEQUENCES: Final = (CONF_ACTIONS, CONF_RESTORE)
_CONDITIONS: Final = (CONF_INHIBIT, CONF_CONDITIONS, CONF_RESTORE_CONDITIONS)


def says_anything(said: Mapping[str, Any]) -> bool:
    """Whether there is anything in it."""
    return any(said.get(key) for key in (*_SEQUENCES, *_CONDITIONS))


async def async_mistakes(
    hass: HomeAssistant,
    said: Mapping[str, Any],
    placeholders: dict[str, str],
    *,
    is_needed: bool,
) -> dict[str, str]:
    """Return what is wrong with it, by field; `error` among the placeholders says more."""
    mistakes = {}
    for key in (*_SEQUENCES, *_CONDITIONS):
        try:
            await _async_validate(hass, key, said.get(key, []))
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            mistakes[key] = "invalid_sequence"
            placeholders["error"] = as_text(err)
    if is_needed and not enabled(said.get(CONF_CONDITIONS, [])):
        mistakes[CONF_CONDITIONS] = "no_condition"
    for key in _CONDITIONS:
        if sweeps(said.get(key, [])):
            mistakes[key] = "sweeps"
    for key in (CONF_CONDITIONS, CONF_RESTORE_CONDITIONS):
        if any_of_several(said.get(key, [])):
            mistakes[key] = "any_of_several"
    if any_of_several(said.get(CONF_INHIBIT, []), negated=True):
        mistakes[CONF_INHIBIT] = "all_of_several"
    if said[CONF_STABLE] >= said[CONF_TIME_LIMIT]:
        mistakes[CONF_STABLE] = "stable_too_long"
    return mistakes


async def _async_validate(hass: HomeAssistant, key: str, raw: list[Any]) -> None:
    """Check a copy as it will be used, so that mistakes show on the form."""
    if key in _SEQUENCES:
        await async_validate_actions(hass, raw)
    else:
        (await Conditions.load(hass, raw)).unload()
