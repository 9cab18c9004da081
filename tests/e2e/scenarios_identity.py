"""Updates whose module is not where, or not who, it was: others have its address, or its name."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, override

from .bench import Bench
from .flows import discovered, repair, repairs
from .garden import VALVE_JAMMED, Json
from .modules import GARDEN_VALVE, NEW, WELL_PUMP, Module
from .scenario import Outcome, Scenario, secured, untouched, verified
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


class Swap(OtherModuleAnswers):
    """After a power cut the router gives two modules each other's address."""

    name = "swap"
    summary = "while the valve closes, valve and pump swap addresses: the valve is followed"
    verdict = "verified"
    other = replace(WELL_PUMP, password=None)

    @property
    @override
    def modules(self) -> Sequence[Module]:
        return [self.module, self.other]

    @override
    async def swap(self, bench: Bench, timeline: Timeline) -> None:
        module, other = self.module, self.other
        for name in (module.name, other.name):
            await bench.modules[name].end()
        timeline.tell("the power of both modules is cut")
        macs = (module.mac, other.mac)
        for lent, mac in zip((replace(other, host=module.host), module), macs[::-1], strict=True):
            host = other.host if lent is module else module.host
            await bench.modules.start(replace(lent, host=host), f"--mac={mac}")
            timeline.tell(f"{lent.name} comes up at {host}")

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = await super().play(bench, timeline)
        return replace(outcome, module=bench.modules[self.module.name])

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        other = outcome.bench.modules[self.other.name]
        if other.count("invited") or other.count("connected"):
            yield f"the other module was told {[event.name for event in other.events]}"


class SameName(OtherModuleAnswers):
    """Somebody tries the valve's sketch on a spare board, which calls itself the same."""

    name = "same-name"
    summary = "while the valve closes, a spare board announces its name: its MAC tells it apart"
    verdict = "verified"
    other = replace(GARDEN_VALVE, host="127.0.0.9")

    @override
    async def swap(self, bench: Bench, timeline: Timeline) -> None:
        valve = bench.modules[self.module.name]
        await bench.modules.start(self.other, f"--mac={_MAC}")
        timeline.tell(f"a spare board at {self.other.host} announces itself as {self.other.name}")
        bench.modules["spare"], bench.modules[self.module.name] = (
            bench.modules[self.module.name],
            valve,
        )

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        other = outcome.bench.modules["spare"]
        if other.count("invited") or other.count("connected"):
            yield f"the spare board was told {[event.name for event in other.events]}"


class ImpostorAnswers(SameName):
    """Somebody in the network says to be the valve: its name, its MAC, the new version."""

    name = "impostor"
    summary = "while the valve closes, somebody announces its name and its MAC: told nothing"

    @override
    async def swap(self, bench: Bench, timeline: Timeline) -> None:
        valve = bench.modules[self.module.name]
        claims = (f"--mac={self.module.mac}", f"--version={NEW}")
        await bench.modules.start(self.other, *claims)
        timeline.tell(f"somebody at {self.other.host} announces the valve's name, MAC and {NEW}")
        bench.modules["spare"], bench.modules[self.module.name] = (
            bench.modules[self.module.name],
            valve,
        )

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from super().complaints(outcome)
        host = self.other.host
        if any(host in str(issue["translation_placeholders"]) for issue in self._repairs):
            yield f"a person is asked although the valve was there: {self._repairs}"


class SameNameTwice(Scenario):
    """Two boards with one host name, neither of which says its MAC."""

    name = "same-name-twice"
    summary = "two boards call themselves the same: neither gets anything until one is renamed"
    module = GARDEN_VALVE
    arguments = ("--no-txt-mac",)
    verdict = "refused (same_name)"
    _again: str | None = None
    _first_events: Sequence[str] = ()
    _repairs: list[Json]

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        valve = bench.modules[self.module.name]
        spare = replace(self.module, host="127.0.0.9")
        await bench.modules.start(spare, f"--mac={_MAC}", *self.arguments)
        timeline.tell(f"a spare board at {spare.host} announces itself as {spare.name}")
        issue = await repair(bench.client, "same_name")
        timeline.tell(f"repair: {issue['translation_placeholders']}")
        bench.modules["spare"], bench.modules[self.module.name] = (
            bench.modules[self.module.name],
            valve,
        )
        await super().press(bench, timeline)

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = await super().play(bench, timeline)
        boards = [bench.modules[name] for name in ("spare", self.module.name)]
        self._first_events = [event.name for board in boards for event in board.events]
        await boards[0].end()
        renamed = replace(self.module, name="spare-valve", host="127.0.0.9")
        await bench.modules.start(renamed, f"--mac={_MAC}", *self.arguments)
        await discovered(bench.client, renamed.name)
        timeline.tell("the spare board has another name, and is offered as a new module")
        await bench.client.action("update.install", self.module.update_entity)
        while outcome.module.version != NEW:  # noqa: ASYNC110 - its own word takes another way
            await asyncio.sleep(0.1)
        self._again = bench.client.attributes(self.module.update_entity)["installed_version"]
        timeline.tell(f"Update is pressed again: {self._again} runs")
        self._repairs = await repairs(bench.client)
        return outcome

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        if {"invited", "connected", "first_byte"} & set(self._first_events):
            yield f"the boards were told {self._first_events}"
        if self._again != NEW or outcome.module.version != NEW:
            yield f"in the end it runs {outcome.module.version}, shown as {self._again}"
        if any(issue["translation_key"] == "same_name" for issue in self._repairs):
            yield "the repair is still there"
        if outcome.bench.modules["spare-valve"].count("invited"):
            yield "the spare board was invited"
