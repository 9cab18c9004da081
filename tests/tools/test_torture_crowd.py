"""Each rule of the queue and of rollouts finds a house that breaks it, and none in a good one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.test_torture_checks import good
from tests.torture.crowd import CROWD_CHECKS
from tests.torture.history import Died, History, Mark, Told
from tests.torture.plan import HousePlan, RolloutPlan
from tests.torture.rollout_checks import ROLLOUT_CHECKS, house_violations
from tests.torture.story import Moment, Story, Taken

NAMES = ("m0", "m1", "m2")
LONG = 100.0
"""Seconds between two members in a good house."""


def later(run: History, seconds: float) -> History:
    """Return a run as it would be so much later."""
    move = lambda items: [_moved(item, seconds) for item in items]  # noqa: E731
    run.module, run.commands, run.shown = move(run.module), move(run.commands), move(run.shown)
    run.told, run.presses, run.samples = move(run.told), move(run.presses), move(run.samples)
    return run


def _moved(item: Any, seconds: float) -> Any:
    return type(item)(**{**{k: getattr(item, k) for k in item.__slots__}, "at": item.at + seconds})


def member(number: int) -> History:
    """Return the run of a member, which went well, with its marks."""
    run = later(good(name=f"m{number}"), number * LONG)
    run.in_rollout, run.presses = True, []
    marks = (("begun", 1.0), ("turn_given", 1.5), ("turn_over", 19.5))
    run.marks = [Mark(at=number * LONG + at, life=0, name=name) for name, at in marks]
    return run


def note(**changes: Any) -> dict[str, Any]:
    """Return what is on disk of a rollout that is done."""
    states = changes.pop("states", ("updated",) * 3)
    return {
        "state": "done",
        "terms": {"canaries": 1, "stop": "0"},
        "members": [
            {"module": name, "state": state} for name, state in zip(NAMES, states, strict=True)
        ],
    } | changes


def house() -> Story:
    """Return a house in which a rollout went well, one module after the other."""
    runs = [member(number) for number in range(3)]
    plan = HousePlan(
        seed="s",
        number=0,
        modules=tuple(run.plan for run in runs),
        deaths=(),
        parallel=1,
        rollout=RolloutPlan(
            members=NAMES, canaries=1, soak=0.0, waves=(), pause=0.0, stop="0", start_at=0.0
        ),
    )
    told = ("asked", "start answered", "told started", "told done")
    found = note()
    modules = [{"module": item["module"], "state": item["state"]} for item in found["members"]]
    return Story(
        plan=plan,
        runs=runs,
        moments=[
            Moment(at=at, life=0, name=name) for at, name in zip((0, 0, 1, 290), told, strict=True)
        ],
        lives=[(0.0, 300.0)],
        taken=[Taken(at=1.0, pid=1, memory=100 << 20, files=50)],
        note=found,
        report={"modules": modules},
    )


def failed(story: Story, number: int) -> None:
    """Have the update of a member fail."""
    assert story.note is not None
    run = story.runs[number]
    run.told = [Told(at=run.told[0].at, life=0, verdict="failed", cause="did_not_come_back")]
    story.note["members"][number]["state"] = "failed"


def report_again(story: Story) -> None:
    """Have the report say what is on disk by now."""
    assert story.note is not None
    modules = [{"module": m["module"], "state": m["state"]} for m in story.note["members"]]
    story.report = {"modules": modules}


def stopped(story: Story) -> None:
    """Have the canary fail, and nobody else touched."""
    failed(story, 0)
    assert story.note is not None
    for number in (1, 2):
        story.runs[number].marks, story.runs[number].told = [], []
        story.runs[number].commands = []
        story.note["members"][number]["state"] = "waits"
    story.note["state"] = "stopped"
    story.moments.append(Moment(at=40.0, life=0, name="told stopped"))
    report_again(story)


def test_a_good_house_keeps_all_rules() -> None:
    assert house_violations(house()) == {}


def test_a_rollout_that_stops_keeps_all_rules() -> None:
    story = house()
    stopped(story)
    assert house_violations(story) == {}


def together(story: Story) -> None:
    story.runs[1] = later(story.runs[1], -LONG + 3)
    story.runs[1].marks = [_moved(mark, -LONG + 3) for mark in story.runs[1].marks]
    story.note["terms"]["canaries"] = 2  # type: ignore[index]


def together_in_an_area(story: Story) -> None:
    together(story)
    object.__setattr__(story.plan, "parallel", 2)
    for run in story.runs[:2]:
        object.__setattr__(run.plan, "area", "Lawn")


def in_a_closed_window(story: Story) -> None:
    for at, name in ((0.0, "closed"), (150.0, "open")):
        story.moments.append(Moment(at=at, life=0, name=f"window {name}"))


def without_a_turn(story: Story) -> None:
    del story.runs[0].marks[1]


def a_turn_without_end(story: Story) -> None:
    story.runs[2].marks[2] = Mark(at=290.0, life=0, name="turn_over")


def much_memory(story: Story) -> None:
    story.taken.append(Taken(at=2.0, pid=1, memory=300 << 20, files=50))


def many_sockets(story: Story) -> None:
    story.taken.append(Taken(at=2.0, pid=1, memory=100 << 20, files=500))


def never_over(story: Story) -> None:
    story.note["state"] = "running"  # type: ignore[index]


def never_noted(story: Story) -> None:
    story.note = None


def one_lost(story: Story) -> None:
    story.note["members"][2]["state"] = "waits"  # type: ignore[index]
    story.note["state"] = "stopped"  # type: ignore[index]
    report_again(story)


def another_end_on_disk(story: Story) -> None:
    story.note["members"][2]["state"] = "cancelled"  # type: ignore[index]
    report_again(story)


def went_on_after_a_failure(story: Story) -> None:
    failed(story, 0)
    report_again(story)


def stopped_for_nothing(story: Story) -> None:
    story.note["state"] = "stopped"  # type: ignore[index]
    story.moments.append(Moment(at=290.0, life=0, name="told stopped"))


def before_its_canary(story: Story) -> None:
    story.runs[1].marks[1] = Mark(at=5.0, life=0, name="turn_given")


def while_paused(story: Story) -> None:
    story.moments.insert(2, Moment(at=50.0, life=0, name="told paused"))


def after_a_start_while_paused(story: Story) -> None:
    story.moments.insert(2, Moment(at=50.0, life=1, name="on disk paused"))


def begun_twice(story: Story) -> None:
    run = story.runs[0]
    run.marks.insert(1, Mark(at=1.2, life=0, name="begun"))


def begun_again_after_its_end(story: Story) -> None:
    story.runs[0].marks.append(Mark(at=50.0, life=0, name="begun"))


def end_not_told(story: Story) -> None:
    del story.moments[-1]


def report_says_otherwise(story: Story) -> None:
    story.report["modules"][0]["state"] = "failed"  # type: ignore[index]


BROKEN: dict[str, tuple[Callable[[Story], None], str]] = {
    "together": (together, "the limit is kept"),
    "together in an area": (together_in_an_area, "no group is updated together"),
    "in a closed window": (in_a_closed_window, "nothing begins outside its window"),
    "without a turn": (without_a_turn, "nothing begins without a turn"),
    "a turn without end": (a_turn_without_end, "every turn has an end"),
    "much memory": (much_memory, "it takes no more than it should"),
    "many sockets": (many_sockets, "it takes no more than it should"),
    "never over": (never_over, "the rollout ends"),
    "never noted": (never_noted, "the rollout ends"),
    "one lost": (one_lost, "no member is lost"),
    "another end on disk": (another_end_on_disk, "no member is lost"),
    "went on": (went_on_after_a_failure, "a rollout that stops touches nobody more"),
    "stopped for nothing": (stopped_for_nothing, "a rollout that stops touches nobody more"),
    "before its canary": (before_its_canary, "waves come one after the other"),
    "while paused": (while_paused, "nobody begins while it is halted"),
    "after a start": (after_a_start_while_paused, "nobody begins while it is halted"),
    "begun twice": (begun_twice, "no member is begun while it runs"),
    "begun again": (begun_again_after_its_end, "who was updated is left alone"),
    "end not told": (end_not_told, "its end is told and reported"),
    "report says otherwise": (report_says_otherwise, "its end is told and reported"),
}


@pytest.mark.parametrize(("spoil", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_of_many_is_found(spoil: Callable[[Story], None], rule: str) -> None:
    story = house()
    spoil(story)
    found = [text.partition(":")[0] for texts in house_violations(story).values() for text in texts]
    assert rule in found


def test_each_rule_of_many_is_broken_once() -> None:
    names = {check.__name__.replace("_", " ") for check in (*CROWD_CHECKS, *ROLLOUT_CHECKS)}
    assert {rule for _, rule in BROKEN.values()} == names


def test_what_was_sent_before_a_kill_goes_on_although_the_rollout_is_halted() -> None:
    """Its module has the image: it is carried to its end, also in a closed window."""
    story = house()
    stopped(story)
    run = story.runs[1]
    run.deaths = [Died(at=42.0, life=0, how="random", point=None, note={"stage": "restarting"})]
    run.marks = [
        Mark(at=at, life=1, name=name) for at, name in ((50.0, "turn_given"), (55.0, "turn_over"))
    ]
    assert house_violations(story) == {}
    run.deaths[0].note["stage"] = "queued"  # type: ignore[index]
    assert house_violations(story) != {}


def test_a_rollout_whose_resuming_is_on_disk_begins_again_after_a_kill() -> None:
    """Nobody was told that it was resumed, and its note says that it runs."""
    story = house()
    while_paused(story)
    assert house_violations(story) != {}
    story.moments.insert(3, Moment(at=60.0, life=1, name="on disk running"))
    assert house_violations(story) == {}


def test_a_member_whose_end_a_kill_has_taken_may_be_begun_again() -> None:
    story = house()
    run = story.runs[0]
    run.told = [Told(at=20.0, life=0, verdict="failed", cause="interrupted")]
    run.deaths = [Died(at=21.0, life=0, how="random", point=None, note=None)]
    run.marks.append(Mark(at=22.0, life=1, name="begun"))
    run.told.append(Told(at=60.0, life=1, verdict="verified", cause=None))
    assert house_violations(story) == {}
