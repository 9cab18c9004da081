"""Who rests on the same equipment, in which order, and what waits for nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from custom_components.esp_ota.equipment.sharing import Claim, LeftOpen, Sharing
from tests.kit.garden import until


class Yard:
    """Some installs that wait for each other, or do not."""

    def __init__(self) -> None:
        self.sharing = Sharing()
        self.left: list[LeftOpen] = []
        self.waits: dict[str, str | None] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}
        self.began: list[str] = []

    async def left_open(self, without: set[str]) -> list[LeftOpen]:
        await asyncio.sleep(0)
        return [item for item in self.left if item.owner not in without]

    def press(self, name: str, things: str) -> None:
        """Have an install begin; its things are one letter each."""
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._run(name, things))

    async def _run(self, name: str, things: str) -> None:
        claim = Claim(owner=name, name=name, things=frozenset(things))
        self.sharing.add(claim)
        try:
            await self.sharing.wait_alone(
                claim, self.left_open, lambda names: self.waits.update({name: names})
            )
            self.began.append(name)
            await self.ends[name].wait()
        finally:
            self.sharing.release(claim)

    async def pick_up(self, name: str, things: str) -> Claim:
        """Take over what another life left, as one that goes on does."""
        claim = Claim(owner=name, name=name, things=frozenset(things), left=True)
        self.sharing.add(claim)
        await self.sharing.wait_until_left(claim, lambda _names: None)
        return claim

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await self.tasks[name]

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def yard() -> AsyncIterator[Yard]:
    yard = Yard()
    yield yard
    for task in yard.tasks.values():
        task.cancel()
    await asyncio.gather(*yard.tasks.values(), return_exceptions=True)


async def test_one_after_the_other_in_the_order_of_asking(yard: Yard) -> None:
    for name in ("one", "two", "three"):
        yard.press(name, "v")
    await yard.settle()
    assert yard.began == ["one"]
    assert yard.waits == {"two": "one", "three": "one, two"}

    await yard.end("one")
    await yard.settle()
    assert yard.began == ["one", "two"]
    assert yard.waits["two"] is None
    await yard.end("two")
    await yard.end("three")
    assert yard.began == ["one", "two", "three"]


async def test_chains_wait_link_by_link_and_never_in_a_circle(yard: Yard) -> None:
    """A and B share one thing, B and C another, C and A a third."""
    yard.press("a", "xz")
    yard.press("b", "xy")
    yard.press("c", "yz")
    yard.press("d", "w")
    await yard.settle()
    assert set(yard.began) == {"a", "d"}

    await yard.end("a")
    await yard.settle()
    assert yard.began[2:] == ["b"]
    await yard.end("b")
    await yard.settle()
    assert yard.began[2:] == ["b", "c"]


async def test_nobody_passes_by_one_that_waits_and_shares_with_it(yard: Yard) -> None:
    """Else one that shares with many would never have its turn."""
    yard.press("a", "x")
    yard.press("b", "xy")
    yard.press("c", "y")
    await yard.settle()
    assert yard.began == ["a"]
    assert yard.waits["c"] == "b"


async def test_one_that_is_cancelled_while_it_waits_stands_in_nobodys_way(yard: Yard) -> None:
    yard.press("a", "x")
    yard.press("b", "xy")
    yard.press("c", "y")
    await yard.settle()

    yard.tasks["b"].cancel()
    with suppress(asyncio.CancelledError):
        await yard.tasks["b"]
    await yard.settle()

    assert yard.began == ["a", "c"]


async def test_one_that_fails_lets_go(yard: Yard) -> None:
    yard.press("a", "x")
    yard.press("b", "x")
    await yard.settle()
    yard.tasks["a"].cancel()
    await yard.settle()
    assert yard.began == ["a", "b"]


def left_by(name: str, things: str, *, restores: bool, comes: bool = True) -> LeftOpen:
    return LeftOpen(owner=name, name=name, things=frozenset(things), comes=comes, restores=restores)


@pytest.mark.slow
@pytest.mark.parametrize("restores", [True, False])
async def test_what_another_life_left_is_waited_for_before_anybody_picks_it_up(
    yard: Yard, restores: bool
) -> None:
    yard.left = [left_by("z", "v", restores=restores), left_by("y", "w", restores=restores)]
    yard.press("a", "v")
    await yard.settle()
    assert yard.waits == {"a": "z"}

    yard.left = []
    await until(lambda: yard.began == ["a"])


async def test_its_own_note_is_in_nobodys_way(yard: Yard) -> None:
    yard.left = [left_by("a", "v", restores=False)]
    yard.press("a", "v")
    await yard.settle()
    assert yard.began == ["a"]


async def test_two_that_were_left_are_restored_when_both_are_ready(yard: Yard) -> None:
    """The first goes on to be checked; the second would open the valve under it."""
    first, second = await yard.pick_up("a", "v"), await yard.pick_up("b", "v")
    other = await yard.pick_up("c", "w")
    assert other.held
    second.is_ready = True
    restoring = asyncio.create_task(
        yard.sharing.wait_for_others_inside(
            second, yard.left_open, lambda names: yard.waits.update(b=names)
        )
    )
    await yard.settle()
    assert yard.waits == {"b": "a"}

    first.is_ready = True
    yard.sharing.tell()
    await yard.settle()
    assert not restoring.done()  # one after the other
    yard.sharing.release(first)
    await yard.settle()
    assert restoring.done()


@pytest.mark.parametrize(("comes", "waits"), [(True, "z"), (False, None)])
async def test_a_restore_waits_only_for_those_that_will_be_picked_up(
    yard: Yard, comes: bool, waits: str | None
) -> None:
    """An entry that cannot be set up would keep the water shut off for ever."""
    yard.left = [left_by("z", "v", restores=False, comes=comes)]
    claim = await yard.pick_up("a", "v")
    claim.is_ready = True
    restoring = asyncio.create_task(
        yard.sharing.wait_for_others_inside(
            claim, yard.left_open, lambda names: yard.waits.update(a=names)
        )
    )
    await yard.settle()
    assert yard.waits.get("a") == waits
    assert restoring.done() is (waits is None)
    restoring.cancel()
    await asyncio.wait({restoring})


async def test_nothing_new_begins_in_what_was_left(yard: Yard) -> None:
    claim = await yard.pick_up("z", "v")
    yard.press("a", "v")
    await yard.settle()
    assert yard.began == []
    yard.sharing.release(claim)
    await yard.settle()
    assert yard.began == ["a"]


async def test_what_is_picked_up_late_waits_for_one_that_is_alone(yard: Yard) -> None:
    """Its entry was disabled meanwhile; it goes before those that wait."""
    yard.press("a", "v")
    yard.press("b", "v")
    await yard.settle()
    picking = asyncio.create_task(yard.pick_up("z", "v"))
    await yard.settle()
    assert not picking.done()

    await yard.end("a")
    await yard.settle()
    assert picking.done()
    assert yard.began == ["a"]
    yard.sharing.release(picking.result())
    await yard.settle()
    assert yard.began == ["a", "b"]
