"""Each rule of the months finds a house that breaks it, and none in one that keeps them all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.garden import VALVE
from tests.months.checks import CHECKS, violations
from tests.months.history import (
    Ended,
    Figures,
    Happened,
    History,
    Kept,
    Look,
    Press,
    Said,
)
from tests.months.plan import ANNOUNCES, DAY, HOUR, MINUTE, PULLS, SILENT, ModulePlan, Plan

BEGIN = datetime(2026, 2, 10, 10, tzinfo=UTC).timestamp()
NIGHT = BEGIN + 17.5 * HOUR
VALUES = {
    "memory_kb": 300_000.0,
    "threads": 10.0,
    "tasks": 20.0,
    "timers": 40.0,
    "timers_of_ours": 4.0,
    "listeners": 200.0,
    "sockets": 12.0,
    "files": 30.0,
    "objects_of_ours": 5000.0,
}


def plan() -> Plan:
    """Return a house of four modules, one of each kind that is judged in its own way."""
    modules = (
        ModulePlan(name="valve", number=0, way=ANNOUNCES, equipment=VALVE, night="03:30:00"),
        ModulePlan(name="poller", number=1, way=PULLS, interval=15 * MINUTE, night="03:30:00"),
        ModulePlan(name="silent", number=2, way=SILENT, says=False, night="03:30:00"),
        ModulePlan(name="fails", number=3, way=ANNOUNCES, fails=True, night="03:30:00"),
    )
    return Plan(
        seed="made-up",
        days=3.0,
        start=datetime.fromtimestamp(BEGIN, UTC),
        modules=modules,
        acts=(),
    )


def look(at: float, module: str, runs: str = "1.0.0", **changes: Any) -> Look:
    """Return a look at a module that is there, and shown as it is."""
    asked = at - 3 * MINUTE if module == "poller" else None
    silent = module == "silent"
    known = Look(
        at=at,
        module=module,
        there_since=BEGIN - HOUR,
        gone_at=None,
        last_asked=asked,
        runs=runs,
        added_at=BEGIN + MINUTE,
        home_since=BEGIN,
        installed="unknown" if silent else runs,
        latest="1.1.0" if at > BEGIN + 8 * HOUR else runs,
        reachable=None if silent else "on",
        last_seen=None if silent else asked or at - 10 * MINUTE,
    )
    return replace(known, **changes)


def figures(day: int, **changes: Any) -> Figures:
    at = BEGIN + day * DAY
    known = Figures(
        at=at,
        entries=4,
        values=dict(VALUES),
        storage=20_000,
        releases=8,
        rows={"valve": 30.0},
    )
    return replace(known, **changes)


def good() -> History:
    """Return three days in which each of the three that can be sent to got an update at night."""
    run = History(plan=plan(), ended_at=BEGIN + 3 * DAY)
    run.released = [(BEGIN + 8 * HOUR, "1.1.0")]
    for name in ("valve", "poller", "silent", "fails"):
        run.happened.append(started(BEGIN - HOUR, name, "1.0.0"))
    for name in ("valve", "poller", "silent"):
        run.presses.append(Press(at=NIGHT, module=name, by="automation"))
        run.happened.append(Happened(at=NIGHT + MINUTE, module=name, event="first_byte"))
        run.happened.append(started(NIGHT + 2 * MINUTE, name, "1.1.0", event="back"))
        run.ended.append(ended(NIGHT + 3 * MINUTE, name))
    run.happened.sort(key=lambda seen: seen.at)
    for hour in range(1, 72):
        at = BEGIN + hour * HOUR
        for name in ("valve", "poller", "silent", "fails"):
            runs = "1.1.0" if at > NIGHT and name != "fails" else "1.0.0"
            run.looks.append(look(at, name, runs))
        run.equipment.append((at, "valve", "open", "open"))
    run.figures = [figures(day) for day in (1, 2, 3)]
    return run


def started(at: float, module: str, version: str, event: str = "up") -> Happened:
    return Happened(at=at, module=module, event=event, details={"version": version})


def ended(at: float, module: str, verdict: str = "verified", cause: str | None = None) -> Ended:
    return Ended(at=at, module=module, verdict=verdict, cause=cause, version="1.1.0")


def test_good_days_keep_all_rules() -> None:
    assert violations(good()) == []


def test_what_a_person_put_back_runs_long_before_that_is_proven() -> None:
    """One that asks each hour says so in its next request."""
    run = good()
    run.ended[0] = ended(NIGHT + 3 * MINUTE, "valve", "rolled_back")
    assert violations(run) == []


def shown(run: History, module: str, first: int, last: int, **changes: Any) -> None:
    """Have a module be shown, or be, another way from one hour to another."""
    run.looks = [
        replace(item, **changes)
        if item.module == module and BEGIN + first * HOUR <= item.at <= BEGIN + last * HOUR
        else item
        for item in run.looks
    ]


def card_shows_the_old_version(run: History) -> None:
    shown(run, "valve", 30, 31, installed="1.0.0")


def card_of_one_that_says_what_it_runs_is_unknown(run: History) -> None:
    shown(run, "valve", 30, 31, installed="unknown")


def silent_one_is_shown_with_a_version_it_does_not_run(run: History) -> None:
    shown(run, "silent", 30, 31, installed="1.0.0")


def one_that_is_there_is_not_reachable(run: History) -> None:
    shown(run, "poller", 30, 31, reachable="off")


def one_that_has_not_asked_since_the_start_is_not_reachable(run: History) -> None:
    shown(run, "poller", 30, 31, reachable="off", home_since=BEGIN + 31 * HOUR)


def nobody_knows_whether_it_is_reachable(run: History) -> None:
    shown(run, "valve", 30, 31, reachable="unknown")


def dead_one_is_shown_for_hours(run: History) -> None:
    died = BEGIN + 29 * HOUR
    shown(run, "valve", 30, 33, there_since=None, gone_at=died, last_seen=died)


def dead_one_was_seen(run: History) -> None:
    died = BEGIN + 29 * HOUR
    shown(run, "valve", 30, 33, there_since=None, gone_at=died, reachable="off")


def last_seen_stands_still(run: History) -> None:
    shown(run, "poller", 30, 31, last_seen=BEGIN + 20 * HOUR)


def success_runs_the_old_one(run: History) -> None:
    run.happened = [
        started(seen.at, "valve", "1.0.0", event="back")
        if seen.event == "back" and seen.module == "valve"
        else seen
        for seen in run.happened
    ]
    shown(run, "valve", 18, 72, runs="1.0.0", installed="1.0.0")


def failure_runs_the_new_one(run: History) -> None:
    run.ended[0] = ended(NIGHT + 3 * MINUTE, "valve", "failed", "did_not_come_back")


def nothing_was_put_back(run: History) -> None:
    run.ended[0] = replace(ended(NIGHT + 3 * MINUTE, "valve", "rolled_back"), version="0.9.0")


def night_without_an_answer(run: History) -> None:
    del run.ended[0]


def one_that_is_there_is_told_as_away(run: History) -> None:
    at = NIGHT + 2 * DAY
    run.presses.append(Press(at=at, module="valve", by="automation"))
    run.ended.append(ended(at + MINUTE, "valve", "refused", "unreachable"))
    run.ended[-1] = replace(run.ended[-1], version="1.2.0")


def image_without_a_press(run: History) -> None:
    run.happened.append(Happened(at=BEGIN + 50 * HOUR, module="valve", event="first_byte"))


def image_of_a_module_that_nobody_pressed(run: History) -> None:
    run.happened.append(Happened(at=NIGHT + MINUTE, module="fails", event="invited"))


def card_offers_the_old_one(run: History) -> None:
    shown(run, "valve", 30, 31, latest="1.0.0")


def skipped_one_is_sent(run: History) -> None:
    run.skipped.append((BEGIN + 9 * HOUR, "valve", "1.1.0"))


def failing_one_is_sent_every_night(run: History) -> None:
    for night in range(3):
        at = NIGHT + night * DAY
        run.presses.append(Press(at=at, module="fails", by="automation"))
        run.happened.append(Happened(at=at + MINUTE, module="fails", event="first_byte"))
        run.ended.append(ended(at + 2 * MINUTE, "fails", "failed", "rejected"))


def valve_stays_shut(run: History) -> None:
    run.equipment += [
        (BEGIN + hour * HOUR, "valve", "closed", "open") for hour in (72.0, 72.1, 72.2)
    ]


def name_is_lost(run: History) -> None:
    run.kept.append(Kept(at=BEGIN + DAY, what="entity firmware of valve", wanted="a", found=None))


def memory_grows(run: History) -> None:
    run.figures[1:] = [figures(day, values=VALUES | {"memory_kb": 400_000.0}) for day in (2, 3)]


def listeners_pile_up(run: History) -> None:
    run.figures[1:] = [figures(day, values=VALUES | {"listeners": 260.0}) for day in (2, 3)]


def every_word_is_a_row(run: History) -> None:
    run.figures = [figures(day, rows={"valve": 70.0}) for day in (1, 2, 3)]


def one_day_is_full_of_rows(run: History) -> None:
    rows = (10.0, 103.0, 10.0)
    run.figures = [figures(day + 1, rows={"valve": rows[day]}) for day in range(3)]


def storage_grows(run: History) -> None:
    run.figures[-1] = figures(3, storage=120_000)


def dropped_releases_come_back(run: History) -> None:
    run.figures[-1] = figures(3, releases=40)


def same_line_every_minute(run: History) -> None:
    run.said += [
        Said(BEGIN + minute * MINUTE, "INFO", "custom_components.esp_ota", f"valve asks {minute}")
        for minute in range(60)
    ]


def exception_of_ours(run: History) -> None:
    text = "Error doing job\nTraceback (most recent call last):\n esp_ota/house.py\nKeyError: 1"
    run.said.append(Said(BEGIN, "ERROR", "homeassistant", text))


def error_on_a_quiet_night(run: History) -> None:
    logger = "homeassistant.components.automation.night_valve"
    run.said.append(Said(NIGHT + DAY, "ERROR", logger, "No update available"))


BREAKS: list[tuple[str, Callable[[History], None]]] = [
    ("nothing is untrue for long: card of valve", card_shows_the_old_version),
    ("nothing is untrue for long: card of valve", card_of_one_that_says_what_it_runs_is_unknown),
    (
        "nothing is untrue for long: card of silent",
        silent_one_is_shown_with_a_version_it_does_not_run,
    ),
    ("nothing is untrue for long: Reachable of poller", one_that_is_there_is_not_reachable),
    (
        "nothing is untrue for long: Reachable of poller",
        one_that_has_not_asked_since_the_start_is_not_reachable,
    ),
    ("nothing is untrue for long: Reachable of valve", nobody_knows_whether_it_is_reachable),
    ("nothing is untrue for long: Reachable of valve", dead_one_is_shown_for_hours),
    ("nothing is untrue for long: Last seen of valve", dead_one_was_seen),
    ("nothing is untrue for long: Last seen of poller", last_seen_stands_still),
    ("each install ended as the truth: valve", success_runs_the_old_one),
    ("each install ended as the truth: valve", failure_runs_the_new_one),
    ("each install ended as the truth: valve", nothing_was_put_back),
    ("each night did its work: nothing came of valve", night_without_an_answer),
    ("nobody is said to be away who was there: valve", one_that_is_there_is_told_as_away),
    ("nothing was sent without a press: valve", image_without_a_press),
    ("nothing was sent without a press: fails", image_of_a_module_that_nobody_pressed),
    ("each card offers the newest: valve is offered 1.0.0", card_offers_the_old_one),
    ("nothing that is skipped is sent: valve", skipped_one_is_sent),
    ("what fails is not sent again and again: fails", failing_one_is_sent_every_night),
    ("the equipment works: valve", valve_stays_shut),
    ("what a person set up stays: entity firmware of valve", name_is_lost),
    ("it takes no more than at first: memory_kb", memory_grows),
    ("it takes no more than at first: listeners", listeners_pile_up),
    ("few rows are written: valve: 70 rows a day", every_word_is_a_row),
    ("few rows are written: valve: 103 rows in the day", one_day_is_full_of_rows),
    ("storage stays small: 120000 bytes", storage_grows),
    ("dropped releases stay away: 40 releases", dropped_releases_come_back),
    ("no line is logged every minute: 60 times", same_line_every_minute),
    ("nothing of ours breaks", exception_of_ours),
    ("a night without news is quiet", error_on_a_quiet_night),
]


def _named(value: str | Callable[[History], None]) -> str:
    """Return what a case is called, by every worker alike."""
    return value if isinstance(value, str) else value.__name__


@pytest.mark.parametrize(("violation", "break_it"), BREAKS, ids=_named)
def test_a_broken_rule_is_found(violation: str, break_it: Callable[[History], None]) -> None:
    run = good()
    break_it(run)
    run.presses.sort(key=lambda press: press.at)
    found = violations(run)
    assert found
    assert all(text.startswith(violation) for text in found), found


def test_every_rule_is_broken_by_a_test() -> None:
    names = {check.__name__.replace("_", " ") for check in CHECKS}
    assert {violation.partition(":")[0] for violation, _ in BREAKS} == names


def forgiven(run: History) -> None:
    """Have all that the rules allow: what is back within minutes, and what nobody can know."""
    for night in range(3):
        at = NIGHT + night * DAY
        run.presses.append(Press(at=at, module="fails", by="automation"))
        run.happened.append(Happened(at=at + MINUTE, module="fails", event="first_byte"))
        run.ended.append(ended(at + 2 * MINUTE, "fails", "failed", "md5_mismatch"))
    run.added.append((NIGHT + 1.5 * DAY, "fails"))
    died = BEGIN + 29 * HOUR
    shown(run, "fails", 30, 30, there_since=None, gone_at=died, last_seen=died)
    shown(run, "valve", 40, 40, installed="1.0.0")
    shown(run, "poller", 41, 42, reachable="unknown", home_since=BEGIN + 43 * HOUR)
    run.looks.append(look(BEGIN + 40.05 * HOUR, "valve", "1.1.0"))
    run.looks.sort(key=lambda item: item.at)
    run.presses.append(Press(at=NIGHT + DAY, module="valve", by="automation"))


def test_what_the_rules_allow_is_no_violation() -> None:
    run = good()
    forgiven(run)
    assert violations(run) == []


def test_one_busy_day_is_no_mean() -> None:
    run = good()
    run.figures = [figures(1, rows={"valve": 54.0})]
    assert violations(run) == []
