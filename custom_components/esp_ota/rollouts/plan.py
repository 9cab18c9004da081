"""What a rollout is going to do: its note before it begins, and what is shown of it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from homeassistant.util.ulid import ulid_now

from ..guests import GUESTS, Guest
from ..helpers import async_said
from ..house import HOUSE
from ..installs import async_blocked, expected_seconds, time_windows
from ..ota import NEVER, Member, Window, foresee
from ..owners import is_guest
from .note import RolloutNote, RolloutState, states_of, terms_of
from .selection import Selection, card_of, runtime_of

_OPENINGS: Final = 50
"""Of windows that are looked at for one in which an update fits."""


async def async_note_for(
    hass: HomeAssistant, said: Mapping[str, Any], user: str | None, taken: Mapping[str, str]
) -> RolloutNote:
    """Return the note of the rollout that a call describes; nothing is written or begun.

    Raises ServiceValidationError for a call that makes no sense.
    """
    selection = Selection(hass, said, taken)
    await selection.async_run()
    note: RolloutNote = {
        "id": ulid_now().lower(),
        "state": RolloutState.PLANNED,
        "firmware": selection.firmware,
        "version": selection.version,
        "chosen": selection.is_chosen,
        "user": user,
        "began": dt_util.utcnow().isoformat(),
        "ended": None,
        "is_told": False,
        "terms": {
            "canaries": selection.canaries,
            "soak": said["soak"].total_seconds(),
            "waves": list(said["waves"]),
            "pause": said["pause"].total_seconds(),
            "stop": said["stop_when_more_than"],
        },
        "ways": said.get("transports"),
        "window": said.get("window"),
        "members": selection.members,
        "left_out": selection.left_out,
        "rests": 0,
        "rest_ends": None,
    }
    if answer := said.get("guest_equipment"):
        note["guest_equipment"] = answer
    return note


async def async_shown(hass: HomeAssistant, note: RolloutNote) -> dict[str, Any]:
    """Return a plan as it is answered: who, in which wave, from when until when."""
    house, now = hass.data[HOUSE], dt_util.now()
    members = []
    for member in note["members"]:
        members.append(
            Member(
                name=member["module"],
                seconds=expected_seconds(house, member["entry_id"]),
                groups=house.queue.groups_of(member["entry_id"]),
                opens=_opens(hass, note, member["entry_id"], now),
            )
        )
        await asyncio.sleep(0)  # there may be hundreds
    terms, limit = terms_of(note["terms"]), house.queue.limit
    slots = await hass.async_add_executor_job(
        lambda: foresee(terms, members, limit=limit, states=states_of(note), rests=note["rests"])
    )
    waves: dict[int, list[dict[str, Any]]] = {}
    for slot in slots:
        await asyncio.sleep(0)  # there may be hundreds
        member = note["members"][slot.index]
        owner = _owner_of(hass, member["entry_id"])
        waves.setdefault(slot.wave, []).append(
            {
                "module": owner.title if owner else member["module"],
                "entity_id": _card_of(hass, owner),
                "from": member["before"],
                "to": member["version"],
                "begins": _moment(now, slot.begins),
                "ends": _moment(now, slot.ends),
                "blocked_by": await _async_blocked_by(hass, note, member["entry_id"]),
            }
        )
    return {
        "firmware": note["firmware"],
        "version": note["version"],
        "modules": len(members),
        "waves": [
            {"wave": "canaries" if wave == 0 else wave, "modules": modules}
            for wave, modules in sorted(waves.items())
        ],
        "ends": _moment(now, max((slot.ends for slot in slots), default=0.0)),
        "left_out": list(note["left_out"]),
    }


async def _async_blocked_by(hass: HomeAssistant, note: RolloutNote, entry_id: str) -> str | None:
    """Return what would keep a module from being updated right now, as a sentence."""
    if is_guest(entry_id):
        return await _async_guest_blocked_by(hass, note, Guest(hass, entry_id))
    if (runtime := runtime_of(entry := hass.config_entries.async_get_entry(entry_id))) is None:
        key = "rollout_left_out_not_loaded" if entry else "rollout_removed"
        return async_said(hass, key, {}, module=entry_id)
    name = runtime.coordinator.config_entry.title
    if runtime.installer.is_running:
        return async_said(hass, "install_running", {}, module=name)
    if runtime.coordinator.data.reachable is False:
        return async_said(hass, "rollout_blocked_away", {}, module=name)
    if (reason := await async_blocked(hass, runtime.coordinator, note["window"])) is not None:
        return async_said(hass, "rollout_blocked_window", {"what": reason.what}, module=name)
    return None


async def _async_guest_blocked_by(
    hass: HomeAssistant, note: RolloutNote, guest: Guest
) -> str | None:
    state = guest.state()
    if hass.data[GUESTS].is_running(guest.entry_id):
        return async_said(hass, "install_running", {}, module=guest.title)
    if not state.is_available:
        return async_said(hass, "rollout_blocked_away", {}, module=guest.title)
    if state.in_progress:
        return async_said(hass, "guest_busy", {}, module=guest.title)
    if (reason := await async_blocked(hass, guest, note["window"])) is not None:
        return async_said(hass, "rollout_blocked_window", {"what": reason.what}, module=guest.title)
    return None


def _owner_of(hass: HomeAssistant, entry_id: str) -> ConfigEntry | Guest | None:
    """Return whose update it is, None for a module that was removed."""
    if is_guest(entry_id):
        return Guest(hass, entry_id)
    return hass.config_entries.async_get_entry(entry_id)


def _card_of(hass: HomeAssistant, owner: ConfigEntry | Guest | None) -> str | None:
    if isinstance(owner, Guest):
        return owner.entity_id
    return card_of(hass, owner) if owner else None


def _opens(
    hass: HomeAssistant, note: RolloutNote, entry_id: str, now: datetime
) -> Callable[[float], float]:
    """Return from when on a module may begin, by all the windows that hold for it."""
    house, owner = hass.data[HOUSE], _owner_of(hass, entry_id)
    stored = time_windows(house, owner) if owner else []
    stored += [note["window"]] if note["window"] else []
    windows = [Window.of(item["start"], item["end"], item["days"]) for item in stored]
    needed = expected_seconds(house, entry_id, at_most=True)

    def opens(at: float) -> float:
        begin = now.astimezone(UTC).replace(microsecond=0)
        moment = begin + timedelta(seconds=at)
        for _ in range(_OPENINGS):
            local = moment.astimezone(now.tzinfo)
            ends = [window.closes(local) for window in windows]
            if all(end and (end - moment).total_seconds() >= needed for end in ends):
                return (moment - begin).total_seconds()
            shut = next(
                window
                for window, end in zip(windows, ends, strict=True)
                if not end or (end - moment).total_seconds() < needed
            )
            if (opening := shut.opens(local)) is None:
                return NEVER
            moment = opening
        return NEVER

    return opens if windows else lambda at: at


def _moment(now: datetime, seconds: float) -> str | None:
    if seconds == NEVER:
        return None
    return (now + timedelta(seconds=seconds)).isoformat(timespec="seconds")
