"""The plan of a rollout is its run: the same modules in the same order at the same times."""

import random

import pytest

from custom_components.esp_ota.ota import MemberState, foresee
from tests.kit.fleet import random_fleet
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
