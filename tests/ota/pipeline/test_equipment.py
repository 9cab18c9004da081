"""What the pipeline does for equipment that others need, that broke late, or is not read back."""

import asyncio

import pytest

from custom_components.esp_ota.ota import Cause, InstallResult, Verdict
from tests.ota.pipeline.world import World


async def test_equipment_is_taken_before_the_turn_and_given_back_after_it(world: World) -> None:
    await world.run()
    assert world.order == ["equipment", "turn", "turn ends", "equipment ends"]


async def test_equipment_is_given_back_when_it_cannot_begin(world: World) -> None:
    """Nothing was entered: the module is gone when its turn comes."""
    world.reachable_answers = [True, False]
    await world.run()
    assert world.order[-2:] == ["turn ends", "equipment ends"]
    assert not world.left_with


async def test_what_broke_late_and_what_is_not_read_back_is_in_the_result(world: World) -> None:
    world.broke, world.is_read_back = "valve.garden", False
    result = await world.run()
    assert (result.verdict, result.not_safe) == (Verdict.VERIFIED, "valve.garden")
    assert result.restore_unread
    assert world.left_with[0].not_safe == "valve.garden"  # it is written before the restore


async def test_a_break_that_ended_the_update_is_not_told_twice(world: World) -> None:
    world.safe, world.broke = False, "valve.garden"
    result = await world.run()
    assert result.cause is Cause.SAFE_STATE_BROKEN
    assert result.not_safe == ""


async def test_one_that_is_cancelled_after_a_break_says_so_as_well(world: World) -> None:
    world.broke = "valve.garden"
    world.hangs = {"back"}
    install = world.install()
    task = asyncio.ensure_future(install.run())
    await world.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert install.ending.not_safe == "valve.garden"
    assert isinstance(install.ending, InstallResult)
