"""Updates of several modules that rest on the same equipment."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, override

from .bench import Bench
from .flows import add_discovered, configure
from .garden import VALVE
from .modules import GARDEN_VALVE, NEW, WELL_PUMP, Module
from .scenario import Outcome, Scenario
from .timeline import Timeline


class SharedValve(Scenario):
    """Two modules with safe states of their own, which close the same valve."""

    name = "shared-valve"
    summary = "two modules behind one valve, both updated: the second waits for the first"
    module = GARDEN_VALVE
    other: ClassVar[Module] = replace(WELL_PUMP, equipment=VALVE, password=None)
    _waited_for: str | None = None

    @property
    @override
    def modules(self) -> Sequence[Module]:
        return [self.module, self.other]

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        answers = {"equipment": "switches", "password": None}
        other = await add_discovered(bench.client, self.other.name, answers)
        await configure(bench.client, other, "safe_state", self.other.equipment.safe_state())
        timeline.tell(f"{self.other.name} closes the same valve")
        card = self.other.update_entity
        await bench.client.wait_until(
            f"its card offers {NEW}",
            lambda: bench.client.attributes(card).get("latest_version") == NEW,
        )
        return entry_id

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client, cards = bench.client, (self.module.update_entity, self.other.update_entity)
        first = asyncio.ensure_future(super().press(bench, timeline))
        try:
            await client.wait_until(
                "it is being made safe",
                lambda: client.attributes(cards[0]).get("stage") == "making_safe",
            )
            second = asyncio.ensure_future(client.action("update.install", cards[1]))
            timeline.tell(f"Update of {self.other.name} is pressed as well")
            await client.wait_until(
                "it says for whom it waits",
                lambda: client.attributes(cards[1]).get("waits_for") is not None,
            )
            self._waited_for = client.attributes(cards[1])["waits_for"]
            timeline.tell(f"{self.other.name} is queued, and waits for {self._waited_for}")
        finally:
            await first
        await second
        timeline.tell(f"{self.other.name} is updated, too")

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        changes = outcome.watch.equipment_changes
        if outcome.watch.error:
            yield f"Home Assistant reported an error: {outcome.watch.error}"
        if self._waited_for != self.module.name:
            yield f"the second waited for {self._waited_for}"
        if [state for _, state in changes] != [VALVE.safe, VALVE.working] * 2:
            yield f"the valve went {changes}"
            return
        shut = [(changes[index][0], changes[index + 1][0]) for index in (0, 2)]
        for name, (begin, end) in zip((self.module.name, self.other.name), shut, strict=True):
            module = outcome.bench.modules[name]
            busy = [at for what in ("first_byte", "restarted", "back") for at in module.times(what)]
            if module.version != NEW:
                yield f"{name} runs {module.version}"
            if not all(begin < at < end for at in busy if at > outcome.watch.began):
                yield f"the valve was not {VALVE.safe} all the time for {name}"
