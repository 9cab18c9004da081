"""The plan of a rollout is its run: the same modules in the same order at the same times."""

import asyncio
import random

import pytest

from custom_components.esp_ota.ota import (
    NEVER,
    Member,
    MemberState,
    Share,
    Terms,
    foresee,
    waves_of,
)
from tests.kit.fleet import Fleet, random_fleet
from tests.kit.virtual_time import in_virtual_time

FLEETS = 200


@pytest.mark.slow
def test_two_hundred_random_fleets_run_as_they_were_planned() -> None:
    for seed in range(FLEETS):
        fleet = random_fleet(seed)
        plan = foresee(fleet.terms, fleet.members, limit=fleet.limit)
        in_virtual_time(fleet.rollout().run())
        planned = [(slot.index, slot.wave, pytest.approx(slot.begins)) for slot in plan]
        assert fleet.begun == planned, seed
        assert fleet.together <= fleet.limit
        assert sorted(slot.index for slot in plan) == list(range(len(fleet.members)))


@pytest.mark.slow
def test_a_bad_image_touches_the_canaries_at_most() -> None:
    for seed in range(FLEETS):
        fleet = random_fleet(seed)
        fleet.ends = dict.fromkeys(range(len(fleet.members)), MemberState.FAILED)
        in_virtual_time(fleet.rollout().run())
        assert 1 <= len(fleet.begun) <= max(1, fleet.terms.canaries), seed


@pytest.mark.slow
def test_what_was_planned_for_the_rest_runs_after_a_crash_at_any_note() -> None:
    for seed in range(FLEETS // 4):
        fleet = random_fleet(seed)
        in_virtual_time(fleet.rollout().run())
        states = random.Random(seed).choice(fleet.noted)
        rests = 0
        again = random_fleet(seed)
        in_virtual_time(again.rollout(states, rests).run())
        left = {index for index, state in enumerate(states) if state is not MemberState.UPDATED}
        assert sorted(index for index, _, _ in again.begun) == sorted(left), seed


def test_a_plan_waits_for_a_window_as_the_queue_does() -> None:
    def opens(at: float) -> float:
        return at if at % 1000 < 100 else (at // 1000 + 1) * 1000

    members = [Member(name=f"m{n}", seconds=60, opens=opens) for n in range(4)]
    members.append(Member(name="never", seconds=1, opens=lambda _at: NEVER))
    plan = foresee(Terms(canaries=0), members, limit=1)
    assert [(slot.index, slot.begins) for slot in plan] == [
        (0, 0.0),
        (1, 60.0),
        (2, 1000.0),
        (3, 1060.0),
        (4, NEVER),
    ]


@pytest.mark.parametrize(
    ("terms", "count", "sizes"),
    [
        (Terms(canaries=0), 5, [1, 4]),
        (Terms(canaries=9), 5, [5]),
        (Terms(waves=(Share(amount=10, is_percent=True),)), 21, [1, 3, 3, 3, 3, 3, 3, 2]),
        (Terms(waves=(Share(amount=1), Share(amount=3))), 9, [1, 1, 3, 3, 1]),
        (Terms(), 1, [1]),
        (Terms(), 0, [0]),
    ],
)
def test_waves_are_as_large_as_was_said(terms: Terms, count: int, sizes: list[int]) -> None:
    states = [MemberState.WAITS] * count
    assert [len(wave) for wave in waves_of(terms, states)] == sizes


@pytest.mark.parametrize(
    ("stop", "failed", "stops"),
    [
        (Share(amount=0), 1, True),
        (Share(amount=2), 2, False),
        (Share(amount=2), 3, True),
        (Share(amount=25, is_percent=True), 2, False),
        (Share(amount=25, is_percent=True), 3, True),
        (Share(amount=100, is_percent=True), 8, False),
    ],
)
def test_it_stops_when_more_fail_than_was_said(stop: Share, failed: int, stops: bool) -> None:
    members = [Member(name=f"m{n}", seconds=60) for n in range(9)]
    ends = dict.fromkeys(range(1, 1 + failed), MemberState.FAILED)
    fleet = Fleet(terms=Terms(stop=stop), members=members, limit=1, ends=ends)
    in_virtual_time(fleet.rollout().run())
    begun = [index for index, _, _ in fleet.begun]
    assert begun == list(range(1 + failed if stops else 9))


def test_a_canary_that_is_refused_is_replaced_until_one_proves_the_image() -> None:
    members = [Member(name=f"m{n}", seconds=60) for n in range(5)]
    ends = {0: MemberState.REFUSED, 1: MemberState.CANCELLED, 2: MemberState.FAILED}
    fleet = Fleet(terms=Terms(), members=members, limit=4, ends=ends)
    in_virtual_time(fleet.rollout().run())
    assert [index for index, _, _ in fleet.begun] == [0, 1, 2]


def test_a_rest_is_as_long_as_was_said_though_the_clock_jumps() -> None:
    for jump in (-86400.0, 86400.0):
        members = [Member(name=f"m{n}", seconds=60) for n in range(2)]
        fleet = Fleet(terms=Terms(soak=500), members=members, limit=1)
        in_virtual_time(fleet.rollout(clock=lambda at, jump=jump: at + jump * (at > 100)).run())
        assert [at for _, _, at in fleet.begun] == [0, 560]


async def _halted(fleet: Fleet, at: float) -> list[MemberState]:
    rollout = fleet.rollout()
    run = asyncio.ensure_future(rollout.run())
    await asyncio.sleep(at)
    await rollout.halt()
    await run
    return rollout.states


@pytest.mark.slow
def test_whenever_it_is_paused_everybody_is_updated_once_when_it_goes_on() -> None:
    for seed in range(FLEETS):
        fleet = random_fleet(seed)
        plan = foresee(fleet.terms, fleet.members, limit=fleet.limit)
        at = random.Random(seed).uniform(0, max(slot.ends for slot in plan))
        states = in_virtual_time(_halted(fleet, at))
        assert MemberState.BEGUN not in states
        first = [index for index, _, _ in fleet.begun]
        fleet.begun.clear()
        in_virtual_time(fleet.rollout(states).run())
        second = [index for index, _, _ in fleet.begun]
        assert sorted(first + second) == list(range(len(fleet.members))), seed


def test_hundreds_that_end_in_one_moment_are_written_down_once() -> None:
    members = [Member(name=f"m{number}", seconds=10.0) for number in range(200)]
    fleet = Fleet(terms=Terms(), members=members, limit=200)
    in_virtual_time(fleet.rollout().run())
    assert len(fleet.begun) == 200
    # Each wave before it begins, its end, and the end of all.
    assert len(fleet.noted) <= 8
    assert set(fleet.noted[-1]) == {MemberState.UPDATED}
