"""Updates that wait: for a module that sleeps, for a window."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
import time
from typing import ClassVar, override
from zoneinfo import ZoneInfo

from .bench import Bench
from .flows import LIBRARY, configure, entry_called
from .garden import Json
from .modules import GARDEN_VALVE
from .scenario import Outcome, Scenario, verified
from .timeline import Timeline

_ASLEEP = 12
_AWAKE = 8
_SOON = 2.0
"""Seconds from a sign of life until the update begins, at most."""
_BREATH = 1.0
_OPENS_IN = 25
_OPEN_FOR = timedelta(hours=2)
_NO_WAITING: Json = {"when_inhibited": "refuse", "wait_hours": 24, "at_deadline": "give_up"}


class Waits(Scenario):
    """Tells what the card says of its place in the queue."""

    module = GARDEN_VALVE
    sentences: ClassVar[list[str]] = []
    begun: ClassVar[list[float]] = []
    """When its equipment began to be made safe, on the monotonic clock."""

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        def look(entity_id: str, state: Json) -> None:
            if entity_id != self.module.update_entity:
                return
            if state["attributes"]["stage"] == "making_safe":
                self.begun.append(time.monotonic())
            sentence = state["attributes"]["queue_sentence"]
            if sentence and self.sentences[-1:] != [sentence]:
                self.sentences.append(sentence)
                timeline.tell(f"the card: {sentence}")

        bench.client.listeners.append(look)
        await super().press(bench, timeline)
        bench.client.listeners.remove(look)

    def unsaid(self, word: str) -> Iterator[str]:
        """Yield a complaint when the card never said for what it waits."""
        if not any(word in sentence for sentence in self.sentences):
            yield f"the card never said {word!r}, only {self.sentences}"


class Sleeper(Waits):
    """The module is awake for eight seconds, now and then."""

    name = "sleeper"
    summary = f"the module sleeps, and is awake for {_AWAKE} s now and then: it is caught then"
    arguments = (f"--asleep={_ASLEEP}", f"--awake={_AWAKE}")

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        await configure(bench.client, entry_id, "waiting", {"sleeps": True, "window_of": "house"})
        timeline.tell("Configure: the module sleeps most of the time")
        return entry_id

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        module = bench.modules[self.module.name]
        module.sleep()
        async with asyncio.timeout(10):
            while not module.count("asleep"):  # noqa: ASYNC110 - a module in another process tells
                await asyncio.sleep(0.05)
        await super().press(bench, timeline)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        module = outcome.module
        begun = self.begun[0]
        # It announces itself, and may be heard, before it says that it is back.
        woken = max((at for at in module.times("back") if at < begun + _BREATH), default=0.0)
        if begun - woken > _SOON:
            yield f"it began {begun - woken:.1f} s after the module had woken"
        if outcome.watch.began > woken:
            yield "it had not slept"
        outcome.watch.began = woken + 0.001
        yield from verified(outcome, restarts=module.count("restarted"))
        yield from self.unsaid("speaks")


class Window(Waits):
    """Nothing begins before the window of the house opens."""

    name = "window"
    summary = f"the window of the house opens in {_OPENS_IN} s: the update waits for it"
    _opens: ClassVar[float]
    """When, on the monotonic clock."""

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        zone = ZoneInfo((await bench.client.get("/api/config"))["time_zone"])
        opens = datetime.now(zone).replace(microsecond=0) + timedelta(seconds=_OPENS_IN)
        type(self)._opens = time.monotonic() + opens.timestamp() - time.time()
        said = {
            "window_start": f"{opens:%H:%M:%S}",
            "window_end": f"{opens + _OPEN_FOR:%H:%M:%S}",
            "window_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        }
        house = await entry_called(bench.client, LIBRARY)
        await configure(bench.client, house, "house_waiting", _NO_WAITING | said)
        timeline.tell(f"Configure, window of the house: {opens:%H:%M:%S} to {said['window_end']}")
        return entry_id

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        early = [at for at, _ in outcome.watch.equipment_changes if at < self._opens]
        early += [at for at in outcome.module.times("invited") if at < self._opens]
        if early:
            yield f"it began {self._opens - min(early):.1f} s before the window opened"
        if outcome.watch.began > self._opens:
            yield "the window was open already"
        yield from self.unsaid("window")
