"""Plays the calendar of one house, and writes down what happens."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from heapq import heapify, heappop, heappush
from itertools import count
import json
from pathlib import Path
import time
import traceback
from typing import Final

from tests.e2e import flows

from . import figures, person
from .acts import WITHOUT_HOME, Acts
from .automations import NAME, nightly
from .clock import Clock, real_time
from .history import Ended, History, Kept, Press
from .house import House
from .life import TALK, Life
from .looks import looks
from .plan import DAY, HOUR, PAGE, SILENT, Act, ModulePlan, Plan, clock_text
from .releases import Site
from .setup import differences
from .truth import LONGEST, lies
from .world import World

DAYS: Final = 4000.0
"""How fast the clock goes while nobody waits for anybody."""
SLOWLY: Final = 60.0
"""How fast while something untrue is looked at again."""
_AGAIN: Final = 30.0
_QUIET: Final = {"look", "figures"}
_LATER: Final = HOUR + 600


class Player:
    """Lets a house live its days."""

    def __init__(self, plan: Plan, work: Path, clock: Clock, seconds: float) -> None:
        """Play for so many real seconds at most."""
        run = History(plan=plan)
        self._until = real_time() + seconds
        automations = [nightly(item, card_of(item)) for item in plan.modules if item.night]
        self.house = House(
            plan=plan,
            clock=clock,
            world=World(plan.modules, run.happened.append, clock),
            site=Site(),
            life=Life(work, clock, automations),
            run=run,
        )
        self._acts = Acts(self.house)
        self._modules = {item.name: item for item in plan.modules}
        self._untrue: dict[str, list[str]] = {}
        self.took: defaultdict[str, float] = defaultdict(float)
        """Real seconds by what was done."""

    async def play(self) -> History:
        """Play until the last day is over, or our time is."""
        house = self.house
        async with AsyncExitStack() as stack:
            for part in (house.world, house.site, house.life):
                await stack.enter_async_context(part)
            house.say("Home Assistant runs")
            async with house.life.talk() as talk:
                house.pull_url = await person.pull_url(talk)
                await flows.make_valve(talk)
            for unit in house.units.values():
                unit.pull_url = house.pull_url
                await unit.switch_on()
            house.clock.usual(DAYS)
            await self._calendar()
            house.clock.usual(SLOWLY)
            await self.look()
            await self.figures()
            house.run.ended_at = time.time()
        self._read_heard()
        house.run.said.extend(figures.log_lines(house.life.home.log))
        return house.run

    async def _calendar(self) -> None:
        order = count()
        plan = self.house.plan
        days = [Act(at=day * DAY, kind="figures") for day in range(1, int(plan.days) + 1)]
        hours = [Act(at=hour * HOUR, kind="look") for hour in range(1, int(plan.days * 24))]
        acts = [(plan.begins + act.at, next(order), act) for act in (*plan.acts, *days, *hours)]
        heapify(acts)
        while acts and acts[0][0] < plan.ends and real_time() < self._until:
            moment, _, act = heappop(acts)
            with self._counted("between"):
                await self.house.clock.sleep_until(moment)
            if self.house.cut_off and act.kind not in WITHOUT_HOME:
                if act.kind not in _QUIET:
                    heappush(acts, (moment + _LATER, next(order), act))
                continue
            await self._do(act)
        if real_time() < self._until:
            await self.house.clock.sleep_until(plan.ends)

    async def _do(self, act: Act) -> None:
        if act.kind not in _QUIET:
            self.house.say(str(act))
        who = self if act.kind in _QUIET else self._acts
        module = [self._modules[act.module]] if act.module else []
        try:
            with self._counted(act.kind):
                await getattr(who, act.kind)(*module, **act.details)
        except Exception as error:  # noqa: BLE001 - told at the end, whatever it was
            traceback.print_exc()
            self.house.run.broken.append(f"{clock_text(time.time())} {act}: {error!r}")

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        begun = real_time()
        try:
            yield
        finally:
            self.took[what] += real_time() - begun

    async def look(self) -> None:
        """Look at all modules; look again and again at what is not true."""
        house, begun = self.house, time.time()
        while True:
            states = await house.life.states()
            untrue: dict[str, list[str]] = {}
            for look in looks(house.units, house.known, house.added, states, house.life.since):
                house.run.looks.append(look)
                if found := lies(self._modules[look.module], look):
                    untrue[look.module] = found
            fresh = {name: what for name, what in untrue.items() if self._untrue.get(name) != what}
            if not fresh or time.time() - begun > LONGEST + _AGAIN:
                break
            with house.clock.slowly(SLOWLY):
                await asyncio.sleep(_AGAIN)
        if untrue and untrue != self._untrue:
            house.say(f"not true: {untrue}")
        self._untrue = untrue
        house.run.equipment.extend(figures.equipment(house.plan.modules, states))

    async def figures(self) -> None:
        """Measure, and compare what the person has set up with how they left it."""
        house = self.house
        now, found = time.time(), house.set_up()
        for what, wanted, there in differences(house.wanted, found):
            if what.rpartition(" of ")[2] in house.known:
                house.run.kept.append(Kept(at=now, what=what, wanted=wanted, found=there))
        with house.clock.slowly(TALK):
            measured = await house.life.get("/api/months_probe")
        last = house.run.figures[-1] if house.run.figures else None
        since = last.at if last else house.plan.begins
        house.run.figures.append(figures.figures(house, measured, since))

    def _read_heard(self) -> None:
        run = self.house.run
        for line in self.house.life.heard.read_text().splitlines():
            heard = json.loads(line)
            at, kind = heard.pop("at"), heard.pop("kind")
            if kind == "ended":
                run.ended.append(Ended(at=at, **heard | {"module": self._whose(heard["module"])}))
            elif heard["name"].startswith(NAME):
                module = heard["name"].removeprefix(NAME)
                run.presses.append(Press(at=at, module=module, by="automation"))
        run.presses.sort(key=lambda press: press.at)

    def _whose(self, title: str) -> str:
        """Return the module of an entry's title: its name when it was added, or added again."""
        for item in self._modules.values():
            if title in {item.shown_as, item.host, self.house.units[item.name].hostname}:
                return item.name
        return title


def card_of(plan: ModulePlan) -> str:
    """Return what Home Assistant calls a module's card when it is added."""
    name = plan.host if plan.way in {PAGE, SILENT} else plan.shown_as
    return f"update.{name.replace('-', '_').replace('.', '_')}_firmware"
