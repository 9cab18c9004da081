"""A server that decides about modules of many houses, and this one of them."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields
from typing import override

from tests.kit.hawkbit import DdiAction, File, HawkBit

from .bench import Bench
from .client import ActionFailed
from .flows import LIBRARY, entry_called
from .modules import GARDEN_VALVE, NEW, Module
from .scenario import Outcome, Scenario, verified
from .scenarios_sources import Unpublished
from .timeline import Timeline

_FLOW = "/api/config/config_entries/subentries/flow"


class Ddi(Scenario):
    """hawkBit's dialect; the tests have a goosebit as well."""

    name = "ddi"
    summary = "a server for many houses assigns firmware; it is installed, and the server is told"
    module = Unpublished(**{item.name: getattr(GARDEN_VALVE, item.name) for item in fields(Module)})

    _server: HawkBit
    _action: DdiAction

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        async with HawkBit() as self._server:
            outcome = await super().play(bench, timeline)
            await self._told(timeline)
            return outcome

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        client = bench.client
        handler = [await entry_called(client, LIBRARY), "server"]
        form = await client.post(_FLOW, {"handler": handler})
        said = {"url": self._server.url, "tenant": "DEFAULT", "prefix": "home-"}
        said |= {"login": "none", "begins": "press"}
        answer = await client.post(f"{_FLOW}/{form['flow_id']}", said)
        if answer["type"] != "create_entry":
            raise ActionFailed({"message": f"the server was not taken: {answer}"})
        [target] = self._server.targets
        timeline.tell(f"the server knows the module as {target}")
        file = File(name="valve.bin", data=self.module.image())
        self._action = self._server.assign(target, NEW, file)
        timeline.tell(f"the server wants {NEW} to run on it")
        return entry_id

    async def _told(self, timeline: Timeline) -> None:
        """Wait for what the server is told at last."""
        async with asyncio.timeout(30):
            while self._action.is_active:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.1)
        for status in self._action.told:
            timeline.tell(f"the server was told: {status['execution']}, {status['details'][0]}")

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        ends = [told for told in self._action.told if told["execution"] == "closed"]
        if [end["result"]["finished"] for end in ends] != ["success"]:
            yield f"the server was told that it ended as {ends}"
        if self._action.state != "finished":
            yield f"at the server it is {self._action.state}"
