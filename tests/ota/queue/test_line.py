"""Who of those that wait may run next, and what each waits for."""

import asyncio
import math
import random

import pytest

from custom_components.esp_ota.ota import Line, Priority, Reason, Standing, Ticket, Waits

GARDEN, CELLAR = {"area 1": "garden"}, {"area 2": "cellar"}
TURN = Reason(why=Waits.TURN)
IN_GARDEN = Reason(why=Waits.GROUP, what="garden")


class House:
    """Installs that stand in one line, run when they are called, and end when told."""

    def __init__(self, limit: int) -> None:
        self.line = Line(limit)
        self.began: list[str] = []
        self.tickets: dict[str, Ticket] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def press(self, *names: str, **how: object) -> None:
        """Have installs join, and let everybody do what there is to do."""
        for name in names:
            ticket = self.line.join(owner=name, name=name, **how)  # type: ignore[arg-type]
            self.tickets[name], self._ends[name] = ticket, asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._install(name))
        await settled()

    async def _install(self, name: str) -> None:
        ticket = self.tickets[name]
        try:
            async with ticket:
                self.began.append(name)
                await self._ends[name].wait()
        finally:
            ticket.leave()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await settled()

    async def end_all(self) -> None:
        await self.end(*self.tickets)
        await asyncio.wait(self.tasks.values())

    @property
    def running(self) -> list[str]:
        return [ticket.name for ticket in self.line.running]

    @property
    def standings(self) -> list[tuple[str, int, Reason]]:
        return [(item.name, s.place, s.reason) for item, s in self.line.standings()]


async def settled() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_run_at_once_and_all_come_to_their_turn() -> None:
    line, held, seen = Line(3), 0, []

    async def install(number: int) -> None:
        nonlocal held
        async with line.join(owner=str(number), name=""):
            held += 1
            seen.append(held)
            await asyncio.sleep(0.001)
            held -= 1

    await asyncio.gather(*(install(number) for number in range(20)))
    assert (max(seen), len(seen)) == (3, 20)


async def test_who_comes_first_is_served_first() -> None:
    house = House(1)
    names = [str(number) for number in range(10)]
    await house.press(*names)
    for name in names:
        await house.end(name)
    assert house.began == names


async def test_a_limit_that_grows_lets_in_who_waits_and_one_that_shrinks_takes_from_nobody() -> (
    None
):
    house = House(1)
    await house.press("a", "b", "c", "d", "e")
    house.line.limit = 3
    await settled()
    assert house.running == ["a", "b", "c"]
    house.line.limit = 1
    await house.end("a", "b")
    assert house.running == ["c"]
    await house.end("c")
    assert house.running == ["d"]
    await house.end_all()


async def test_a_changed_limit_never_lets_more_run_than_the_larger_of_both() -> None:
    rng = random.Random(14)
    for _ in range(50):
        house, most = House(2), 2
        await house.press(*(str(number) for number in range(12)))
        while house.tasks.keys() - {n for n, task in house.tasks.items() if task.done()}:
            house.line.limit = rng.randrange(1, 5)
            most = max(house.line.limit, len(house.running))
            await settled()
            assert len(house.running) <= most
            await house.end(*house.running[:1])
        assert sorted(house.began) == sorted(house.tasks)


async def test_two_of_one_group_never_run_together_and_nobody_waits_for_them() -> None:
    house = House(4)
    await house.press("a", "b", groups=GARDEN)
    await house.press("c", groups=CELLAR)
    await house.press("d")
    assert house.began == ["a", "c", "d"]
    assert house.standings == [("b", 1, IN_GARDEN)]
    await house.end("a")
    assert house.began[-1] == "b"
    await house.end_all()


async def test_who_needs_two_groups_is_not_passed_over_for_ever() -> None:
    house = House(9)
    await house.press("a", groups=GARDEN)
    await house.press("both", groups=GARDEN | CELLAR)
    await house.press("c", groups=CELLAR)
    assert house.began == ["a"]
    await house.end("a")
    assert house.began == ["a", "both"]
    await house.end_all()


async def test_who_is_urgent_or_goes_back_goes_before_a_press_and_that_before_a_rollout() -> None:
    house = House(1)
    await house.press("first")
    for priority in reversed(Priority):
        await house.press(f"{priority.name} 1", f"{priority.name} 2", priority=priority)
    expected = [f"{priority.name} {n}" for priority in Priority for n in (1, 2)]
    assert [name for name, _, _ in house.standings] == expected
    house.tickets["REST 2"].urgent_until = math.inf
    await house.end("first")
    assert house.began == ["first", "REST 2"]
    await house.end_all()


@pytest.mark.parametrize(
    ("place", "order"),
    [(1, "dabc"), (2, "adbc"), (4, "abcd"), (99, "abcd"), (0, "dabc"), (-3, "dabc")],
)
async def test_one_that_waits_is_moved_to_a_place(place: int, order: str) -> None:
    house = House(0)
    await house.press(*"abcd")
    house.line.move(house.tickets["d"], place)
    await house.press("e")
    assert [name for name, _, _ in house.standings] == [*order, "e"]
    places = {item.name: (item.priority, item.order) for item in house.tickets.values()}
    assert sorted(places, key=places.__getitem__) == [*order, "e"]
    house.line.limit = 9
    await house.end_all()


async def test_a_place_among_others_of_another_rank_is_kept_by_who_comes_later() -> None:
    house = House(0)
    await house.press("p", priority=Priority.PRESS)
    await house.press("r", "s", priority=Priority.REST)
    house.line.move(house.tickets["s"], 1)
    await house.press("q", priority=Priority.PRESS)
    assert [name for name, _, _ in house.standings] == ["s", "p", "q", "r"]
    house.line.limit = 9
    await house.end_all()


async def test_who_was_noted_stands_where_it_stood_and_who_comes_behind_it() -> None:
    house = House(0)
    house.line.keep_behind(7.5)
    await house.press("new")
    await house.press("b", order=7.5)
    await house.press("a", order=3.0)
    assert [name for name, _, _ in house.standings] == ["a", "b", "new"]
    house.line.limit = 9
    await house.end_all()


async def test_who_steps_back_lets_others_run_and_keeps_the_place() -> None:
    house = House(1)
    ticket = house.line.join(owner="x", name="x")
    await ticket.up()
    await house.press("a", "b")
    ticket.step_back(Reason(why=Waits.EQUIPMENT, what="pump"))
    await settled()
    assert house.began == ["a"]
    assert house.standings == [
        ("x", 1, Reason(why=Waits.EQUIPMENT, what="pump")),
        ("b", 2, TURN),
    ]
    again = asyncio.create_task(ticket.up())
    await settled()
    await house.end("a")
    assert again.done()
    assert house.began == ["a"]
    ticket.leave()
    await house.end_all()


async def test_what_bars_one_is_asked_anew_whenever_somebody_looks() -> None:
    house, closed = House(2), [Reason(why=Waits.WINDOW, what="22:00")]
    await house.press("a", bar=lambda: closed[0] if closed else None)
    await house.press("b")
    assert house.began == ["b"]
    assert house.standings == [("a", 1, Reason(why=Waits.WINDOW, what="22:00"))]
    closed.clear()
    house.line.look()
    await settled()
    assert house.began == ["b", "a"]
    await house.end_all()


async def test_before_it_asks_for_its_turn_it_is_only_looked_at() -> None:
    line = Line(2)
    ticket = line.join(owner="x", name="x")
    assert line.standings() == [(ticket, Standing(place=1, reason=Reason(why=Waits.CHECK)))]


async def test_whoever_is_cancelled_leaves_no_turn_taken() -> None:
    rng = random.Random(12)
    for _ in range(200):
        line = Line(2)

        async def install(number: int, line: Line = line) -> None:
            ticket = line.join(owner=str(number), name="", groups=rng.choice([{}, GARDEN]))
            try:
                await ticket.up()
                await asyncio.sleep(0)
                async with ticket:
                    await asyncio.sleep(0)
            finally:
                ticket.leave()

        tasks = [asyncio.create_task(install(number)) for number in range(8)]
        for _ in range(rng.randrange(6)):
            await asyncio.sleep(0)
            rng.choice(tasks).cancel()
        await asyncio.wait(tasks)
        assert (line.running, line.waiting) == ([], [])


class Closed:
    """A window that counts who asks for it."""

    def __init__(self) -> None:
        self.asked = 0
        self.reason: Reason | None = Reason(why=Waits.WINDOW, what="02:00")

    def __call__(self) -> Reason | None:
        self.asked += 1
        return self.reason


async def test_who_comes_goes_or_is_moved_is_no_reason_to_ask_all_windows_again() -> None:
    house, window = House(8), Closed()
    await house.press(*(str(number) for number in range(200)), bar=window)
    assert window.asked == 200
    house.line.move(house.tickets["150"], 1)
    house.tasks["3"].cancel()
    await house.press("late", bar=window)
    house.line.limit = 4
    assert house.standings[0] == ("150", 1, Reason(why=Waits.WINDOW, what="02:00"))
    assert window.asked == 201
    window.reason = None
    house.line.look()
    assert house.running == ["150", "0", "1", "2"]
    await settled()
    await house.end_all()


async def test_what_else_forbids_it_is_asked_for_each_time() -> None:
    house, gate = House(2), Closed()
    gate.reason = Reason(why=Waits.TURN)
    await house.press("a", bar=gate)
    await house.press("b", "c")
    assert house.running == ["b", "c"]
    gate.reason = None
    await house.end("b")
    assert house.running == ["c", "a"]
    await house.end_all()
