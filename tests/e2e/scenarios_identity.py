"""Updates whose module is not the one that it was: another one has its address, or its name."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, override

from .bench import Bench
from .flows import repairs
from .garden import VALVE_JAMMED, Json
from .modules import GARDEN_VALVE, WELL_PUMP, Module
from .scenario import Outcome, Scenario, secured, untouched
from .timeline import Timeline

_MAC = "5c:cf:7f:00:00:33"
"""Of the hardware that is not the garden valve's."""


class OtherModuleAnswers(Scenario):
    """After a power cut the router gives the valve's address to another module."""

    name = "other-module-answers"
    summary = "while the valve closes, the well pump's module gets its address: nothing is sent"
    module = GARDEN_VALVE
    verdict = "refused (wrong_module)"
    other: ClassVar[Module] = replace(WELL_PUMP, host=GARDEN_VALVE.host, password=None)
    """It would take any image that is sent to it."""
    expected: ClassVar[str] = GARDEN_VALVE.name
    found: ClassVar[str] = WELL_PUMP.name
    """What the person is told, besides the module's name."""
    _repairs: list[Json]

    @override
    def safe_state(self) -> Json:
        return self.module.equipment.safe_state(time_limit=60)

    async def swap(self, bench: Bench, timeline: Timeline) -> None:
        """Put another module in the place of the one that is updated."""
        await bench.modules[self.module.name].end()
        timeline.tell(f"the module of the {self.module.equipment.name} has lost its power")
        await bench.modules.start(self.other, f"--mac={_MAC}")
        timeline.tell(f"{self.other.name} comes up at {self.other.host}, and announces itself")

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client, card = bench.client, self.module.update_entity
        await client.action("input_boolean.turn_on", VALVE_JAMMED)
        pressed = asyncio.ensure_future(super().press(bench, timeline))
        try:
            await client.wait_until(
                "it is being made safe",
                lambda: client.attributes(card).get("stage") == "making_safe",
            )
            timeline.tell("the garden valve is stuck for a moment")
            await self.swap(bench, timeline)
            await client.action("input_boolean.turn_off", VALVE_JAMMED)
            await client.action(self.module.equipment.make_safe, self.module.equipment.entity_id)
        finally:
            await pressed

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = await super().play(bench, timeline)
        self._repairs = await repairs(bench.client)
        for issue in self._repairs:
            timeline.tell(f"repair: {issue['translation_key']}")
        return outcome

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from untouched(outcome)
        yield from secured(outcome)
        if outcome.module.count("invited"):
            yield "the garden valve was invited"
        other = outcome.bench.modules[self.other.name]
        if other.count("invited") or other.count("connected"):
            yield f"the other module was told {[event.name for event in other.events]}"
        told = f"expected {self.expected}, found {self.found}"
        if told not in str(outcome.watch.error):
            yield f"the person was not told: {told}"
        if not any(told in str(issue["translation_placeholders"]) for issue in self._repairs):
            yield f"the repairs are {self._repairs}"


class SameName(OtherModuleAnswers):
    """Somebody tries the valve's sketch on a spare board, which calls itself the same."""

    name = "same-name"
    summary = "while the valve closes, a spare board announces its name: neither gets anything"
    other = replace(GARDEN_VALVE, host="127.0.0.9")
    expected = "5c:cf:7f:00:00:02"
    found = _MAC

    @override
    async def swap(self, bench: Bench, timeline: Timeline) -> None:
        await bench.modules.start(self.other, f"--mac={_MAC}")
        timeline.tell(f"a spare board at {self.other.host} announces itself as {self.other.name}")
