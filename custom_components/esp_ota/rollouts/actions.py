"""The actions of rollouts, for administrators: planned, begun, paused, resumed, cancelled, told."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service

from ..const import DOMAIN, EQUIPMENT_HOUSE, EQUIPMENT_NOTHING, TRANSPORTS
from ..guests import history_of
from ..house import HOUSE
from ..ota import DAYS, Chip, ChipFamily
from .note import RolloutState, share_of
from .plan import async_shown
from .report import report
from .rollouts import ROLLOUTS
from .selection import NEWEST

_MOST: Final = 1000
_ALL: Final = 100
"""Percent."""
_UNREACHABLE_DAYS: Final = 30
"""Days in which a module that is there has certainly said something."""


def _share(value: Any) -> str:
    """Return `3` or `25%` as it is stored."""
    text = str(value).replace(" ", "")
    try:
        share = share_of(text)
    except (ValueError, OverflowError) as err:
        raise vol.Invalid("a number, or a percentage such as 25%") from err
    if share.is_percent and share.amount > _ALL:
        raise vol.Invalid("more than 100%")
    return text


def _size(value: Any) -> str:
    """Return the size of a wave, which is not nothing."""
    text = _share(value)
    if not share_of(text).amount:
        raise vol.Invalid("a wave has at least one module")
    return text


def _time(value: Any) -> str:
    """Return a time of day as it is stored."""
    return cv.time(value).isoformat()


_WINDOW: Final = vol.Schema(
    {
        vol.Required("start"): _time,
        vol.Required("end"): _time,
        vol.Optional("days", default=lambda: list(DAYS)): vol.All(
            cv.ensure_list, [vol.In(DAYS)], vol.Length(min=1)
        ),
    }
)
_FIELDS: Final = {
    **cv.TARGET_FIELDS,
    vol.Optional("firmware"): cv.string,
    vol.Optional("guests"): vol.Any(
        vol.Schema(cv.TARGET_FIELDS), vol.All(cv.entity_ids, lambda ids: {"entity_id": ids})
    ),
    vol.Optional("guest_equipment"): vol.In([EQUIPMENT_NOTHING, EQUIPMENT_HOUSE]),
    vol.Optional("version", default=NEWEST): cv.string,
    vol.Optional("chip"): vol.In([*Chip, *ChipFamily]),
    vol.Optional("running_version"): cv.string,
    vol.Optional("canaries", default=1): vol.Any(
        vol.All(vol.Coerce(int), vol.Range(min=0, max=_MOST)),
        vol.All(cv.ensure_list, [cv.entity_id], vol.Length(min=1)),
    ),
    vol.Optional("soak", default="00:00:00"): cv.positive_time_period,
    vol.Optional("waves", default=list): vol.All(cv.ensure_list, [_size]),
    vol.Optional("pause", default="00:00:00"): cv.positive_time_period,
    vol.Optional("stop_when_more_than", default="0"): _share,
    vol.Optional("window"): _WINDOW,
    vol.Optional("transports"): vol.All(
        cv.ensure_list,
        [vol.In(TRANSPORTS)],
        vol.Length(min=1),
    ),
    vol.Optional("unreachable_days", default=_UNREACHABLE_DAYS): vol.All(
        vol.Coerce(int), vol.Range(min=1, max=_MOST)
    ),
}
_SOMEBODY: Final = cv.has_at_least_one_key("firmware", "guests")
_PLAN: Final = vol.All(vol.Schema(_FIELDS), _SOMEBODY)
_START: Final = vol.All(
    vol.Schema({**_FIELDS, vol.Optional("dry_run", default=False): cv.boolean}), _SOMEBODY
)
_ONE: Final = vol.Schema({vol.Optional("rollout"): cv.string})


@callback
def async_register_rollout_actions(hass: HomeAssistant) -> None:
    """Register them all."""
    for name, work, schema in (
        ("start_rollout", _async_start, _START),
        ("pause_rollout", _async_pause, _ONE),
        ("resume_rollout", _async_resume, _ONE),
        ("cancel_rollout", _async_cancel, _ONE),
    ):
        async_register_admin_service(hass, DOMAIN, name, work, schema, SupportsResponse.OPTIONAL)
    for name, work, schema in (
        ("plan_rollout", _async_plan, _PLAN),
        ("rollout_report", _async_report, _ONE),
    ):
        async_register_admin_service(hass, DOMAIN, name, work, schema, SupportsResponse.ONLY)


async def _async_plan(call: ServiceCall) -> ServiceResponse:
    return await call.hass.data[ROLLOUTS].async_plan(call.data, call.context.user_id)


async def _async_start(call: ServiceCall) -> ServiceResponse:
    if call.data["dry_run"]:
        return await _async_plan(call)
    return await call.hass.data[ROLLOUTS].async_begin(call.data, call.context.user_id)


async def _async_pause(call: ServiceCall) -> ServiceResponse:
    rollout = call.hass.data[ROLLOUTS].find(call.data.get("rollout"), RolloutState.RUNNING)
    await rollout.async_pause()
    return report(rollout.note)


async def _async_resume(call: ServiceCall) -> ServiceResponse:
    rollouts = call.hass.data[ROLLOUTS]
    rollout = rollouts.find(call.data.get("rollout"), RolloutState.PAUSED)
    rollout_id = rollout.note["id"]
    plan = await async_shown(call.hass, rollout.note)
    rollouts.find(rollout_id, RolloutState.PAUSED)  # or it was cancelled meanwhile
    await rollout.async_resume()
    return {"rollout": rollout_id, **plan}


async def _async_cancel(call: ServiceCall) -> ServiceResponse:
    states = RolloutState.PLANNED, RolloutState.RUNNING, RolloutState.PAUSED
    rollout = call.hass.data[ROLLOUTS].find(call.data.get("rollout"), *states)
    await rollout.async_cancel()
    return report(rollout.note)


async def _async_report(call: ServiceCall) -> ServiceResponse:
    note = call.hass.data[ROLLOUTS].find(call.data.get("rollout")).note
    return report(note, lambda key: history_of(call.hass.data[HOUSE], key))
