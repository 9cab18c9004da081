"""Whether what is shown of a module is what is true inside it."""

from collections.abc import Callable, Iterator
from typing import Final

from .history import History, Look
from .plan import ANNOUNCES, HOUR, MINUTE, PAGE, PULLS, SILENT, ModulePlan, clock_text

LONGEST: Final = 5 * MINUTE
"""Nothing is untrue for longer than this while the module is there to be asked."""
DEAD_AFTER: Final = 80 * MINUTE
"""Until when a module that is only heard now and then may be shown as there after it died."""
_LATE: Final = 60.0
"""Seconds by which a moment may be noted later here than there: a busy machine answers late."""
_BEHIND: Final = HOUR + LONGEST
"""By how much *Last seen* may stand behind: it is written once an hour."""
_UNKNOWN: Final = {None, "unknown", "unavailable"}

type Lies = Callable[[ModulePlan, Look], bool]


def is_asked_for(plan: ModulePlan, look: Look) -> bool:
    """Whether the module was there, awake and added, so that all of it could be known."""
    if look.there_since is None or look.added_at is None:
        return False
    if plan.way == PULLS:
        asked = look.last_asked or 0.0
        return asked > look.added_at and asked >= look.home_since and not _is_late(plan, look)
    return True


def _is_late(plan: ModulePlan, look: Look) -> bool:
    """Whether a module leaves out a request of its own, as one of a busy machine does."""
    return look.at - (look.last_asked or look.at) > plan.interval + LONGEST


def card_lies(plan: ModulePlan, look: Look) -> bool:
    """Whether the card shows another version than the one that runs, or none where one is said.

    What no word of the module tells may be unknown.
    """
    if look.busy or look.installed == look.runs:
        return False
    tells = plan.says and plan.way in {ANNOUNCES, PULLS}
    return tells or look.installed not in _UNKNOWN


def reachable_lies(plan: ModulePlan, look: Look) -> bool:
    """Whether a module that is there is not shown so, or a dead one is for too long."""
    if plan.way in {PAGE, SILENT} or look.busy:
        return False
    if look.there_since is not None:
        if is_asked_for(plan, look):
            return look.reachable != "on"
        return look.reachable == "off" and not _is_late(plan, look)
    return look.reachable == "on" and look.at - (look.gone_at or 0.0) > _patience(plan)


def _patience(plan: ModulePlan) -> float:
    return DEAD_AFTER if plan.way == ANNOUNCES else 3 * plan.interval + 5 * MINUTE


def last_seen_lies(plan: ModulePlan, look: Look) -> bool:
    """Whether it is said to have been heard when it was not there, or is not for hours."""
    if look.last_seen is None:
        return False
    last_there = look.at if look.there_since is not None else (look.gone_at or 0.0)
    if look.last_seen > last_there + _LATE:
        return True
    if plan.way == PULLS and look.last_asked is not None:
        return look.last_seen < look.last_asked - _BEHIND
    return False


LIES: Final[dict[str, Lies]] = {
    "card": card_lies,
    "Reachable": reachable_lies,
    "Last seen": last_seen_lies,
}


def lies(plan: ModulePlan, look: Look) -> list[str]:
    """Return what of a look is not true, in words."""
    if look.added_at is None:
        return []
    asked = is_asked_for(plan, look)
    found = []
    for what, lie in LIES.items():
        if what == "card" and not asked:
            continue
        if lie(plan, look):
            found.append(what)
    return found


def nothing_is_untrue_for_long(run: History) -> Iterator[str]:
    """Show no card, *Reachable* or *Last seen* that is untrue for longer than five minutes."""
    plans = {plan.name: plan for plan in run.plan.modules}
    since: dict[tuple[str, str], Look] = {}
    told: set[tuple[str, str]] = set()
    for look in run.looks:
        found = lies(plans[look.module], look)
        for what in LIES:
            key = (look.module, what)
            begun = since.get(key)
            if what not in found or (begun and begun.there_since != look.there_since):
                since.pop(key, None)
                told.discard(key)
            if what not in found:
                continue
            begun = since.setdefault(key, look)
            there = look.at - (look.there_since or look.gone_at or look.at)
            if look.at - begun.at > LONGEST and there > LONGEST and key not in told:
                told.add(key)
                yield f"{what} of {look.module} {_story(begun, look)}"


def _story(begun: Look, look: Look) -> str:
    return (
        f"from {clock_text(begun.at)} to {clock_text(look.at)} at least: it ran {look.runs} and"
        f" is shown as {look.installed}, {look.reachable}, last seen "
        f"{clock_text(look.last_seen) if look.last_seen else None}"
    )
