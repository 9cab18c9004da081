"""What the update entity of a guest proves, and for how long it is believed to be at work."""

from dataclasses import replace

import pytest

from custom_components.esp_ota.ota.causes import Cause
from custom_components.esp_ota.ota.guest.proof import (
    GuestLimits,
    GuestState,
    Vigil,
    is_offered,
    keeps_from,
    proves,
)

LIMITS = GuestLimits(quiet=10, in_progress=60, failed=3, all_in_all=200)
OLD = GuestState(installed="1.0.0", latest="1.1.0")


@pytest.mark.parametrize(
    ("installed", "changes"),
    [
        ("1.1.0", {}),
        ("v1.1.0", {}),
        ("1.1.0_c51f7548", {}),
        ("20230913-112003/v1.1.0-gcb84623", {"is_newest": True}),
        ("Build 4711", {"is_newest": True}),
        ("1.2.0", {"is_newest": True}),
        ("1.1.0", {"latest": None}),
    ],
)
def test_the_wanted_version_is_known_in_other_spellings(
    installed: str, changes: dict[str, object]
) -> None:
    state = replace(OLD, installed=installed, **changes)  # type: ignore[arg-type]
    assert proves(state, "1.1.0", "1.0.0")


@pytest.mark.parametrize(
    "state",
    [
        OLD,
        replace(OLD, installed=None),
        replace(OLD, installed="1.1.0", in_progress=True),
        replace(OLD, installed="1.1.0", is_available=False),
        replace(OLD, installed="1.0.5"),
        replace(OLD, installed="1.0.5", latest="1.0.5", is_newest=True),
        replace(OLD, is_newest=True, skipped="1.1.0"),
        replace(OLD, installed="other", is_newest=True, skipped="1.1.0"),
        replace(OLD, is_newest=True, latest=None),
    ],
)
def test_all_else_proves_nothing(state: GuestState) -> None:
    assert not proves(state, "1.1.0", "1.0.0")


def test_another_build_of_the_same_version_is_told_from_the_old_one() -> None:
    state = GuestState(installed="1.1.0_aaaaaaa1", latest="1.1.0_bbbbbbb2")
    assert is_offered(state)
    assert not proves(state, "1.1.0_bbbbbbb2", "1.1.0_aaaaaaa1")
    assert proves(replace(state, installed="1.1.0_bbbbbbb2"), "1.1.0_bbbbbbb2", "1.1.0_aaaaaaa1")


@pytest.mark.parametrize(
    "state",
    [
        replace(OLD, is_newest=True),
        replace(OLD, latest=None),
        replace(OLD, installed=None),
        replace(OLD, installed="1.1.0"),
        replace(OLD, installed="1.1.0_c51f7548"),
    ],
)
def test_nothing_is_offered_that_is_there_or_was_skipped(state: GuestState) -> None:
    assert is_offered(OLD)
    assert not is_offered(state)


@pytest.mark.parametrize(
    ("changes", "any_version", "cause"),
    [
        ({}, False, None),
        ({"installed": "1.1.0", "latest": "1.2.0"}, False, None),
        ({"latest": "1.2.0"}, True, None),
        ({"latest": None}, True, None),
        ({"latest": None}, False, Cause.GUEST_NO_VERSION),
        ({"installed": None}, True, Cause.GUEST_NO_VERSION),
        ({"latest": "1.2.0"}, False, Cause.GUEST_OTHER_OFFER),
        ({"in_progress": True}, True, Cause.GUEST_BUSY),
        ({"can_install": False}, True, Cause.GUEST_NO_INSTALL),
        ({"is_available": False}, True, Cause.GUEST_UNAVAILABLE),
        ({"is_there": False, "is_available": False}, True, Cause.GUEST_GONE),
    ],
)
def test_what_keeps_it_from_beginning_has_a_cause(
    changes: dict[str, object],
    any_version: bool,
    cause: Cause | None,
) -> None:
    state = replace(OLD, **changes)  # type: ignore[arg-type]
    err = keeps_from(state, "1.1.0", any_version=any_version)
    assert (err.cause if err else None) == cause


def over(vigil: Vigil, *said: tuple[float, GuestState]) -> float | None:
    """Return when the last of what is said leaves nothing to wait for."""
    for at, state in said:
        if vigil.is_over(state, at):
            return at
    return None


def test_nothing_new_for_a_while_ends_it() -> None:
    assert over(Vigil(limits=LIMITS, began=0), (0, OLD), (9, OLD), (10, OLD)) == 10


def test_each_sign_of_progress_begins_the_wait_anew() -> None:
    busy = replace(OLD, in_progress=True)
    said = [(at * 50.0, replace(busy, percent=float(at))) for at in range(4)]
    vigil = Vigil(limits=LIMITS, began=0)
    assert over(vigil, *said) is None
    assert over(vigil, (209, said[-1][1])) == 209


def test_one_that_says_no_more_how_far_it_is_is_waited_for_longer() -> None:
    busy = replace(OLD, in_progress=True)
    assert over(Vigil(limits=LIMITS, began=0), (0, busy), (59, busy), (60, busy)) == 60


def test_after_an_error_it_is_waited_for_less_unless_it_goes_on() -> None:
    failed = Vigil(limits=LIMITS, began=0, has_failed=True)
    assert over(failed, (0, OLD), (3, OLD)) == 3
    restarts = Vigil(limits=LIMITS, began=0, has_failed=True)
    away = GuestState(is_available=False)
    assert over(restarts, (0, OLD), (2, away), (11, away), (12, away)) == 12


def test_another_offer_meanwhile_is_no_progress() -> None:
    said = [(at, replace(OLD, latest=f"1.{at}.0")) for at in range(11)]
    assert over(Vigil(limits=LIMITS, began=0), *said) == 10
