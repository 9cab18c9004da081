"""Whoever waits for the next sign of a module wakes at it, and nothing is kept besides."""

import asyncio

from custom_components.esp_ota.ota import Bell


async def test_all_who_wait_wake_and_who_comes_later_waits_for_the_next_time() -> None:
    bell = Bell()
    bell.ring()  # nobody heard it
    waiting = [asyncio.ensure_future(bell.wait(3600.0)) for _ in range(2)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [True, True]
    assert not await bell.wait(0.01)


async def test_one_who_has_given_up_takes_nobody_elses_ring() -> None:
    bell = Bell()
    patient = asyncio.ensure_future(bell.wait(3600.0))
    assert not await bell.wait(0.01)
    bell.ring()
    assert await patient
