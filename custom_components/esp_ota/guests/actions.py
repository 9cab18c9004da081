"""The actions on guests, for administrators: updated, cancelled, moved in the queue."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service

from ..const import DOMAIN, EQUIPMENT_HOUSE, EQUIPMENT_NOTHING
from ..helpers import async_raise_for_result, async_said, error_for
from ..house import HOUSE
from ..ota import Cause, as_text
from .guest import Guest
from .guests import GUESTS, Guests
from .naming import async_guests, is_foreign, mistake, why_left_out
from .run import GuestRun
from .telling import history_of

_ANSWERS: Final = (EQUIPMENT_NOTHING, EQUIPMENT_HOUSE)
_UPDATE: Final = cv.make_entity_service_schema(
    {
        vol.Optional("guest_equipment"): vol.In(_ANSWERS),
        vol.Optional("now", default=False): cv.boolean,
    }
)


@callback
def async_register_guest_actions(hass: HomeAssistant) -> None:
    """Register the action that updates guests."""
    async_register_admin_service(
        hass, DOMAIN, "update_guests", _async_update, _UPDATE, SupportsResponse.OPTIONAL
    )


async def _async_update(call: ServiceCall) -> ServiceResponse:
    """Put guests into the queue, and return when all have ended.

    Without response data the first that did not end well is an error, as with `update.install`.
    """
    guests = async_guests(call.hass, call.data, call.data.get("guest_equipment"))
    left_out = [_left_out(call.hass, guest) for guest in guests]
    runs = [
        (guest, _begun(call, guest))
        for guest, left in zip(guests, left_out, strict=True)
        if left is None
    ]
    if not any(isinstance(run, GuestRun) for _, run in runs) and not call.return_response:
        errors = [run for _, run in runs if isinstance(run, HomeAssistantError)]
        if errors:
            raise errors[0]
        reasons = "; ".join(
            f"{as_text(item['module'])}: {as_text(item['sentence'])}" for item in left_out if item
        )
        raise mistake("rollout_empty", reasons=reasons[:1500] or "-")
    running = call.hass.data[HOUSE].running
    tasks = [running[guest.entry_id] for guest, run in runs if isinstance(run, GuestRun)]
    if tasks:
        await asyncio.wait(tasks)  # who waits may be stopped, the updates go on
    if not call.return_response:
        await _async_raise_first(call.hass, runs)
        return None
    return {
        "guests": [_told(guest, run) for guest, run in runs],
        "left_out": [item for item in left_out if item is not None],
    }


def _begun(call: ServiceCall, guest: Guest) -> GuestRun | HomeAssistantError:
    latest = guest.state().latest
    assert latest is not None
    try:
        return call.hass.data[GUESTS].async_begin(guest, latest, call.context, now=call.data["now"])
    except HomeAssistantError as err:
        return err


def _left_out(hass: HomeAssistant, guest: Guest) -> dict[str, Any] | None:
    if (why := why_left_out(guest)) is None:
        return None
    reason, facts = why
    sentence = async_said(hass, f"rollout_left_out_{reason}", facts, module=guest.title)
    return {"module": guest.title, "reason": reason, "sentence": sentence}


def _told(guest: Guest, run: GuestRun | HomeAssistantError) -> dict[str, Any]:
    """Return what became of one guest."""
    line: dict[str, Any] = {"module": guest.title, "entity_id": guest.entity_id}
    if isinstance(run, HomeAssistantError):
        cause = run.translation_key
        return line | {"verdict": "refused", "cause": cause, "sentence": str(run)}
    return line | {
        "from": run.note["before"],
        "to": run.note["version"],
        "verdict": str(run.result.verdict),
        "cause": str(run.result.cause) if run.result.cause else None,
        "sentence": run.sentence,
        "history": history_of(guest.house, guest.entry_id),
    }


async def _async_raise_first(
    hass: HomeAssistant, runs: list[tuple[Guest, GuestRun | HomeAssistantError]]
) -> None:
    for guest, run in runs:
        if isinstance(run, HomeAssistantError):
            raise run
        if run.is_put_aside:
            raise error_for(Cause.SUSPENDED, {}, module=guest.title)
        await async_raise_for_result(hass, run.result, module=guest.title)


async def async_act_on_guests(
    hass: HomeAssistant,
    said: Mapping[str, Any],
    act: Callable[[Guests, str], Awaitable[None]],
) -> tuple[int, dict[str, Any]]:
    """Act on the guests that a target names; return how many, and the target without them.

    Those that an area, say, only holds count where something of theirs waits or runs. Raises the
    first error when all were asked.
    """
    guests, named = hass.data[GUESTS], said.get("entity_id", [])
    listed = [item for item in named if is_foreign(hass, item)] if isinstance(named, list) else []
    rest = {**said, "entity_id": [item for item in named if item not in listed]} if listed else said
    explicit = {guest.entry_id for guest in async_guests(hass, {"entity_id": listed})}
    indirect = {key: item for key, item in said.items() if key != "entity_id"}
    found = set()
    with suppress(ServiceValidationError):  # what is not there holds no guest
        found = {guest.entry_id for guest in async_guests(hass, indirect)}
    keys = explicit | {key for key in found if guests.is_running(key)}
    errors: list[HomeAssistantError] = []
    for key in sorted(keys):
        try:
            await act(guests, key)
        except HomeAssistantError as err:
            errors.append(err)
    if errors:
        raise errors[0]
    return len(keys), dict(rest)
