"""New firmware that does not work, and what ran before it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
import hashlib
from typing import ClassVar, override

from .bench import Bench
from .flows import configure, fix, repair, repairs
from .garden import Json
from .modules import GARDEN_VALVE, OLD
from .scenario import Outcome, Scenario, secured
from .scenarios_proof import begun_and_ended
from .timeline import Timeline
from .watch import Target, Watch

_LIVES = 12
"""Seconds from the start of a bad sketch to its crash."""


class Rollback(Scenario):
    """A sketch that starts, says what it is, and crashes a while later."""

    name = "rollback"
    summary = "the new sketch crashes while it is watched: the old one is sent by itself"
    module = GARDEN_VALVE
    verdict = "rolled_back (soak_restarted)"
    arguments = ("--fault=crashes:1", f"--crash-time={_LIVES}")
    options: ClassVar[Json] = {"rollback": "auto", "soak_minutes": 1}
    restarts: ClassVar[int] = 3
    """For the update, by the crash, for the way back."""
    told: ClassVar[tuple[str, ...]] = (
        "did not run 1.1.0 as it should, so 1.0.0 was put back",
        "restarted again while it was watched",
    )
    left: ClassVar[list[str]] = ["update_failed"]
    """The repairs at the end."""

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        self.module.place_firmware(bench.home.firmware_folder, OLD)
        entry_id = await super().set_up(bench, timeline)
        await configure(bench.client, entry_id, "verification", self.options)
        async with asyncio.timeout(10):
            while not bench.home.said(f"{self.module.name} {OLD}"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        timeline.tell(f"the library has {OLD} too")
        return entry_id

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = await super().play(bench, timeline)
        for issue in await repairs(bench.client):
            timeline.tell(f"repair: {issue['translation_key']}")
        return outcome

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        module, watch = outcome.module, outcome.watch
        if watch.shown["installed_version"] != OLD or watch.shown["installed_is_assumed"]:
            yield f"the card says that {watch.shown['installed_version']} runs"
        if module.md5 != hashlib.md5(self.module.image(OLD)).hexdigest():
            yield f"the module runs {module.version}"
        if module.count("restarted") != self.restarts:
            yield f"the module restarted {module.count('restarted')} times"
        if module.count("installed") != 2:
            yield f"the module got {module.count('installed')} images"
        yield from secured(outcome)

    @override
    async def judge(self, outcome: Outcome) -> list[str]:
        found = await super().judge(outcome)
        keys = [issue["translation_key"] for issue in await repairs(outcome.bench.client)]
        if keys != self.left:
            found.append(f"the repairs at the end are {keys}")
        told = outcome.watch.error or ""
        if not all(words in told for words in self.told):
            found.append(f"the person was told: {told}")
        return found


class RollbackAsk(Rollback):
    """A sketch that says it is another version, and a person who is asked."""

    name = "rollback-ask"
    summary = "the new sketch says it is another version: one click on Fix brings the old one back"
    verdict = "rolled_back"
    arguments = ("--fault=wrong_version_back:1",)
    options: ClassVar[Json] = {"rollback": "ask", "soak_minutes": 0}
    restarts = 2
    told = ()
    left: ClassVar[list[str]] = []
    _first: Outcome

    @override
    async def play(self, bench: Bench, timeline: Timeline) -> Outcome:
        outcome = self._first = await super().play(bench, timeline)
        client = bench.client
        issue = await repair(client, "roll_back")
        target = Target(
            entity_id=self.module.update_entity,
            equipment=self.module.equipment,
            module=outcome.module,
        )
        watch = Watch(client, timeline, target)
        fixed = begun_and_ended(client, target.entity_id, fix(client, issue))
        await watch.follow(fixed, OLD, what="Fix is pressed")
        state = client.state(self.module.equipment.entity_id)
        return replace(outcome, watch=watch, equipment=state)

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from secured(self._first)
        if self._first.watch.verdict != "failed (other_version_back)":
            yield f"before Fix the verdict was {self._first.watch.verdict}"
        if "0.0.1 instead of 1.1.0" not in str(self._first.watch.error):
            yield f"before Fix the person was told: {self._first.watch.error}"
        yield from super().complaints(outcome)
