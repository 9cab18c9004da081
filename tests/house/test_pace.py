"""What many begin in one moment is spread over several turns of the event loop."""

import asyncio
from itertools import pairwise
import time

from custom_components.esp_ota.house import Pace
from custom_components.esp_ota.house.pace import Questions

_WORK = 0.0015
"""Seconds; two of them fit into a slice."""


async def work(pace: Pace, done: list[int], number: int) -> None:
    """Take a turn, and hold the loop for a while."""
    await pace.turn()
    end = time.monotonic() + _WORK
    while time.monotonic() < end:
        pass
    done.append(number)


async def test_who_is_alone_does_not_wait() -> None:
    pace = Pace()
    coroutine = pace.turn()

    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


async def test_of_many_that_come_at_once_few_work_in_one_turn_and_all_in_their_order() -> None:
    pace, done = Pace(), list[int]()
    tasks = [asyncio.create_task(work(pace, done, number)) for number in range(50)]

    most = before = 0
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        most, before = max(most, len(done) - before), len(done)

    assert done == list(range(50))
    assert most <= 4  # all fifty without it


async def test_one_that_is_cancelled_keeps_nobody_waiting() -> None:
    pace, done = Pace(), list[int]()
    tasks = [asyncio.create_task(work(pace, done, number)) for number in range(10)]
    await asyncio.sleep(0)

    for task in tasks[4:8]:
        task.cancel()
    await asyncio.wait(tasks, timeout=5)

    assert done == [0, 1, 2, 3, 8, 9]


async def test_who_comes_later_does_not_wait_for_those_before() -> None:
    pace, done = Pace(), list[int]()
    await asyncio.gather(*(work(pace, done, number) for number in range(5)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    began = time.monotonic()
    await asyncio.wait_for(pace.turn(), 1)

    assert time.monotonic() - began < 1


def test_questions_to_many_are_asked_one_after_the_other() -> None:
    questions = Questions()

    waits = [questions.wait() for _ in range(500)]

    assert waits[0] == 0
    assert waits == sorted(waits)
    assert 8 < waits[-1] < 10
    assert all(later - sooner > 0.01 for sooner, later in pairwise(waits))
