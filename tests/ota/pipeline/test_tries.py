"""Sending: what is tried again, a safe state that breaks meanwhile, and what follows."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import time

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    Limits,
    OtaError,
    SafeStateError,
    Verdict,
    VerifyError,
)
from custom_components.esp_ota.ota.exceptions import (
    CallbackError,
    ModuleConnectionError,
    TransferError,
)
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import DATA
from tests.ota.pipeline.world import (
    ALL_STAGES,
    NETWORK,
    QUICK,
    Send,
    World,
    fail,
    succeed,
    unconfirmed,
)

# Tries


@pytest.mark.parametrize(
    "error",
    [
        ModuleConnectionError(Cause.NO_ANSWER),
        ModuleConnectionError(Cause.PORT_CLOSED),
        TransferError(Cause.STALLED, sent=1, total=2, seconds=30),
        TransferError(Cause.CONNECTION_LOST, sent=1, total=2),
    ],
)
@pytest.mark.parametrize("failures", [1, 2])
async def test_a_network_fault_is_tried_again(world: World, error: OtaError, failures: int) -> None:
    world.sends = [*[fail(error)] * failures, succeed]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.count("send") == failures + 1
    assert world.stages == ALL_STAGES
    assert len(world.left_with) == 1


async def test_the_third_network_fault_is_the_last(world: World) -> None:
    world.sends = [fail(TransferError(Cause.STALLED, sent=1, total=2, seconds=30), begun=True)]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.STALLED)
    assert result.facts == {"sent": "1", "total": "2", "seconds": "30"}
    assert world.count("send") == 3
    assert world.count("gone") == 0
    assert world.left_with == [result]


@pytest.mark.parametrize(
    "error",
    [
        CallbackError(Cause.NO_CALLBACK, our_address="192.0.2.1", callback_port=4000),
        CallbackError(Cause.CALLBACK_PORT_TAKEN, callback_port=4000),
    ],
)
async def test_a_fault_that_needs_somebody_is_not_tried_again(
    world: World, error: OtaError
) -> None:
    world.sends = [fail(error)]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, error.cause)
    assert world.count("send") == 1
    assert world.left_with == [result]


async def test_a_pause_lies_between_two_tries(world: World) -> None:
    world.sends = [fail(NETWORK), succeed]
    times: list[float] = []
    world.actions["send"] = lambda: times.append(time.monotonic())
    limits = Limits(tries=2, retry_pause=0.2, watch_interval=0.01)
    await world.install(limits=limits).run()
    assert times[1] - times[0] >= 0.19


async def test_no_try_begins_without_the_safe_state(world: World) -> None:
    async def breaks(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        raise NETWORK

    world.sends = [breaks]
    limits = replace(QUICK, retry_pause=0.0, watch_interval=30.0)
    result = await world.install(limits=limits).run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert world.count("send") == 1
    assert world.left_with == [result]


@pytest.mark.parametrize("sent", [0, len(DATA)])
async def test_a_safe_state_that_breaks_in_the_pause_ends_it(world: World, sent: int) -> None:
    async def breaks(_: Callable[[], None], progress: ProgressCallback) -> Delivery:
        progress(sent, len(DATA))
        asyncio.get_running_loop().call_later(0.05, setattr, world, "safe", False)
        raise NETWORK

    world.sends = [breaks]
    async with asyncio.timeout(10):
        result = await world.install(limits=replace(QUICK, retry_pause=3600.0)).run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_BROKEN)
    assert world.count("send") == 1
    assert world.left_with == [result]


# A safe state that breaks while sending


async def test_a_safe_state_that_breaks_stops_the_sending(world: World) -> None:
    stopped = []

    async def slow(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(1, len(DATA))
        world.safe = False
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)  # an abort may take a moment
            stopped.append(world.count("leave"))
            raise
        return Delivery.ACCEPTED

    world.sends = [slow]
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert stopped == [0], "restored before the module was let go"
    assert world.left_with == [result]
    assert world.count("gone") == 0


async def test_a_safe_state_that_breaks_after_the_last_byte_stops_nothing(world: World) -> None:
    async def taken(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA), len(DATA))
        world.safe = False
        await asyncio.sleep(0.1)  # ten looks at the safe state
        return Delivery.ACCEPTED

    world.sends = [taken]
    # The module has it all and restarts whatever we do: "the old one runs on" would be a lie.
    assert (await world.run()).verdict is Verdict.VERIFIED


async def test_a_new_try_is_watched_again(world: World) -> None:
    async def lost(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA), len(DATA))
        raise TransferError(Cause.NO_SPACE)  # it has dropped the leftovers of a try before

    async def slow(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        await asyncio.sleep(3600)
        return Delivery.ACCEPTED

    world.sends = [lost, slow]
    assert (await world.run()).cause is Cause.SAFE_STATE_BROKEN


@pytest.mark.parametrize("cause", [Cause.CONNECTION_LOST, Cause.REBOOTED, Cause.STALLED])
@pytest.mark.parametrize(
    ("missing", "sends"), [(0, 1), (1, 2)], ids=["may be complete", "cannot be complete"]
)
async def test_only_an_image_that_may_be_complete_is_heard_out_and_not_sent_again(
    world: World, cause: Cause, missing: int, sends: int
) -> None:
    async def lost(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        progress(len(DATA) - missing, len(DATA))
        raise TransferError(cause, sent=1, total=2)

    world.sends = [lost, succeed] if missing else [lost]
    assert (await world.run()).verdict is Verdict.VERIFIED
    assert world.count("send") == sends


async def test_a_switch_that_breaks_off_is_heard_out(world: World) -> None:
    """It is one request: whether it arrived, the module knows."""

    async def switch_back(*, before_switch: Callable[[], None]) -> Delivery:
        before_switch()
        raise TransferError(Cause.CONNECTION_LOST, sent=0, total=0)

    world.switch_back = switch_back  # type: ignore[method-assign]
    pipeline = world.install()
    part = replace(pipeline._sending.last, in_other_slot=True)
    pipeline._sending.parts, pipeline._sending.last = [part], part

    assert (await pipeline.run()).verdict is Verdict.VERIFIED
    assert "send" not in world.log


async def test_a_restart_needs_no_safe_state(world: World) -> None:
    world.actions["journal restarting"] = lambda: setattr(world, "safe", False)
    assert (await world.run()).verdict is Verdict.VERIFIED


# After the sending


@pytest.mark.parametrize(
    ("send", "error", "cause"),
    [
        (succeed, VerifyError(Cause.DID_NOT_RESTART, seconds=60), Cause.DID_NOT_RESTART),
        (unconfirmed, VerifyError(Cause.DID_NOT_RESTART, seconds=60), Cause.NO_RESULT),
        (succeed, VerifyError(Cause.DID_NOT_COME_BACK, seconds=180), Cause.DID_NOT_COME_BACK),
        (unconfirmed, VerifyError(Cause.DID_NOT_COME_BACK, seconds=180), Cause.DID_NOT_COME_BACK),
    ],
)
async def test_a_module_that_does_not_go_or_come_back_is_a_failure(
    world: World, send: Send, error: VerifyError, cause: Cause
) -> None:
    world.sends = [send]
    world.errors["gone" if error.cause is Cause.DID_NOT_RESTART else "back"] = error
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, cause)
    assert world.count("evidence") == 0
    assert world.stages == [*ALL_STAGES[:5], "restoring", "done"]
    assert world.left_with == [result]


async def test_equipment_that_cannot_be_restored_is_told_beside_the_verdict(world: World) -> None:
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="valve stuck")
    result = await world.run()
    assert (result.verdict, result.version) == (Verdict.VERIFIED, "1.1.0")
    assert result.restore_error is Cause.RESTORE_FAILED
    assert result.restore_facts == {"detail": "valve stuck"}
    assert_sentence_is_whole(Cause.RESTORE_FAILED, result.restore_facts)
    assert world.count("leave") == 1


async def test_a_refusal_keeps_its_cause_when_the_restore_fails_too(world: World) -> None:
    world.errors["enter"] = SafeStateError(Cause.SAFE_STATE_FAILED, detail="pump on")
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="valve stuck")
    result = await world.run()
    assert (result.cause, result.restore_error) == (Cause.SAFE_STATE_FAILED, Cause.RESTORE_FAILED)
