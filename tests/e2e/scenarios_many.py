"""Updates of many modules: all at once, and one after the other by a rollout."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, override

from .bench import Bench
from .flows import add_discovered
from .modules import GARDEN_VALVE, NEW, OLD, Module
from .scenario import Outcome, Scenario, verified
from .timeline import Timeline

_ROLLOUT = "sensor.firmware_library_rollout"
_ENDED = {"done", "stopped", "cancelled"}
_LIMIT = 2
"""Updates at once, as the house has it from the beginning."""

_ANNOUNCED = 0.5
"""Seconds for which a module has been announcing itself when it says that it is back."""

_BACK = 10.0


def _like_the_valve(name: str, host: str) -> Module:
    return replace(GARDEN_VALVE, name=name, host=host, firmware=GARDEN_VALVE.product)


class Many(Scenario):
    """A module with a valve, and others with the same firmware that switch nothing."""

    module = GARDEN_VALVE
    others: ClassVar[Sequence[Module]] = tuple(
        _like_the_valve(f"lawn-{number}", f"127.0.0.{10 + number}") for number in range(1, 4)
    )

    @property
    @override
    def modules(self) -> Sequence[Module]:
        return [self.module, *self.others]

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        client = bench.client
        for other in self.others:
            await add_discovered(client, other.name, {"equipment": "nothing"})
            card = other.update_entity
            await client.wait_until(
                f"the card of {other.name} offers {NEW}",
                lambda card=card: client.attributes(card).get("latest_version") == NEW,
            )
        timeline.tell(f"{len(self.others)} more run {self.module.product}, and switch nothing")
        return entry_id


class UpdateAll(Many):
    """All cards are pressed at once."""

    name = "update-all"
    summary = "all modules are pressed at once: two are updated, the others say their place"
    _places: ClassVar[set[int]] = set()

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client = bench.client
        cards = [module.update_entity for module in self.modules]

        def look(entity_id: str, state: dict[str, object]) -> None:
            attributes = state["attributes"]
            assert isinstance(attributes, dict)
            if entity_id in cards and (place := attributes.get("queue_place")):
                self._places.add(place)

        client.listeners.append(look)
        await client.command(
            "call_service",
            domain="update",
            service="install",
            target={"entity_id": cards},
        )
        client.listeners.remove(look)
        timeline.tell("all have ended")
        async with asyncio.timeout(_BACK):
            while not all(module.count("back") for module in bench.modules.values()):  # noqa: ASYNC110 - a module in another process tells
                await asyncio.sleep(0.05)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        spans = []
        for module in outcome.bench.modules.values():
            if module.version != NEW or module.count("restarted") != 1:
                yield f"{module.module.name} runs {module.version}"
            spans.append((module.times("invited")[0], module.times("back")[-1] - _ANNOUNCED))
        most = max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)
        if most > _LIMIT:
            yield f"{most} were updated at once"
        if not self._places:
            yield "no card said its place"


class RolloutStops(Many):
    """The image of a rollout does not start: its canary comes back with the old one."""

    name = "rollout-stops"
    summary = "a rollout of a bad image: the canary fails, no other module is touched"
    verdict = "unchanged (old_version_back)"
    arguments = ("--fault=old_sketch_back",)

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client = bench.client
        answer = await client.command(
            "call_service",
            domain="esp_ota",
            service="start_rollout",
            service_data={"firmware": self.module.product, "canaries": [self.module.update_entity]},
            return_response=True,
        )
        for wave in answer["response"]["waves"]:
            names = ", ".join(module["module"] for module in wave["modules"])
            timeline.tell(f"the plan, {wave['wave']}: {names}")
        await client.wait_until(
            "the rollout has ended", lambda: client.state(_ROLLOUT) in _ENDED, 300
        )
        timeline.tell(f"the rollout is {client.state(_ROLLOUT)}")

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        shown = outcome.bench.client.attributes(_ROLLOUT)
        if outcome.bench.client.state(_ROLLOUT) != "stopped":
            yield f"the rollout is {outcome.bench.client.state(_ROLLOUT)}"
        if (shown.get("failed"), shown.get("waits")) != (1, len(self.others)):
            yield f"it says {shown}"
        for other in self.others:
            module = outcome.bench.modules[other.name]
            if module.version != OLD or module.count("invited"):
                yield f"{other.name} was touched"
