"""The queue of the house tells in small portions, and costs nothing while nobody waits."""

import asyncio
from collections.abc import Callable
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import Standing, Ticket
from tests.kit.garden import Garden, until
from tests.kit.turns import turn_of


def entry_of(garden: Garden, name: str) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN, title=name, data={"kind": "module"})
    entry.add_to_hass(garden.hass)
    return entry


def joined(garden: Garden, many: int, told: list[tuple[str, int]]) -> list[Ticket]:
    """Put so many into the queue, which note what they are told."""

    def noted(name: str) -> Callable[[Standing], None]:
        return lambda standing: told.append((name, standing.place))

    entries = [entry_of(garden, str(number)) for number in range(many)]
    queue = garden.house.queue
    return [queue.async_join(item, on_told=noted(item.title)) for item in entries]


async def test_with_many_that_wait_a_few_are_told_at_once_and_all_in_the_end(
    garden: Garden,
) -> None:
    told = list[tuple[str, int]]()
    tickets = joined(garden, 12, told)
    portions = [0]
    while len(told) < 12:
        await asyncio.sleep(0)
        if len(told) > portions[-1]:
            portions.append(len(told))
    assert portions == [0, 5, 10, 12]
    assert told == [(str(number), number + 1) for number in range(12)]
    garden.house.queue.async_leave(tickets[0])
    await until(lambda: len(told) == 23)
    await asyncio.sleep(1.1)  # a look at what only time changes
    assert len(told) == 23  # each once
    for ticket in tickets[1:]:
        garden.house.queue.async_leave(ticket)


@pytest.mark.slow
async def test_behind_those_in_front_who_was_told_longest_ago_is_told_first(
    garden: Garden,
) -> None:
    told, queue = list[tuple[str, int]](), garden.house.queue
    tickets = joined(garden, 30, told)
    await until(lambda: len(told) == 30)
    queue.async_leave(tickets[0])
    await until(lambda: len(told) == 30 + 20 + 5)  # those in front, and the first ones behind
    queue.async_leave(tickets[1])
    await until(lambda: len(told) == 55 + 28)
    assert [int(name) for name, _ in told[30:55]] == list(range(1, 26))
    front, behind = list(range(2, 22)), [26, 27, 28, 29, 22, 23, 24, 25]
    assert [int(name) for name, _ in told[55:]] == front + behind
    for ticket in tickets[2:]:
        queue.async_leave(ticket)


async def test_places_are_found_once_for_all_who_want_to_know(garden: Garden) -> None:
    """All of a queue may be changed at once, and the sensor and the page ask as well."""
    queue, line = garden.house.queue, garden.house.queue._line
    found: list[int] = []
    usual = line.standings

    def standings() -> list[tuple[Ticket, Standing]]:
        found.append(len(line))
        return usual()

    stop = queue.async_add_listener(lambda: len(queue.waiting))
    with patch.object(line, "standings", standings):
        tickets = joined(garden, 20, [])
        assert found == []
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(queue.waiting) == 20
        assert found == [20]
        for ticket in tickets:
            queue.async_leave(ticket)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert found == [20, 0]
    stop()


async def test_telling_is_not_work_that_grows(garden: Garden) -> None:
    queue = garden.house.queue
    entry, looks = entry_of(garden, "a"), 0

    def bar() -> None:
        nonlocal looks
        looks += 1

    async with turn_of(garden.house, "x"), turn_of(garden.house, "y"):
        ticket = queue.async_join(entry, bar=bar)
        waiting = asyncio.create_task(ticket.up())
        await asyncio.sleep(3.2)
    assert looks < 10
    await waiting
    queue.async_leave(ticket)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert queue._places._next is None


async def test_a_card_that_breaks_keeps_nobody_else_from_being_told(garden: Garden) -> None:
    queue, told, loop = garden.house.queue, list[str](), asyncio.get_running_loop()
    broken: list[object] = []
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: broken.append(context["exception"]))

    def breaks(_standing: Standing) -> None:
        raise ValueError("a card of ours")

    tickets = [
        queue.async_join(entry_of(garden, "a"), on_told=breaks),
        queue.async_join(entry_of(garden, "b"), on_told=lambda _standing: told.append("b")),
    ]
    await until(lambda: broken)
    queue.async_join(entry_of(garden, "c"), on_told=lambda _standing: told.append("c"))
    await until(lambda: told)
    loop.set_exception_handler(usual)

    assert isinstance(broken[0], ValueError)
    for ticket in [*tickets, *queue.waiting]:
        queue.async_leave(ticket[0] if isinstance(ticket, tuple) else ticket)
