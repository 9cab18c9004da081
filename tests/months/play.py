"""Plays the calendar of one house, and writes down what happens."""

import asyncio
from heapq import heapify, heappop, heappush
from itertools import count
import json
from pathlib import Path
import time
import traceback
from typing import Final

from tests.e2e import flows

from . import person
from .automations import NAME, nightly
from .clock import Clock, real_time
from .history import Ended, Figures, Happened, History, Press
from .life import Life
from .looks import looks
from .plan import DAY, HOUR, MINUTE, PULLS, Act, ModulePlan, Plan, clock_text
from .truth import LONGEST, lies
from .world import World

DAYS: Final = 1500.0
"""How fast the clock goes while nobody waits for anybody."""
SLOWLY: Final = 60.0
"""How fast while something untrue is looked at again."""
_AGAIN: Final = 30.0


class Player:
    """Everything that happens in one house."""

    def __init__(self, plan: Plan, work: Path, clock: Clock, seconds: float) -> None:
        """Play for so many real seconds at most."""
        self._plan = plan
        self._clock = clock
        self._until = real_time() + seconds
        self._world = World(plan.modules, self._tell, clock)
        automations = [nightly(item, _card(item)) for item in plan.modules if item.night]
        self.life = Life(work, clock, automations)
        self._modules = {item.name: item for item in plan.modules}
        self._known: dict[str, person.Entities] = {}
        self._added: dict[str, float] = {}
        self._untrue: dict[str, list[str]] = {}
        self._rows = 0.0
        self.run = History(plan=plan)

    def _tell(self, happened: Happened) -> None:
        self.run.happened.append(happened)

    def say(self, text: str) -> None:
        """Print a line of the story."""
        print(f"{clock_text(time.time())} {text}", flush=True)

    async def play(self) -> History:
        """Play until the last day is over, or our time is."""
        async with self._world, self.life:
            self.say("Home Assistant runs")
            async with self.life.talk() as talk:
                self._url = await person.pull_url(talk)
                await flows.make_valve(talk)
            for unit in self._world.units.values():
                unit.pull_url = self._url
                await unit.switch_on()
            self._clock.usual(DAYS)
            await self._calendar()
            self._clock.usual(SLOWLY)
            await self.look()
            self.run.ended_at = time.time()
        self._read_heard()
        return self.run

    async def _calendar(self) -> None:
        order = count()
        begins, ends = self._plan.begins, self._plan.ends
        acts = [(begins + act.at, next(order), act) for act in self._plan.acts]
        for hour in range(1, int((ends - begins) / HOUR)):
            acts.append((begins + hour * HOUR, next(order), Act(at=hour * HOUR, kind="look")))
        heapify(acts)
        while acts and acts[0][0] < ends and real_time() < self._until:
            moment, _, act = heappop(acts)
            await self._clock.sleep_until(moment)
            if act.kind != "look":
                self.say(str(act))
            try:
                await self._do(act)
            except Exception as error:  # noqa: BLE001 - told at the end, whatever it was
                traceback.print_exc()
                self.run.broken.append(f"{clock_text(moment)} {act}: {error!r}")
        await self._clock.sleep_until(min(ends, time.time() + 1))

    async def _do(self, act: Act) -> None:
        method = getattr(self, act.kind)
        await (method(self._modules[act.module], **act.details) if act.module else method(**act.details))

    async def add(self, plan: ModulePlan) -> None:
        """Have the person add a module."""
        async with self.life.talk() as talk:
            entry_id = await person.add(talk, plan, self._world.units[plan.name].host)
            self._known[plan.name] = await person.entities(talk, entry_id)
        self._added[plan.name] = time.time()

    async def release(self, version: str) -> None:
        """Bring out a new version of all firmware."""
        for plan in self._plan.modules:
            self._world.release(plan, version, self.life.home.firmware_folder)

    async def look(self) -> None:
        """Look at all modules; look again and again at what is not true."""
        begun = time.time()
        while True:
            states = await self.life.states()
            untrue: dict[str, list[str]] = {}
            for look in looks(
                self._world.units, self._known, self._added, states, self.life.since
            ):
                self.run.looks.append(look)
                if found := lies(self._modules[look.module], look):
                    untrue[look.module] = found
            fresh = {name: found for name, found in untrue.items() if self._untrue.get(name) != found}
            if not fresh or time.time() - begun > LONGEST + _AGAIN:
                break
            self.say(f"not true: {fresh}")
            with self._clock.slowly(SLOWLY):
                await asyncio.sleep(_AGAIN)
        self._untrue = untrue

    def _read_heard(self) -> None:
        for line in self.life.heard.read_text().splitlines():
            heard = json.loads(line)
            at, kind = heard.pop("at"), heard.pop("kind")
            if kind == "ended":
                self.run.ended.append(Ended(at=at, **heard))
            elif heard["name"].startswith(NAME):
                module = heard["name"].removeprefix(NAME)
                self.run.presses.append(Press(at=at, module=module, by="automation"))


def _card(plan: ModulePlan) -> str:
    name = plan.host if plan.way in {"page", "silent"} else plan.shown_as
    return f"update.{name.replace('-', '_').replace('.', '_')}_firmware"
