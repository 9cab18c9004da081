"""Whether what was sent was asked for, and whether it ended as the truth."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from .history import Ended, Happened, History, Press
from .plan import HOUR, MINUTE, PULLS, ModulePlan, clock_text

_SENT: Final = {"invited", "first_byte", "installed"}
_SUCCESS: Final = {"verified", "unverified"}
_AWAY: Final = {"unreachable", "no_poll", "auth_no_answer"}
_COMES: Final = {"up", "back"}
_GOES: Final = {"off", "restarted", "died", "bricked"}
_SOON: Final = 2 * MINUTE
"""Within which what happened inside a module and what is told of it belong together."""
_JUST_NOW: Final = 30.0
"""Seconds within which nobody can tell what was first."""
_KNOWN_AFTER: Final = 70 * MINUTE
"""Seconds until a release is known here: a list is looked at each hour."""
_OFFERED_WITHIN: Final = 5 * MINUTE
_SETTLED: Final = 30 * MINUTE
"""Seconds since which a module has been there, added, and nobody else's business."""
_LONGEST: Final = HOUR
"""An install that is sent takes no longer."""
_TIMES: Final = 2
"""How often an automation may send what fails."""
_ONE_INSTALL: Final = 20 * MINUTE
"""First bytes within it are tries of one install."""


def _waits(plan: ModulePlan) -> float:
    """Return how long after a press an image may still be sent."""
    return _LONGEST + (3 * plan.interval if plan.way == PULLS else 0.0)


def nothing_was_sent_without_a_press(run: History) -> Iterator[str]:
    """Invite nobody, and send no byte, but for a press or an automation before it."""
    plans = {plan.name: plan for plan in run.plan.modules}
    for seen in run.happened:
        if seen.event not in _SENT:
            continue
        waits = _waits(plans[seen.module])
        if not any(
            press.module == seen.module and press.at - _SOON <= seen.at <= press.at + waits
            for press in run.presses
        ):
            yield f"{seen.module} saw {seen.event} at {clock_text(seen.at)}"


def _runs(run: History, module: str, at: float) -> str | None:
    """Return the version that a module ran then, or would have started with."""
    version = None
    for seen in run.happened:
        if seen.at > at:
            break
        if seen.module == module and seen.event in {"up", "back"}:
            version = seen.details.get("version")
    return version


def _ran(run: History, ended: Ended, *shifts: float) -> set[str | None]:
    return {_runs(run, ended.module, ended.at + shift) for shift in shifts}


def each_install_ended_as_the_truth(run: History) -> Iterator[str]:
    """Find what was sent running after a success, and not after a failure."""
    for ended in run.ended:
        asked_for = ended.verdict == "rolled_back" and ended.cause is None  # by a person
        if ended.verdict in _SUCCESS or asked_for:
            ran = _ran(run, ended, -_SOON, 0.0, _SOON)
            lies = ended.version not in ran
        else:
            ran = _ran(run, ended, -_JUST_NOW, 0.0)
            lies = ran == {ended.version}
        if lies and not (ended.verdict == "refused" and ended.cause == "same_image"):
            yield (
                f"{ended.module} was told {ended.verdict}({ended.cause}) of {ended.version} at"
                f" {clock_text(ended.at)}, and ran {sorted(map(str, ran))}"
            )


def nobody_is_said_to_be_away_who_was_there(run: History) -> Iterator[str]:
    """Say of no module that it does not answer, or does not ask, that was there all the time."""
    for ended in run.ended:
        if ended.cause not in _AWAY:
            continue
        before = [
            seen for seen in run.happened if seen.module == ended.module and seen.at <= ended.at
        ]
        known = [seen for seen in before if seen.event in _COMES | _GOES]
        there = bool(known) and known[-1].event in _COMES
        cut = any(begin - _SOON < ended.at < end + _SETTLED for begin, end in run.cut_off)
        if there and known[-1].at < ended.at - _SETTLED and not cut:
            yield f"{ended.module} was told {ended.cause} at {clock_text(ended.at)}"


def each_night_did_its_work(run: History) -> Iterator[str]:
    """Answer each night for which a newer version is known and the module is there."""
    plans = {plan.name: plan for plan in run.plan.modules}
    for press in run.presses:
        plan = plans[press.module]
        if press.by != "automation" or plan.fails or not _has_work(run, press):
            continue
        until = press.at + _waits(plan)
        if until > run.ended_at or _is_disturbed(run, press, until):
            continue
        if not any(
            ended.module == press.module and press.at <= ended.at <= until for ended in run.ended
        ):
            yield f"nothing came of {press.module}'s automation at {clock_text(press.at)}"


def _has_work(run: History, press: Press) -> bool:
    known = [version for at, version in run.released if at < press.at - _KNOWN_AFTER]
    before = [item for item in run.looks if item.module == press.module and item.at < press.at]
    if not known or not before or _is_skipped(run, press, known[-1]):
        return False
    look = before[-1]
    there = look.there_since is not None and look.there_since < press.at - _SETTLED
    added = look.added_at is not None and look.added_at < press.at - _SETTLED
    return there and added and look.runs != known[-1]


def _is_skipped(run: History, press: Press, version: str) -> bool:
    return any(
        module == press.module and at < press.at and version == skipped
        for at, module, skipped in run.skipped
    )


def _is_disturbed(run: History, press: Press, until: float) -> bool:
    """Whether somebody else had to do with the module meanwhile."""
    return any(
        other is not press and other.module == press.module and press.at <= other.at <= until
        for other in run.presses
    )


def each_card_offers_the_newest(run: History) -> Iterator[str]:
    """Offer the newest version once it is known, unless it has failed on the module."""
    fails = {plan.name for plan in run.plan.modules if plan.fails}
    since: dict[str, float] = {}
    for look in run.looks:
        late = look.at - _KNOWN_AFTER
        known = [version for at, version in run.released if at < late]
        ready = look.added_at is not None and look.added_at < late and look.home_since < late
        newest = {version for at, version in run.released if late <= at < look.at + _SOON}
        right = not known or look.latest in {known[-1], *newest}
        if right or not ready or look.busy or look.module in fails:
            since.pop(look.module, None)
        elif look.at - since.setdefault(look.module, look.at) > _OFFERED_WITHIN:
            since[look.module] = look.at
            offered = f"offered {look.latest} at {clock_text(look.at)}"
            yield f"{look.module} is {offered}, not {known[-1]}"


def nothing_that_is_skipped_is_sent(run: History) -> Iterator[str]:
    """Send nothing by an automation that a person has skipped."""
    for at, module, version in run.skipped:
        for seen in _installed(run, module):
            chosen = any(
                press.by == "person" and press.module == module and at < press.at <= seen.at
                for press in run.presses
            )
            if seen.at > at and seen.details.get("version") == version and not chosen:
                yield f"{module} got {version} at {clock_text(seen.at)}, skipped before"


def _installed(run: History, module: str) -> list[Happened]:
    return [seen for seen in run.happened if seen.module == module and seen.event in {"up", "back"}]


def what_fails_is_not_sent_again_and_again(run: History) -> Iterator[str]:
    """Send an image that fails every night twice, and then for a person alone.

    Who deletes a module and adds it again begins anew.
    """
    for plan in run.plan.modules:
        if not plan.fails:
            continue
        persons = [at for at, module in run.added if module == plan.name]
        persons += [
            press.at for press in run.presses if press.module == plan.name and press.by == "person"
        ]
        for begin, end, version in _times_of(run):
            moments = [begin, *sorted(at for at in persons if begin < at < end), end]
            for since, until in pairwise(moments):
                times = sum(since <= at < until for at in _installs(run, plan.name))
                if times > _TIMES:
                    yield f"{plan.name} was sent {version} {times} times"


def _times_of(run: History) -> Iterator[tuple[float, float, str]]:
    """Yield from when to when each version was the newest."""
    ends = [at for at, _ in run.released[1:]] + [run.ended_at]
    for (at, version), end in zip(run.released, ends, strict=True):
        yield at, end, version


def _installs(run: History, module: str) -> Iterator[float]:
    """Yield when each install began to be sent to a module."""
    last = float("-inf")
    for seen in run.happened:
        if seen.module == module and seen.event == "first_byte":
            if seen.at - last > _ONE_INSTALL:
                yield seen.at
            last = seen.at
