"""The long form of a safe state: its sections, and where its mistakes are shown.

A form shows no mistakes inside of a section, but above each: there they are said, and the section
is open.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.data_entry_flow import section
from homeassistant.helpers import selector

from ..const import (
    CONF_ACTIONS,
    CONF_CONDITIONS,
    CONF_INHIBIT,
    CONF_RESTORE,
    CONF_RESTORE_CONDITIONS,
    CONF_STABLE,
    CONF_TIME_LIMIT,
    CONF_WHEN_MISSING,
    DEFAULT_STABLE,
    DEFAULT_TIME_LIMIT,
    MISSING_RESTORE,
    MISSING_STAY_SAFE,
)
from .selectors import RawConditionSelector, choice, seconds

SECTIONS: Final[Mapping[str, Mapping[vol.Marker, Any]]] = {
    "before": {
        vol.Optional(CONF_ACTIONS): selector.ActionSelector(),
        vol.Optional(CONF_CONDITIONS): RawConditionSelector(),
    },
    "afterwards": {
        vol.Optional(CONF_RESTORE): selector.ActionSelector(),
        vol.Optional(CONF_RESTORE_CONDITIONS): RawConditionSelector(),
        vol.Required(CONF_WHEN_MISSING, default=MISSING_RESTORE): choice(
            [MISSING_RESTORE, MISSING_STAY_SAFE], CONF_WHEN_MISSING
        ),
    },
    "bounds": {
        vol.Optional(CONF_INHIBIT): RawConditionSelector(),
        vol.Required(CONF_TIME_LIMIT, default=DEFAULT_TIME_LIMIT): seconds(3600),
        vol.Required(CONF_STABLE, default=DEFAULT_STABLE): seconds(600),
    },
}
_FIRST: Final = "before"
_WITHIN: Final = {str(field): name for name, fields in SECTIONS.items() for field in fields}


def form(
    above: Mapping[vol.Marker, Any], below: Mapping[vol.Marker, Any], mistakes: Iterable[str]
) -> vol.Schema:
    """Return the form: the first section open, and each that has a mistake."""
    marked = {_FIRST, *mistakes}
    parts = {
        vol.Required(name): section(vol.Schema(dict(fields)), {"collapsed": name not in marked})
        for name, fields in SECTIONS.items()
    }
    return vol.Schema({**above, **parts, **below})


def in_sections(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a safe state as the form has them."""
    parts: dict[str, Any] = {name: {} for name in SECTIONS}
    for field, value in said.items():
        (parts[_WITHIN[field]] if field in _WITHIN else parts)[field] = value
    return parts


def out_of_sections(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form says, without its sections."""
    flat = {field: value for field, value in said.items() if field not in SECTIONS}
    for name in SECTIONS:
        flat |= said.get(name, {})
    return flat


def by_section(mistakes: Mapping[str, str]) -> dict[str, str]:
    """Return mistakes of fields where they can be seen; of several in a section the first."""
    shown: dict[str, str] = {}
    for field, mistake in mistakes.items():
        shown.setdefault(_WITHIN.get(field, field), mistake)
    return shown
