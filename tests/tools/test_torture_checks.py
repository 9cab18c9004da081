"""Each rule of the torture finds a history that breaks it, and none in one that keeps them all."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.torture.checks import CHECKS, violations
from tests.torture.history import Command, Died, History, Pressed, Sample, Seen, Shown, Told
from tests.torture.plan import ModulePlan, ValvePlan
from tests.torture.shared import shared_violations


def plan(**changes: Any) -> ModulePlan:
    given: dict[str, Any] = {
        "name": "m0",
        "door": "arduino_ota",
        "config": {"chip": "esp8266", "txt_firmware": True},
        "dialect": None,
        "faults": {},
        "valve": ValvePlan(),
        "options": {"restore_conditions": True, "rollback": "ask", "when_missing": "restore"},
        "press_at": 0.0,
    }
    return ModulePlan(**given | changes)


def good(**changes: Any) -> History:
    """Return an update that went well, from the press at 1 to the telling at 20."""
    return History(
        number=0,
        plan=plan(**changes),
        module=[
            Seen(at=0.0, name="up", details={"version": "1.0.0"}),
            Seen(at=5.0, name="first_byte", details={"noted": "sending"}),
            Seen(at=10.0, name="installed", details={"version": "1.1.0"}),
            Seen(at=11.0, name="restarted"),
            Seen(at=14.0, name="booted", details={"version": "1.1.0"}),
            Seen(at=14.5, name="back", details={"version": "1.1.0"}),
        ],
        commands=[
            Command(at=2.0, position="closed", life=0),
            Command(at=18.0, position="open", life=0),
        ],
        shown=[
            Shown(at=0.0, value="open"),
            Shown(at=3.0, value="closed"),
            Shown(at=19.0, value="open"),
            Shown(at=30.0, value=None),
        ],
        presses=[Pressed(at=1.0, life=0, again=False, answered=True)],
        told=[Told(at=20.0, life=0, verdict="verified", cause=None)],
        samples=[Sample(at=5.0, taken=1000), Sample(at=9.0, taken=65536)],
        card={"in_progress": False, "stage": None, "installed_version": "1.1.0"},
        image_size=65536,
        version_at_end="1.1.0",
    )


def killed(stage: str | None, **note: Any) -> Died:
    found = {"stage": stage, **note} if stage else None
    return Died(at=7.0, life=0, how="point", point="sent_50", note=found)


def interrupted(stage: str, **note: Any) -> History:
    """Return an update whose Home Assistant was killed, and that was told of after the start."""
    run = good()
    run.deaths = [killed(stage, **note)]
    run.module = run.module[:2]
    run.presses = [Pressed(at=1.0, life=0, again=False)]
    run.told = [Told(at=20.0, life=1, verdict="failed", cause="interrupted", same_life=False)]
    run.version_at_end = "1.0.0"
    return run


def test_a_good_update_keeps_all_rules() -> None:
    assert violations(good()) == []


def test_an_interrupted_update_that_is_restored_and_told_keeps_all_rules() -> None:
    assert violations(interrupted("sending")) == []


def byte_while_open(run: History) -> None:
    run.shown[1] = Shown(at=6.0, value="closed")


def bytes_after_a_break(run: History) -> None:
    run.shown.insert(2, Shown(at=6.0, value="unavailable"))
    run.samples = [Sample(at=5.5, taken=1000), Sample(at=8.0, taken=40_000)]


def never_restored(run: History) -> None:
    del run.commands[1]


def restored_twice(run: History) -> None:
    run.commands.append(Command(at=18.5, position="open", life=0))


def made_safe_twice(run: History) -> None:
    run.commands.insert(1, Command(at=2.5, position="closed", life=0))


def left_closed(run: History) -> None:
    run.valve_ends = "closed"


def told_of_a_valve_that_obeys(run: History) -> None:
    run.told = [
        Told(at=20.0, life=0, verdict="verified", cause=None, restore_error="restore_failed")
    ]
    run.presses = [Pressed(at=1.0, life=0, again=False, answered=True, error="restore_failed")]


def left_in_the_journal(run: History) -> None:
    run.left_open = {"stage": "restoring"}


def left_on_the_card(run: History) -> None:
    run.card = {"in_progress": True, "stage": "sending"}


def never_ended(run: History) -> None:
    run.ended_in_time = False


def never_told(run: History) -> None:
    run.told = []


def answered_otherwise(run: History) -> None:
    run.presses = [Pressed(at=1.0, life=0, again=False, answered=True, error="no_answer")]


def sent_without_a_note(run: History) -> None:
    run.module[1] = Seen(at=5.0, name="first_byte", details={"noted": None})


def told_twice(run: History) -> None:
    run.told.append(Told(at=21.0, life=0, verdict="verified", cause=None))


def flashed_twice(run: History) -> None:
    run.module.insert(3, Seen(at=10.5, name="installed", details={"version": "1.1.0"}))


def rolled_back_unasked(run: History) -> None:
    run.module.insert(3, Seen(at=10.5, name="installed", details={"version": "1.0.0"}))


def pressed_twice(run: History) -> None:
    run.presses.append(Pressed(at=4.0, life=0, again=True, answered=True))


def impostor_invited(run: History) -> None:
    run.impostor = [Seen(at=4.0, name="invited")]


def impostor_flashed(run: History) -> None:
    run.impostor = [Seen(at=6.0, name="first_byte")]


def neighbour_flashed(run: History) -> None:
    run.neighbour = [Seen(at=6.0, name="first_byte")]


def told_of_no_update_too_soon(run: History) -> None:
    run.presses.append(
        Pressed(at=13.0, life=0, again=True, answered=True, error="no_update_available")
    )


def broke(run: History) -> None:
    run.alarms.append("Traceback")


BROKEN: dict[str, tuple[Callable[[History], None], str]] = {
    "first byte while open": (byte_while_open, "no byte was sent"),
    "bytes after a break": (bytes_after_a_break, "no byte was sent"),
    "never restored": (never_restored, "restore ran exactly once"),
    "restored twice": (restored_twice, "restore ran exactly once"),
    "made safe twice": (made_safe_twice, "restore ran exactly once"),
    "left closed": (left_closed, "the equipment ends"),
    "told of a valve that obeys": (told_of_a_valve_that_obeys, "the equipment ends"),
    "left in the journal": (left_in_the_journal, "no install is left open"),
    "left on the card": (left_on_the_card, "no install is left open"),
    "never ended": (never_ended, "no install is left open"),
    "never told": (never_told, "no job is lost"),
    "answered otherwise": (answered_otherwise, "no job is lost"),
    "sent without a note": (
        sent_without_a_note,
        "nothing is sent that is not written down",
    ),
    "told twice": (told_twice, "it is told once"),
    "flashed twice": (flashed_twice, "no module is flashed twice"),
    "rolled back unasked": (rolled_back_unasked, "no module is flashed twice"),
    "pressed twice": (pressed_twice, "a second press is refused"),
    "impostor invited": (impostor_invited, "no impostor gets anything"),
    "impostor flashed": (impostor_flashed, "no impostor gets anything"),
    "neighbour flashed": (neighbour_flashed, "no other module gets"),
    "told of no update too soon": (told_of_no_update_too_soon, "a second press is refused"),
    "broke": (broke, "nothing of ours breaks"),
}


@pytest.mark.parametrize(("spoil", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_found(spoil: Callable[[History], None], rule: str) -> None:
    run = good()
    spoil(run)
    found = violations(run)
    assert found
    assert {violation.partition(":")[0] for violation in found} == {
        next(name for name in names() if name.startswith(rule))
    }


def test_a_second_press_while_a_finished_update_restores_is_answered_by_home_assistant() -> None:
    """The new version is on the card by then: nothing is left to update."""
    run = good()
    run.presses.append(
        Pressed(at=17.0, life=0, again=True, answered=True, error="no_update_available")
    )
    assert violations(run) == []


def test_a_second_press_finds_no_update_once_the_module_has_no_room_for_it() -> None:
    run = good()
    old_runs(run)
    run.presses[0] = Pressed(at=1.0, life=0, again=False, answered=True, error="no_space")
    run.presses.append(
        Pressed(at=17.0, life=0, again=True, answered=True, error="no_update_available")
    )
    run.told = [Told(at=20.0, life=0, verdict="refused", cause="no_space")]
    rule = "a second press is refused"
    assert not [found for found in violations(run) if found.startswith(rule)]
    run.told = [Told(at=20.0, life=0, verdict="failed", cause="connection_lost")]
    assert [found for found in violations(run) if found.startswith(rule)]


def names() -> list[str]:
    return [check.__name__.replace("_", " ") for check in CHECKS]


def old_runs(run: History) -> None:
    run.module = run.module[:2]
    run.version_at_end = "1.0.0"


def nothing_runs(run: History) -> None:
    run.module = run.module[:4]
    run.version_at_end = None


def new_runs(_run: History) -> None:
    pass


LIES: list[tuple[Callable[[History], None], str, str | None]] = [
    (old_runs, "verified", None),
    (nothing_runs, "verified", None),
    (old_runs, "unverified", None),
    (nothing_runs, "unverified", None),
    (new_runs, "unchanged", "old_firmware_back"),
    (new_runs, "rolled_back", "other_version_back"),
    (new_runs, "refused", "no_space"),
    (new_runs, "cancelled", "cancelled"),
    (new_runs, "failed", "did_not_come_back"),
    (new_runs, "failed", "did_not_restart"),
    (new_runs, "failed", "no_result"),
    (new_runs, "failed", "other_version_back"),
    (old_runs, "failed", "other_version_back"),
    (new_runs, "failed", "interrupted"),
    (new_runs, "failed", "connection_lost"),
    (new_runs, "failed", "internal"),
]


@pytest.mark.parametrize(("truth", "verdict", "cause"), LIES)
def test_a_verdict_that_is_not_the_truth_is_found(
    truth: Callable[[History], None], verdict: str, cause: str | None
) -> None:
    run = good()
    truth(run)
    run.told = [Told(at=26.0, life=0, verdict=verdict, cause=cause)]
    assert any(found.startswith("the verdict is the truth") for found in violations(run))


def test_something_sent_again_after_a_crash_is_found() -> None:
    run = interrupted("sending")
    run.module.append(Seen(at=9.0, name="first_byte", details={"noted": "queued"}))
    assert any(found.startswith("nothing is sent again") for found in violations(run))


def test_a_way_back_that_is_killed_twice_may_begin_after_each() -> None:
    run = good(options=plan().options | {"rollback": "auto"})
    noted = {"noted": "sending"}
    run.module += [Seen(at=at, name="first_byte", details=noted) for at in (15.0, 17.0)]
    run.deaths = [
        killed("sending"),
        Died(at=16.0, life=1, how="point", point="p", note={"stage": "sending"}),
    ]
    assert not [found for found in violations(run) if found.startswith("nothing is sent again")]
    del run.module[2]  # the new image never came: then it is no way back
    assert any(found.startswith("nothing is sent again") for found in violations(run))


def test_who_does_not_answer_at_its_turn_is_made_safe_again_at_the_next() -> None:
    run = good()
    run.commands[1:1] = [Command(at=2.5, position="open", life=0), run.commands[0]]
    assert any("made safe 2 times" in text for text in violations(run))
    run.points = ["after_leave", "before_journal_queued"]
    assert violations(run) == []


def test_one_killed_in_the_restore_behind_its_turn_is_given_all_turns_again() -> None:
    run = interrupted("restoring")
    run.commands = [
        Command(at=at, position=position, life=life)
        for at, position, life in (
            *((0.5, "closed", 0), (0.9, "open", 0)),
            *((11.0, "open", 1), (12.0, "closed", 1), (19.0, "open", 1)),
        )
    ]
    assert any("made safe 2 times" in text for text in violations(run))
    run.points = ["after_journal_done", "before_admit"]
    assert violations(run) == []


def test_what_was_still_queued_may_be_sent_after_a_crash() -> None:
    run = good()
    run.deaths = [Died(at=1.5, life=0, how="random", point=None, note={"stage": "queued"})]
    assert violations(run) == []


def test_a_crash_in_the_restore_may_restore_again_and_elsewhere_not() -> None:
    run = interrupted("restoring")
    run.commands.append(Command(at=19.0, position="open", life=1))
    assert violations(run) == []
    run.deaths = [killed("sending")]
    assert any(found.startswith("restore ran") for found in violations(run))


def test_another_verdict_than_was_decided_before_the_crash_is_found() -> None:
    run = interrupted("done", result={"verdict": "failed", "cause": "interrupted"})
    assert violations(run) == []
    run.deaths = [killed("done", result={"verdict": "unchanged", "cause": "old_firmware_back"})]
    assert any(found.startswith("it is told once") for found in violations(run))


# A valve that two modules switch


def sharing(closed: float, opened: float, told: float) -> History:
    """Return an update of the other module, which switches the same valve."""
    run = good(name="m1", shares="m0")
    run.commands = [
        Command(at=closed, position="closed", life=0),
        Command(at=opened, position="open", life=0),
    ]
    run.told = [Told(at=told, life=0, verdict="verified", cause=None)]
    return run


def test_two_updates_one_after_the_other_keep_the_rules_of_a_shared_valve() -> None:
    assert shared_violations([good(), sharing(19.0, 30.0, 31.0)]) == {}


@pytest.mark.parametrize(
    ("closed", "opened", "told", "who"),
    [(4.0, 10.0, 11.0, "m1"), (10.0, 30.0, 31.0, "m0"), (1.0, 30.0, 31.0, "m0")],
    ids=["within it", "the first opens it under the second", "around it"],
)
def test_a_shared_valve_that_is_opened_under_another_is_found(
    closed: float, opened: float, told: float, who: str
) -> None:
    found = shared_violations([good(), sharing(closed, opened, told)])
    assert list(found) == [who]
    assert found[who][0].startswith("no shared valve is opened under another")


def test_one_that_has_ended_without_a_restore_rests_on_it_no_more() -> None:
    """It was to stay safe: that was told, and is over."""
    run = good()
    del run.commands[1]
    assert shared_violations([run, sharing(21.0, 30.0, 31.0)]) == {}


def test_a_shared_valve_that_is_left_shut_without_a_word_is_found() -> None:
    runs = [good(), sharing(19.0, 30.0, 31.0)]
    for run in runs:
        run.valve_ends = "closed"
    assert list(shared_violations(runs)) == ["m1"]


def test_valves_of_their_own_are_not_compared() -> None:
    other = sharing(4.0, 10.0, 11.0)
    other.plan = plan(name="m1")
    assert shared_violations([good(), other]) == {}
