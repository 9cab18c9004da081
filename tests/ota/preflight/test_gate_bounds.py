"""What the gate says to a pin, a hold and a channel."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.esp_ota.ota import Cause, ask_bounds, ask_gate
from tests.ota.examples import CANDIDATE, MODULE
from tests.ota.preflight.gate_questions import refused

RC = replace(CANDIDATE, version="1.4.0-rc.1", is_prerelease=True)
STABLE = {"takes_prereleases": False}


@pytest.mark.parametrize(
    ("candidate", "module", "cause"),
    [
        ({}, {"pin": "1.1.*"}, None),
        ({}, {"pin": "1.0.*"}, Cause.PINNED),
        ({"chosen": True}, {"pin": "1.0.*"}, Cause.PINNED),
        ({"goes_back": True}, {"pin": "1.0.*"}, None),
        ({}, {"held_until": "2026-12-24 08:00"}, Cause.HELD),
        ({"chosen": True}, {"held_until": "2026-12-24 08:00"}, Cause.HELD),
        ({"goes_back": True}, {"held_until": "2026-12-24 08:00"}, None),
        ({}, STABLE, None),
    ],
)
def test_a_pin_and_a_hold_bind_everybody_but_a_way_back(
    candidate: dict[str, Any], module: dict[str, Any], cause: Cause | None
) -> None:
    asked, facts = replace(CANDIDATE, **candidate), replace(MODULE, **module)
    if cause is None:
        assert ask_gate(asked, facts).refusal is None
        assert ask_bounds(asked, facts) is None
    else:
        assert refused(asked, facts).cause is cause
        answer = ask_bounds(asked, facts)
        assert answer is not None
        assert answer.cause is cause


@pytest.mark.parametrize(
    ("candidate", "module", "is_kept_away"),
    [
        ({}, STABLE, True),
        ({}, {}, False),
        ({"chosen": True}, STABLE, False),
        ({"chosen": True, "by_rollout": True}, STABLE, True),
        ({"goes_back": True}, STABLE, False),
        ({}, {**STABLE, "pin": "1.4.0-rc.1"}, False),
        ({"by_rollout": True}, {**STABLE, "pin": "v1.4.0rc1"}, False),
        ({}, {**STABLE, "pin": "1.4.*"}, True),
    ],
)
def test_pre_releases_are_for_who_wants_them(
    candidate: dict[str, Any], module: dict[str, Any], is_kept_away: bool
) -> None:
    asked, facts = replace(RC, **candidate), replace(MODULE, **module)
    if is_kept_away:
        assert refused(asked, facts).cause is Cause.CHANNEL
    else:
        assert ask_gate(asked, facts).refusal is None
