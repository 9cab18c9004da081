"""An install that an error, a person or a crash cuts short restores once, and says so."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    InstallResult,
    SafeStateError,
    Verdict,
    VerifyError,
)
from custom_components.esp_ota.ota.exceptions import TransferError
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.ota.examples import DATA
from tests.ota.pipeline.world import NETWORK, QUICK, World, fail

# What must not happen, and still must not leave the equipment shut off

SENDING = ["enter", "journal sending", "send"]
DELIVERED = ["journal restarting", "gone", "back", "journal verifying", "evidence"]
SECURED = SENDING + DELIVERED


@pytest.mark.parametrize("step", SECURED)
async def test_an_error_of_ours_restores_once_and_is_raised(world: World, step: str) -> None:
    world.errors[step] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await world.run()
    assert [result.cause for result in world.left_with] == [Cause.INTERNAL]
    assert world.left_with[0].verdict is Verdict.FAILED
    assert world.log[-3:] == ["left", "journal done", "turn ends"]


@pytest.mark.parametrize("step", ["journal checking", "reachable", "journal queued", "turn"])
async def test_an_error_before_anything_was_touched_restores_nothing(
    world: World, step: str
) -> None:
    world.errors[step] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await world.run()
    assert world.left_with == []


async def test_a_journal_that_cannot_be_written_keeps_the_equipment_untouched(
    world: World,
) -> None:
    world.errors["journal making_safe"] = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await world.run()
    assert world.count("enter") == world.count("leave") == 0


async def test_a_journal_that_fails_at_the_end_does_not_stop_the_restore(world: World) -> None:
    world.errors["journal restoring"] = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await world.run()
    assert [result.verdict for result in world.left_with] == [Verdict.VERIFIED]
    assert world.log[-2:] == ["left", "turn ends"]


async def test_an_error_of_ours_in_the_restore_is_raised(world: World) -> None:
    world.errors["leave"] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await world.run()
    assert world.count("leave") == 1


# Cancelling


async def cancelled_at(world: World, step: str) -> None:
    """Cancel an install that has come to a step and stays there."""
    world.hangs.add(step)
    await world.cancelled(world.install().run())


@pytest.mark.parametrize("step", SECURED)
async def test_cancelling_restores_once_and_stays_cancelled(world: World, step: str) -> None:
    await cancelled_at(world, step)
    [result] = world.left_with
    assert result.verdict is Verdict.CANCELLED
    # What the module has it may run, whoever has stopped waiting for it.
    assert result.cause is (Cause.CANCELLED if step in SENDING else Cause.CANCELLED_LATE)
    assert world.log[-4:] == ["leave", "left", "journal done", "turn ends"]


@pytest.mark.parametrize(
    "step", ["journal checking", "reachable", "journal queued", "turn", "journal making_safe"]
)
async def test_cancelling_before_anything_was_touched_restores_nothing(
    world: World, step: str
) -> None:
    await cancelled_at(world, step)
    assert world.left_with == []


async def test_cancelling_in_the_pause_between_tries_restores_once(world: World) -> None:
    world.sends = [fail(NETWORK)]
    world.actions["send"] = world.reached.set
    task = asyncio.ensure_future(world.install(limits=replace(QUICK, retry_pause=3600.0)).run())
    async with asyncio.timeout(5):
        await world.reached.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert [result.verdict for result in world.left_with] == [Verdict.CANCELLED]


async def test_cancelling_when_the_last_stage_is_written_still_restores(world: World) -> None:
    await cancelled_at(world, "journal restoring")
    assert [result.verdict for result in world.left_with] == [Verdict.VERIFIED]
    assert world.count("left") == 1


@pytest.mark.parametrize("error", [None, SafeStateError(Cause.RESTORE_FAILED, detail="stuck")])
async def test_a_restore_once_begun_is_carried_to_its_end(
    world: World, error: SafeStateError | None
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def leave(result: InstallResult) -> bool:
        world.left_with.append(result)
        begun.set()
        await go_on.wait()
        world.log.append("left")
        if error is not None:
            raise error
        return True

    world.leave = leave  # type: ignore[method-assign]
    install = world.install()
    task = asyncio.ensure_future(install.run())
    async with asyncio.timeout(5):
        await begun.wait()
    for _ in range(2):  # whoever cancels may lose patience
        task.cancel()
        await asyncio.sleep(0.02)
        assert not task.done()
    go_on.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert world.count("left") == 1
    assert len(world.left_with) == 1
    assert install.result.verdict is Verdict.VERIFIED
    assert install.result.restore_error == (error and error.cause)


async def test_who_cancelled_can_read_what_became_of_it(world: World) -> None:
    world.hangs.add("send")
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="valve stuck")
    install = world.install()
    await world.cancelled(install.run())
    assert (install.result.verdict, install.result.cause) == (Verdict.CANCELLED, Cause.CANCELLED)
    assert install.result.restore_error is Cause.RESTORE_FAILED
    assert install.result.restore_facts == {"detail": "valve stuck"}


async def test_a_transport_that_fails_while_it_is_stopped_hides_nothing(world: World) -> None:
    async def slow(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise TransferError(Cause.CONNECTION_LOST, sent=1, total=2) from None
        return Delivery.ACCEPTED

    world.sends = [slow]
    assert (await world.run()).cause is Cause.SAFE_STATE_BROKEN


def whole_and_stopped(world: World, *, comes_back: bool) -> None:
    """Have the safe state break when the last byte was on its way."""

    async def slow(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        world.safe = False
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            progress(len(DATA), len(DATA))
            raise
        return Delivery.ACCEPTED

    world.sends = [slow]
    if not comes_back:
        world.errors["gone"] = VerifyError(Cause.DID_NOT_RESTART, seconds=60)


async def test_what_was_on_its_way_when_it_was_stopped_is_heard_out(world: World) -> None:
    whole_and_stopped(world, comes_back=True)
    result = await world.run()
    assert result.verdict is Verdict.VERIFIED
    assert [delivery for _, delivery in world.taught] == [Delivery.UNCONFIRMED]
    assert len(world.left_with) == 1


async def test_what_was_on_its_way_and_did_not_arrive_was_stopped(world: World) -> None:
    whole_and_stopped(world, comes_back=False)
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    assert len(world.left_with) == 1


# Carrying on after Home Assistant died


async def test_an_install_goes_on_where_the_image_was_delivered(world: World) -> None:
    result = await world.install().resume()
    assert (result.verdict, result.version) == (Verdict.VERIFIED, "1.1.0")
    assert [name for name in world.log if name != "holds"] == [
        "take over",
        "turn",
        "journal restarting",
        "back",
        "journal verifying",
        "evidence",
        "turn ends",
        "journal restoring",
        "leave",
        "left",
        "journal done",
    ]
    assert world.asked_since == {"back": 0.0, "evidence": 0.0}
    assert world.left_with == [result]


async def test_a_module_that_was_lost_meanwhile_is_told_and_restored(world: World) -> None:
    world.errors["back"] = VerifyError(Cause.DID_NOT_COME_BACK, seconds=180)
    result = await world.install().resume()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.DID_NOT_COME_BACK)
    assert world.left_with == [result]


async def test_a_resumed_install_that_is_cancelled_restores_once(world: World) -> None:
    world.hangs.add("back")
    await world.cancelled(world.install().resume())
    assert [result.verdict for result in world.left_with] == [Verdict.CANCELLED]
