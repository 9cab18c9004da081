"""The rules of a rollout, judged from outside: by its modules, by the disk, by what was told."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from .crowd import CROWD_CHECKS, HouseCheck, turns_anew
from .history import History, Told
from .story import ENDED, Moment, Story

_SUCCESS: Final = {"verified", "unverified"}
_PASSED_BY: Final = {"refused", "cancelled"}
_OPEN: Final = {"waits", "begun"}


def as_judged(told: Told) -> str:
    """Return what the end of an install means for its rollout, as docs/rollouts.md says."""
    if told.restore_error or told.not_safe:
        return "failed"
    if told.verdict in _SUCCESS:
        return "updated"
    return told.verdict if told.verdict in _PASSED_BY else "failed"


def _first(story: Story) -> str:
    return story.plan.members[0] if story.plan.members else story.runs[0].plan.name


def the_rollout_ends(story: Story) -> Iterator[tuple[str, str]]:
    """Have it end, unless it could not begin; then nobody is on the way any more."""
    if (note := story.note) is None:
        if story.plan.rollout is not None and not story.error:
            yield _first(story), "nothing is on disk of it, and nobody was told why"
        return
    if note["state"] not in ENDED:
        yield _first(story), f"it is {note['state']} in the end"
    for member in note["members"]:
        if member["state"] == "begun" or (note["state"] == "done" and member["state"] in _OPEN):
            yield (
                member["module"],
                f"it {member['state']} in the end of one that is {note['state']}",
            )


def no_member_is_lost(story: Story) -> Iterator[tuple[str, str]]:
    """Keep of each on disk what was told of it; who was touched has an end."""
    for member, run in zip(story.note["members"] if story.note else (), story.members, strict=True):
        states = {as_judged(told) for told in run.told}
        if member["state"] in _OPEN:
            if states - {"cancelled"} and not _may_be_forgotten(run):
                yield run.plan.name, f"it {member['state']}, and was told as {sorted(states)}"
        elif member["state"] not in states and not _ended_unheard(member, run):
            yield run.plan.name, f"it is {member['state']}, and was told as {sorted(states)}"


def _may_be_forgotten(run: History) -> bool:
    """Whether a kill came between an end and its being noted: then it is begun again."""
    last = max((told.at for told in run.told), default=0.0)
    return any(death.at > last for death in run.deaths)


def _ended_unheard(member: dict[str, Any], run: History) -> bool:
    """Whether it did not begin because somebody was in the way, or nothing was told of it."""
    return member["state"] == "refused" and not run.told


def _canaries(story: Story) -> set[str]:
    """Return who went before all others: so many that were not passed by, one at least."""
    assert story.note is not None
    wanted, found = max(1, story.note["terms"]["canaries"]), set[str]()
    for member in story.note["members"]:
        if wanted <= 0:
            break
        found.add(member["module"])
        wanted -= member["state"] not in _PASSED_BY
    return found


def stops_at(story: Story) -> float | None:
    """Return when too many had failed: a canary, or more than are borne."""
    assert story.note is not None
    count, terms = len(story.note["members"]), story.note["terms"]
    share = float(terms["stop"].removesuffix("%"))
    borne = share * count / 100 if terms["stop"].endswith("%") else share
    canaries, failures = _canaries(story), []
    for member, run in zip(story.note["members"], story.members, strict=True):
        if member["state"] == "failed":
            at = _failed_at(run)
            if member["module"] in canaries:
                failures.append((at, float("inf")))
            failures.append((at, 1.0))
    failed = 0.0
    for at, weight in sorted(failures):
        failed += weight
        if failed > borne:
            return at
    return None


def _failed_at(run: History) -> float:
    """Return when the turn was over that ended badly, or when that was told.

    Of several installs the last: the rollout did not know of the others.
    """
    last = max((mark.at for mark in run.marked("begun")), default=0.0)
    ends = [told.at for told in run.told if as_judged(told) == "failed"]
    told = min((at for at in ends if at > last), default=float("inf"))
    overs = [mark.at for mark in run.marked("turn_over") if mark.at <= told]
    same = [at for at in overs if not any(at < item.at < told for item in run.told)]
    since = max((death.at for death in run.deaths if death.at < told), default=0.0)
    return max((at for at in same if at > since), default=told)


def a_rollout_that_stops_touches_nobody_more(story: Story) -> Iterator[tuple[str, str]]:
    """No member has its turn once too many have failed; and then it is stopped."""
    if (note := story.note) is None:
        return
    if (at := stops_at(story)) is None:
        if note["state"] == "stopped":
            yield _first(story), "it is stopped, and not too many have failed"
        return
    if note["state"] == "done":
        yield _first(story), f"it is done, and too many had failed at {at:.3f}"
    for run in story.members:
        for turn in turns_anew(run):
            if turn > at:
                yield run.plan.name, f"its turn at {turn:.3f}, too many had failed at {at:.3f}"


def waves_come_one_after_the_other(story: Story) -> Iterator[tuple[str, str]]:
    """Nobody behind the canaries has a turn before as many canaries were updated as are wanted."""
    if story.note is None:
        return
    canaries = _canaries(story)
    ends = [_ended_at(run) for run in story.members if run.plan.name in canaries]
    for run in story.members:
        early = [turn for turn in turns_anew(run) if turn < max(ends)]
        if run.plan.name not in canaries and early:
            yield run.plan.name, f"its turn at {early[0]:.3f}, canaries ended at {max(ends):.3f}"


def _ended_at(run: History) -> float:
    """Return when the last turn of a member was over, or when nothing more was told of it."""
    return max((told.at for told in run.told), default=0.0) - 0.5 if run.told else 0.0


def _halts(story: Story) -> Iterator[tuple[float, float, str]]:
    """Yield when nobody of a rollout may begin: paused, cancelled, or over."""
    end: float | None = None
    begun: tuple[float, str] | None = None
    for moment in story.moments:
        halts = _halts_at(moment)
        if halts and begun is None:
            begun = moment.at, moment.name
        elif moment.name in {"told resumed", "on disk running"} and begun is not None:
            end = moment.at
            yield begun[0], end, begun[1]
            begun = None
    if begun is not None:
        yield begun[0], float("inf"), begun[1]


def _halts_at(moment: Moment) -> bool:
    who, _, state = moment.name.rpartition(" ")
    return who in {"told", "on disk"} and state in {"paused", *ENDED}


def nobody_begins_while_it_is_halted(story: Story) -> Iterator[tuple[str, str]]:
    """No member has its turn while the rollout is paused, cancelled or over, restarts or not."""
    for begin, end, why in _halts(story):
        for run in story.members:
            for turn in turns_anew(run):
                if begin < turn < end:
                    yield run.plan.name, f"its turn at {turn:.3f}, {why!r} at {begin:.3f}"


def no_member_is_begun_while_it_runs(story: Story) -> Iterator[tuple[str, str]]:
    """Begin one again only when how it ended before is told, or a kill has taken it."""
    for run in story.members:
        ends = [told.at for told in run.told] + [death.at for death in run.deaths]
        begins = [mark.at for mark in run.marked("begun")]
        for before, after in pairwise(begins):
            if not any(before < end < after for end in ends):
                yield run.plan.name, f"begun at {before:.3f} and at {after:.3f}"


def who_was_updated_is_left_alone(story: Story) -> Iterator[tuple[str, str]]:
    """No member that was told as updated is begun again."""
    for run in story.members:
        updated = [told.at for told in run.told if as_judged(told) == "updated"]
        again = [mark.at for mark in run.marked("begun") if updated and mark.at > updated[0]]
        if again:
            yield run.plan.name, f"updated at {updated[0]:.3f}, begun at {again[0]:.3f}"


def its_end_is_told_and_reported(story: Story) -> Iterator[tuple[str, str]]:
    """Have a life tell its end, the one that ended it or the next; its report says the same."""
    if (note := story.note) is None or note["state"] not in ENDED:
        return
    told = {name.removeprefix("told ") for name in (moment.name for moment in story.moments)}
    if note["state"] not in told:
        yield _first(story), f"it is {note['state']}, and nobody was told"
    said = (story.report or {}).get("modules")
    states = [(member["module"], member["state"]) for member in note["members"]]
    if said is not None and [(one["module"], one["state"]) for one in said] != states:
        yield _first(story), f"the report says {said}, on disk are {states}"


ROLLOUT_CHECKS: tuple[HouseCheck, ...] = (
    the_rollout_ends,
    no_member_is_lost,
    a_rollout_that_stops_touches_nobody_more,
    waves_come_one_after_the_other,
    nobody_begins_while_it_is_halted,
    no_member_is_begun_while_it_runs,
    who_was_updated_is_left_alone,
    its_end_is_told_and_reported,
)


def house_violations(story: Story) -> dict[str, list[str]]:
    """Return what speaks against the rules of many, by the name of the module that broke one."""
    found: dict[str, list[str]] = {}
    for check in (*CROWD_CHECKS, *ROLLOUT_CHECKS):
        rule = check.__name__.replace("_", " ")
        for name, complaint in check(story):
            found.setdefault(name, []).append(f"{rule}: {complaint}")
    return found
