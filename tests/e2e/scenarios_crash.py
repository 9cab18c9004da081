"""Home Assistant dies at the worst moment, and is started again."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import override

from .bench import Bench
from .flows import fix, repair, repairs
from .garden import GARDEN, Json
from .modules import GARDEN_VALVE, OLD
from .scenario import Outcome, Scenario, secured, verified
from .scenarios_proof import begun_and_ended
from .timeline import Timeline
from .watch import Target, Watch

_DIES_AT = 40
"""Percent of the image that are out by then."""
_LOOKS = 120.0
"""Seconds for a module's own word after the start."""


class Crash(Scenario):
    """Killed while it sends, and started again."""

    name = "crash"
    summary = (
        "Home Assistant is killed (kill -9) while it sends: restored, told, again by one click"
    )
    module = GARDEN_VALVE
    _first: Outcome
    _after: Json
    """What was so before the repair was fixed."""

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client, home, card = bench.client, bench.home, self.module.update_entity
        module = bench.modules[self.module.name]
        pressed = asyncio.ensure_future(super().press(bench, timeline))
        try:
            await client.wait_until(
                f"{_DIES_AT} % are sent",
                lambda: (client.attributes(card).get("update_percentage") or 0) >= _DIES_AT,
            )
        finally:
            timeline.tell("Home Assistant is killed")
            await home.kill()
            with suppress(ConnectionError):
                await pressed
        home.leave_garden({name: client.states[name]["state"] for name in GARDEN})
        async with asyncio.timeout(30):
            while not module.count("aborted"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        timeline.tell("Home Assistant is started again")
        await home.start()
        await client.reconnect()
        await client.wait_until(
            "the card says how the update ended",
            lambda: bool(client.attributes(card).get("last_verdict")),
            _LOOKS,
        )

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = self._first = await super().play(bench, timeline)
        module, client = outcome.module, bench.client
        timeline.tell(f"the card says: {outcome.watch.verdict}")
        issue = await repair(client, "interrupted")
        timeline.tell("repair: the update can be begun again")
        self._after = {
            "verdict": outcome.watch.verdict,
            "equipment": outcome.equipment,
            "version": module.version,
            "invited": module.count("invited"),
            "restarted": module.count("restarted"),
            "repairs": [found["translation_key"] for found in await repairs(client)],
        }
        card, equipment = self.module.update_entity, self.module.equipment
        watch = Watch(client, timeline, Target(entity_id=card, equipment=equipment, module=module))
        fixed = begun_and_ended(client, card, fix(client, issue))
        await watch.follow(fixed, what="Fix is pressed")
        return replace(outcome, watch=watch, equipment=client.state(equipment.entity_id))

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        expected = {
            "verdict": "failed (interrupted)",
            "equipment": self.module.equipment.working,
            "version": OLD,
            "invited": 1,
            "restarted": 0,
            "repairs": ["interrupted"],
        }
        if self._after != expected:
            yield f"after the start it was {self._after}"
        yield from secured(self._first)
        yield from verified(outcome)
