"""The one pipeline, step by step: the whole way, and all that refuses it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import time

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Check,
    Delivery,
    InstallRefused,
    InstallResult,
    InstallStage,
    Limits,
    OtaError,
    SafeStateError,
    Sighting,
    Verdict,
)
from custom_components.esp_ota.ota.exceptions import (
    ModuleAuthError,
    ModuleConnectionError,
    ModuleRejectedImage,
    TransferError,
)
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.ota.examples import DATA, IMAGE, MODULE, sighting
from tests.ota.pipeline.world import ALL_STAGES, NETWORK, Send, World, fail, succeed, unconfirmed

# The whole way


async def test_an_install_takes_every_step_in_order(world: World) -> None:
    result = await world.run()
    assert result == InstallResult(verdict=Verdict.VERIFIED, version="1.1.0")
    assert world.stages == ALL_STAGES
    assert [name for name in world.log if name != "holds"] == [
        "journal checking",
        "reachable",
        "journal queued",
        "turn",
        "reachable",
        "journal making_safe",
        "enter",
        "journal sending",
        "send",
        "journal restarting",
        "gone",
        "back",
        "journal verifying",
        "evidence",
        "journal restoring",
        "leave",
        "left",
        "journal done",
        "turn ends",
    ]
    assert world.left_with == [result]


async def test_the_default_limits_are_three_tries_within_a_second_of_a_break(world: World) -> None:
    limits = Limits()
    assert (limits.tries, limits.retry_pause) == (3, 5.0)
    assert limits.watch_interval < 1
    assert (await world.install(limits=None).run()).verdict is Verdict.VERIFIED


async def test_the_safe_state_is_confirmed_before_sending_and_at_the_first_byte(
    world: World,
) -> None:
    await world.run()
    sending = world.log.index("send")
    assert world.log[sending - 1] == "holds"
    assert world.log[sending + 1] == "holds"


async def test_each_stage_is_shown_and_a_percent_only_while_sending(world: World) -> None:
    await world.run()
    stages = [step.stage for step in world.progress]
    assert list(dict.fromkeys(stages)) == ALL_STAGES
    assert {step.total for step in world.progress} == {len(DATA)}
    percents = [step.percent for step in world.progress if step.stage is InstallStage.SENDING]
    assert percents == [None, 50, 100]
    assert all(
        step.percent is None for step in world.progress if step.stage is not InstallStage.SENDING
    )


async def test_evidence_counts_from_when_the_module_went(world: World) -> None:
    begin = time.monotonic()
    await world.run()
    assert begin <= world.asked_since["gone"] <= time.monotonic()
    assert world.asked_since["back"] == world.asked_since["evidence"] == world.gone_at


@pytest.mark.parametrize("answer", Delivery)
async def test_what_is_heard_counts_from_the_last_moment_the_old_sketch_was_sure_to_run(
    world: World, answer: Delivery
) -> None:
    moments: list[float] = []

    async def send(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        moments.append(time.monotonic())
        before_first_byte()
        moments.append(time.monotonic())
        await asyncio.sleep(0.02)  # it may restart while a lost OK is waited for
        moments.append(time.monotonic())
        return answer

    world.sends = [send]
    await world.run()
    called, started, ended = moments
    match answer:
        case Delivery.UNCONFIRMED:
            assert called <= world.asked_since["gone"] <= started
        case Delivery.ACCEPTED:
            assert world.asked_since["gone"] >= ended
        case Delivery.RESTARTED:  # it went, and is back: nobody has to wait for that
            assert "gone" not in world.asked_since
            assert called <= world.asked_since["evidence"] <= started


@pytest.mark.parametrize(
    ("heard", "verdict", "cause"),
    [
        (sighting(version="1.1.0"), Verdict.VERIFIED, None),
        (sighting(version="1.0.0"), Verdict.UNCHANGED, Cause.OLD_VERSION_BACK),
        (sighting(version="7"), Verdict.FAILED, Cause.OTHER_VERSION_BACK),
        (None, Verdict.UNVERIFIED, None),
    ],
)
@pytest.mark.parametrize("send", [succeed, unconfirmed])
async def test_the_evidence_decides_whatever_the_module_said(
    world: World, send: Send, heard: Sighting | None, verdict: Verdict, cause: Cause | None
) -> None:
    world.sends, world.heard = [send], heard
    result = await world.run()
    assert (result.verdict, result.cause) == (verdict, cause)
    assert world.left_with == [result]


async def test_the_facts_of_the_second_check_are_what_evidence_is_compared_with(
    world: World,
) -> None:
    old, older = MODULE, replace(MODULE, version="0.9.0")
    world.facts = [older, older, old]
    world.heard = sighting(version="1.0.0")
    assert (await world.run()).verdict is Verdict.UNCHANGED


# Refused


async def test_a_wrong_image_is_refused_before_anything_is_touched(world: World) -> None:
    world.facts = [replace(MODULE, slot_size=1)]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.TOO_LARGE)
    assert world.log == ["journal checking"]


async def test_what_cannot_be_told_is_refused_unless_accepted(world: World) -> None:
    world.facts = [replace(MODULE, firmware=None)]
    assert (await world.run()).cause is Cause.NOT_CERTAIN_FIRMWARE
    result = await world.install(accepted=frozenset({Check.FIRMWARE})).run()
    assert result.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("sends", "taught"),
    [
        ([succeed], [Delivery.ACCEPTED]),
        ([unconfirmed], [Delivery.UNCONFIRMED]),
        ([fail(NETWORK), succeed], [Delivery.ACCEPTED]),
        ([fail(ModuleRejectedImage(Cause.NO_SPACE, text="full"))], [Cause.NO_SPACE]),
        ([fail(ModuleRejectedImage(Cause.SIGNATURE, text="no"), begun=True)], [Cause.SIGNATURE]),
        ([fail(ModuleAuthError(Cause.WRONG_PASSWORD))], []),
    ],
    ids=["taken", "perhaps taken", "taken at last", "no room", "not signed", "wrong password"],
)
async def test_what_the_module_took_or_refused_is_told_at_once(
    world: World, sends: list[Send], taught: list[Delivery | Cause]
) -> None:
    world.sends = sends
    await world.run()
    assert world.taught == [(IMAGE, answer) for answer in taught]


WRONG_PORT = ModuleConnectionError(Cause.WRONG_PORT, usual_port=3232)
PLACE = {"host": MODULE.host, "port": str(MODULE.port)}


@pytest.mark.parametrize(
    ("why", "cause", "facts"),
    [(WRONG_PORT, Cause.WRONG_PORT, {"usual_port": "3232"}), (None, Cause.UNREACHABLE, PLACE)],
    ids=["with what is found out", "when nobody knows why"],
)
async def test_a_module_that_does_not_answer_is_refused(
    world: World, why: OtaError | None, cause: Cause, facts: dict[str, str]
) -> None:
    world.reachable_answers = [False]
    world.why = why
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, cause)
    assert result.facts == facts
    assert world.count("enter") == world.count("leave") == 0


async def test_what_forbids_to_begin_is_heard_before_anything_is_touched(world: World) -> None:
    world.inhibited = [InstallRefused(Cause.INHIBITED, reason="irrigation")]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.INHIBITED)
    assert result.facts == {"reason": "irrigation"}
    assert world.stages == ["checking"]
    assert world.count("enter") == world.count("leave") == 0


@pytest.mark.parametrize("what", ["image", "reachable", "inhibited"])
async def test_the_check_is_made_again_when_the_turn_comes(world: World, what: str) -> None:
    if what == "image":
        world.facts = [MODULE, MODULE, replace(MODULE, sketch_md5=IMAGE.plain_md5)]
    elif what == "reachable":
        world.reachable_answers = [True, False]
    else:
        world.inhibited = [None, InstallRefused(Cause.INHIBITED, reason="irrigation")]
    result = await world.run()
    assert result.verdict is Verdict.REFUSED
    assert result.cause in {Cause.SAME_IMAGE, Cause.UNREACHABLE, Cause.INHIBITED}
    assert world.stages == ["checking", "queued"]
    assert world.log[-1] == "turn ends"
    assert world.count("enter") == world.count("leave") == 0


async def test_a_safe_state_that_cannot_be_reached_is_restored_and_nothing_is_sent(
    world: World,
) -> None:
    world.errors["enter"] = SafeStateError(
        Cause.SAFE_STATE_NOT_CONFIRMED, seconds=60, detail="Not true: valve closed."
    )
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_NOT_CONFIRMED)
    assert result.facts == {"seconds": "60", "detail": "Not true: valve closed."}
    assert world.count("send") == 0
    assert world.left_with == [result]


@pytest.mark.parametrize(("step", "sends"), [("journal sending", 0), ("send", 1)])
async def test_a_safe_state_that_broke_before_the_first_byte_lets_none_leave(
    world: World, step: str, sends: int
) -> None:
    world.actions[step] = lambda: setattr(world, "safe", False)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_BROKEN)
    assert world.count("send") == sends
    assert not any(step.sent for step in world.progress)
    assert world.left_with == [result]


@pytest.mark.parametrize(
    "error",
    [
        ModuleAuthError(Cause.WRONG_PASSWORD),
        ModuleAuthError(Cause.AUTH_UNKNOWN, length=5),
        ModuleRejectedImage(Cause.NO_SPACE, text="ERROR[4]: Not Enough Space"),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
async def test_a_no_is_a_refusal_before_the_first_byte_and_a_failure_after_it(
    world: World, error: OtaError, begun: bool
) -> None:
    world.sends = [fail(error, begun=begun)]
    result = await world.run()
    assert result.verdict is (Verdict.FAILED if begun else Verdict.REFUSED)
    assert (result.cause, result.facts) == (error.cause, error.facts)
    assert world.count("send") == 1
    assert world.left_with == [result]


async def test_a_no_after_a_begun_try_is_a_failure(world: World) -> None:
    world.sends = [
        fail(TransferError(Cause.CONNECTION_LOST, sent=1, total=2), begun=True),
        fail(ModuleAuthError(Cause.WRONG_PASSWORD)),
    ]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.WRONG_PASSWORD)
