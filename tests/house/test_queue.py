"""The queue of the house tells in small portions, and costs nothing while nobody waits."""

import asyncio

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import Standing
from tests.kit.garden import Garden, until
from tests.kit.turns import turn_of


def entry_of(garden: Garden, name: str) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN, title=name, data={"kind": "module"})
    entry.add_to_hass(garden.hass)
    return entry


async def test_with_many_that_wait_a_few_are_told_at_once_and_all_in_the_end(
    garden: Garden,
) -> None:
    queue, told = garden.house.queue, list[tuple[str, int]]()
    entries = [entry_of(garden, str(number)) for number in range(12)]
    portions: list[int] = []
    stop = queue.async_add_listener(lambda: portions.append(len(told)))

    def noted(name: str) -> object:
        def note(standing: Standing) -> None:
            told.append((name, standing.place))

        return note

    tickets = [queue.async_join(item, on_told=noted(item.title)) for item in entries]  # type: ignore[arg-type]
    await until(lambda: len(told) == 12)
    assert told == [(str(number), number + 1) for number in range(12)]
    assert portions == [0, 5, 10]
    queue.async_leave(tickets[0])
    await until(lambda: len(told) == 23)
    for ticket in tickets[1:]:
        queue.async_leave(ticket)
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
    assert queue._next is None


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
