"""Wraps the queue and rollouts of ESP OTA, so that each named point of them is told."""

import functools
from typing import Any, Final

from custom_components.esp_ota.installs import ModuleInstaller
from custom_components.esp_ota.installs.turn import Turn
from custom_components.esp_ota.installs.waiting import Waiting
from custom_components.esp_ota.ota import RolloutRun, Waits
from custom_components.esp_ota.ota.rollout.course import Stop, next_step
from custom_components.esp_ota.rollouts import RolloutEvent, rollouts
from custom_components.esp_ota.rollouts.members import Members
from custom_components.esp_ota.rollouts.rollout import Rollout

from .wraps import MODULE, Reach, Wraps

_TOLD: Final = {
    RolloutEvent.STARTED: "rollout_started",
    RolloutEvent.PAUSED: "rollout_paused",
    RolloutEvent.RESUMED: "rollout_resumed",
    RolloutEvent.STOPPED: "rollout_ended",
    RolloutEvent.CANCELLED: "rollout_ended",
    RolloutEvent.DONE: "rollout_ended",
}
_HALTED: Final = {"paused": "rollout_pausing", "cancelled": "rollout_cancelling"}
_ON_ITS_WAY: Final = {"waits", "begun"}


def install_many(wraps: Wraps, reach: Reach) -> None:
    """Wrap everything, once per process."""
    _on_begin(reach)
    _on_window(reach)
    wraps.around(Turn, "up", "waits_for_turn", "turn_given")
    wraps.around(Turn, "__aexit__", before="turn_over")
    wraps.around(Turn, "_until_awake", "waits_for_life", "woken")
    _before(RolloutRun, "halt", lambda run: _reach(reach, _HALTED.get(_state(run))))
    _after(RolloutRun, "ended", lambda *_: _reach(reach, "member_judged"))
    _before(Rollout, "async_begin", lambda *_: _reach(reach, "rollout_planned"))
    _before(Rollout, "_tell", lambda _it, event, **_: _reach(reach, _TOLD.get(event)))
    _before(Rollout, "_on_wave", lambda _it, wave, over: _reach(reach, _begins(wave, over)))
    _before(Members, "async_take_back", lambda it: _reach(reach, _stops(it)))
    _after(Rollout, "_async_note", lambda it: _noted(reach, it))
    _after(rollouts, "async_shown", lambda *_: _reach(reach, "before_rollout_planned"))
    _before(rollouts, "async_notify", lambda *_: _reach(reach, "before_report"))
    _after(rollouts, "async_notify", lambda *_: _reach(reach, "after_report"))


def _reach(reach: Reach, point: str | None) -> None:
    """Reach a point of no module, also where the task of one comes to it."""
    if point is not None:
        reach(point, None)


def _before(owner: Any, function: str, tell: Any) -> None:
    original = getattr(owner, function)

    @functools.wraps(original)
    def told(*args: Any, **kwargs: Any) -> Any:
        tell(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, function, told)


def _after(owner: Any, function: str, tell: Any) -> None:
    original = getattr(owner, function)

    @functools.wraps(original)
    def told(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if hasattr(result, "__await__"):
            return _awaited(result, lambda: tell(*args, **kwargs))
        tell(*args, **kwargs)
        return result

    setattr(owner, function, told)


async def _awaited(result: Any, tell: Any) -> Any:
    found = await result
    tell()
    return found


def _state(run: Any) -> str:
    """Return where the rollout stands of which this is a run."""
    return str(run._ports.note.__self__.note["state"])


def _begins(wave: int, is_over: bool) -> str | None:
    if is_over:
        return None
    return "wave_begins" if wave else "canaries_begin"


def _stops(members: Any) -> str | None:
    run = members._run_of()
    if run is None or members._note["state"] != "running":
        return None
    step = next_step(run._terms, run.states, run.rests)
    return "rollout_stopping" if isinstance(step, Stop) else None


def _noted(reach: Reach, rollout: Any) -> None:
    """Tell what a note that is on disk by now has said for the first time."""
    note = rollout.note
    if note["rest_ends"] is not None and note["rests"] >= getattr(rollout, "torture_rests", 0):
        rollout.torture_rests = note["rests"] + 1
        _reach(reach, "rollout_rests" if note["rests"] else "rollout_soaks")
    ended = sum(member["state"] not in _ON_ITS_WAY for member in note["members"])
    if ended > getattr(rollout, "torture_ended", 0):
        rollout.torture_ended = ended
        _reach(reach, "member_noted")


def _on_begin(reach: Reach) -> None:
    """Let all that an install starts belong to its module, whoever begins it."""
    original = ModuleInstaller.async_begin

    @functools.wraps(original)
    def begin(installer: ModuleInstaller, *args: Any, **kwargs: Any) -> Any:
        token = MODULE.set(installer._entry.title)
        try:
            reach("begun", MODULE.get())
            return original(installer, *args, **kwargs)
        finally:
            MODULE.reset(token)

    setattr(ModuleInstaller, "async_begin", begin)  # noqa: B010 - mypy knows it as a method


def _on_window(reach: Reach) -> None:
    """Tell once of each install that its window keeps it from beginning."""
    original = Waiting.bar

    @functools.wraps(original)
    def bar(waiting: Any) -> Any:
        reason = original(waiting)
        is_closed = reason is not None and reason.why is Waits.WINDOW
        if is_closed and not hasattr(waiting, "torture_waits"):
            waiting.torture_waits = True
            reach("waits_for_window", waiting._entry.title)
        return reason

    setattr(Waiting, "bar", bar)  # noqa: B010 - as above
