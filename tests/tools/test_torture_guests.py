"""The rules of guests in the torture find what breaks them, and nothing in a good update."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.test_torture_checks import good
from tests.torture.checks import violations
from tests.torture.draw import plan_house
from tests.torture.history import Command, Died, History, Pressed, Seen, Told
from tests.torture.plan import GUEST, GuestPlan
from tests.torture.torture_garden.points import NEEDS, OF_GUESTS_TOO, POINTS


def guest(fault: str | None = None, **changes: Any) -> History:
    """Return the update of a guest that went well."""
    plan = GuestPlan(blocks=True, is_sent=False, seconds=5.0, away=3.0, fault=fault)
    run = good(door=GUEST, guest=plan, **changes)
    run.samples = []
    return run


def picked_up() -> History:
    """Return one that was called before a kill, and proven after it."""
    run = guest()
    run.deaths = [Died(at=7.0, life=0, how="point", point="after_call", note={"stage": "sending"})]
    run.presses = [Pressed(at=1.0, life=0, again=False)]
    run.told = [Told(at=20.0, life=1, verdict="verified", cause=None, same_life=False)]
    return run


@pytest.mark.parametrize("make", [guest, picked_up])
def test_a_good_update_of_a_guest_keeps_all_rules(make: Callable[[], History]) -> None:
    assert violations(make()) == []


def called_again(run: History) -> None:
    run.module.append(Seen(at=15.0, name="first_byte", details={"noted": "sending"}))


def restored_while_it_installs(run: History) -> None:
    run.commands[1] = Command(at=12.0, position="open", life=0)


def called_without_a_note(run: History) -> None:
    run.module[1] = Seen(at=5.0, name="first_byte", details={"noted": None})


def told_a_lie(run: History) -> None:
    run.told = [Told(at=20.0, life=0, verdict="unchanged", cause="guest_unchanged")]


def never_restored(run: History) -> None:
    del run.commands[1]


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [
        (called_again, "no guest is told twice"),
        (restored_while_it_installs, "the equipment of a guest stays safe while it installs"),
        (called_without_a_note, "nothing is sent that is not written down"),
        (told_a_lie, "the verdict is the truth"),
        (never_restored, "restore ran exactly once per made safe"),
    ],
)
def test_a_broken_rule_is_found(break_it: Callable[[History], None], rule: str) -> None:
    run = guest()
    break_it(run)
    assert rule in {violation.partition(":")[0] for violation in violations(run)}


def test_one_that_is_called_again_after_a_kill_is_found() -> None:
    run = picked_up()
    called_again(run)
    rules = {violation.partition(":")[0] for violation in violations(run)}
    assert {"no guest is told twice", "nothing is sent again by itself"} <= rules


def test_one_that_never_ends_may_be_given_up() -> None:
    run = guest("never_ends")
    run.module = run.module[:2]
    run.told = [Told(at=20.0, life=0, verdict="failed", cause="guest_too_slow")]
    run.presses = [Pressed(at=1.0, life=0, again=False, answered=True, error="guest_too_slow")]
    run.version_at_end = "1.0.0"
    assert violations(run) == []


def test_guests_are_drawn_with_every_fault_at_their_points_and_in_rollouts() -> None:
    plans = [plan_house("guests", number) for number in range(900)]
    guests = [item for house in plans for item in house.modules if item.guest]
    faults = {item.guest.fault for item in guests if item.guest}
    assert len(faults) == 8
    killed = {
        death.point
        for house in plans
        for item in house.modules
        for death in house.deaths
        if item.guest and death.module == item.name
    }
    of_guests = {point for point, need in NEEDS.items() if need.startswith("guest")}
    assert of_guests <= killed <= set(OF_GUESTS_TOO) | of_guests <= set(POINTS)
    assert any(
        item.guest and item.name in house.members for house in plans for item in house.modules
    )
