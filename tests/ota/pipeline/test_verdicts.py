"""What an install ended as where somebody cancelled it, looked at it later, or put it aside."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    InstallResult,
    Payload,
    Sighting,
    Verdict,
    VerifyError,
)
from custom_components.esp_ota.ota.exceptions import TransferError
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import DATA, MODULE, sighting
from tests.ota.pipeline.doors import FILES_PART, MISSED, SKETCH_PART, DoorWorld, wrongly_updated
from tests.ota.pipeline.world import World, fail, succeed


@pytest.fixture
async def world() -> DoorWorld:
    return wrongly_updated()


# Cancelling


async def cancelled(world: World, step: str) -> InstallResult:
    """Cancel an install that has come to a step; return what it says of itself then."""
    world.hangs.add(step)
    install = world.install()
    await world.cancelled(install.run())
    result = install.ending
    if result.cause is not None:
        assert_sentence_is_whole(result.cause, result.facts)
    return result


async def test_when_the_last_byte_has_left_the_module_may_run_it(world: DoorWorld) -> None:
    async def all_but_the_answer(
        before_first_byte: Callable[[], None], on_progress: ProgressCallback
    ) -> Delivery:
        before_first_byte()
        on_progress(len(DATA), len(DATA))
        await world.step("answer")
        return Delivery.ACCEPTED

    world.door("push", all_but_the_answer)
    result = await cancelled(world, "answer")
    assert (result.cause, result.facts) == (Cause.CANCELLED_LATE, {"version": "1.1.0"})


async def test_an_answer_that_is_missing_after_a_failed_try_says_nothing_of_the_next(
    world: DoorWorld,
) -> None:
    async def whole_and_lost(
        before_first_byte: Callable[[], None], on_progress: ProgressCallback
    ) -> Delivery:
        before_first_byte()
        on_progress(len(DATA), len(DATA))
        raise TransferError(Cause.MD5_MISMATCH, text="wrong")

    async def begun(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        await world.step("second try")
        return Delivery.ACCEPTED

    world.door("push", whole_and_lost, begun)
    assert (await cancelled(world, "second try")).cause is Cause.CANCELLED


@pytest.mark.parametrize("step", ["push sends filesystem", "push sends sketch"])
async def test_files_that_were_begun_are_not_what_they_were(world: DoorWorld, step: str) -> None:
    async def begin(before_first_byte: Callable[[], None], progress: ProgressCallback) -> Delivery:
        before_first_byte()
        if step == "push sends filesystem":
            await world.step("in the middle")
        return await succeed(lambda: None, progress)

    world.door("push", begin, succeed)
    world.parts = [FILES_PART, SKETCH_PART]
    at = "in the middle" if step == "push sends filesystem" else "back"
    assert (await cancelled(world, at)).cause is Cause.CANCELLED_FILES


async def test_files_that_were_not_begun_are_what_they_were(world: DoorWorld) -> None:
    world.door("push")
    world.parts = [FILES_PART, SKETCH_PART]
    assert (await cancelled(world, "push sends filesystem")).cause is Cause.CANCELLED


async def test_who_waits_for_another_round_is_cancelled_and_not_failed(world: DoorWorld) -> None:
    door = world.door("pull", fail(MISSED), waits=True)
    real = door.wait_ready

    async def ready(payload: Payload) -> None:
        await real(payload)
        if world.count("pull ready for sketch") == 2:
            await world.step("second round")

    door.wait_ready = ready  # type: ignore[method-assign]
    result = await cancelled(world, "second round")
    assert (result.verdict, result.cause) == (Verdict.CANCELLED, Cause.CANCELLED)
    assert world.count("left") == 1


async def test_a_cancelled_way_back_leaves_a_failed_update(world: DoorWorld) -> None:
    async def begun(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        await world.step("on the way back")
        return Delivery.ACCEPTED

    world.door("push", succeed, begun)
    result = await cancelled(world, "on the way back")
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.ROLLBACK_FAILED)
    assert result.facts["because"] == Cause.CANCELLED
    assert world.count("left") == 1


# Looking what became of it


@pytest.mark.parametrize(
    ("heard", "verdict", "cause"),
    [
        (sighting(version="1.1.0"), Verdict.VERIFIED, None),
        (sighting(version="1.0.0"), Verdict.FAILED, Cause.INTERRUPTED),
        (sighting(version="0.0.1"), Verdict.FAILED, Cause.OTHER_VERSION_BACK),
        (None, Verdict.FAILED, Cause.INTERRUPTED),
    ],
    ids=["new", "old", "other", "silent"],
)
async def test_an_image_that_was_on_its_way_when_home_assistant_died_is_looked_for(
    world: DoorWorld, heard: Sighting | None, verdict: Verdict, cause: Cause | None
) -> None:
    world.says(heard)
    world.door("push")
    result = await world.install().look()
    assert (result.verdict, result.cause) == (verdict, cause)
    assert world.did("enter", "leave", "push", "go back") == []


async def test_another_version_says_nothing_where_nobody_knows_what_ran_before(
    world: DoorWorld,
) -> None:
    world.facts = [replace(MODULE, version=None, sketch_md5=None)]
    world.says(sighting(version="1.0.0"))
    world.door("push")
    assert (await world.install().look()).cause is Cause.INTERRUPTED


async def test_a_module_that_is_away_while_it_is_looked_for_was_interrupted(
    world: DoorWorld,
) -> None:
    world.errors["back"] = VerifyError(Cause.DID_NOT_COME_BACK, seconds=180)
    world.door("push")
    assert (await world.install().look()).cause is Cause.INTERRUPTED


# Putting aside


@pytest.mark.parametrize("step", ["back", "evidence"])
async def test_what_can_wait_is_left_as_it_is_for_the_next_start(
    world: DoorWorld, step: str
) -> None:
    world.actions.clear()
    world.hangs.add(step)
    world.door("push")
    install = world.install()
    await world.cancelled(install.run(), install.put_aside)

    assert install.is_put_aside
    assert world.count("leave") == 0
    assert world.count("turn ends") == 1


async def test_what_waits_for_its_turn_is_left_as_it_is(world: DoorWorld) -> None:
    door = world.door("pull", waits=True)

    async def ready(payload: Payload) -> None:
        await world.step("asks")

    door.wait_ready = ready  # type: ignore[method-assign]
    world.hangs.add("asks")
    install = world.install()
    await world.cancelled(install.run(), install.put_aside)
    assert install.is_put_aside
    assert world.did("enter", "leave") == []


async def test_what_is_being_sent_cannot_wait(world: DoorWorld) -> None:
    async def begun(before_first_byte: Callable[[], None], _: ProgressCallback) -> Delivery:
        before_first_byte()
        await world.step("on its way")
        return Delivery.ACCEPTED

    world.door("push", begun)
    world.hangs.add("on its way")
    install = world.install()
    await world.cancelled(install.run(), install.put_aside)
    assert not install.is_put_aside
    assert world.count("left") == 1


async def test_a_resumed_install_may_be_put_aside_again(world: DoorWorld) -> None:
    world.actions.clear()
    world.hangs.add("take over")
    world.door("push")
    install = world.install()
    await world.cancelled(install.resume(), install.put_aside)
    assert install.is_put_aside
    assert world.count("leave") == 0
