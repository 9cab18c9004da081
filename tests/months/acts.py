"""What happens in a house: each method is one kind of act of its calendar."""

import asyncio
import time
from typing import Any, Final

from tests.e2e import flows
from tests.e2e.client import ActionFailed, Json
from tests.e2e.garden import GARDEN

from . import person, releases
from .history import Kept
from .house import House
from .life import TALK
from .plan import FIRST, PULLS, ModulePlan

_WRITING: Final = 10.0
_WRITTEN: Final = 10.0
"""Seconds until Home Assistant has on disk what a person has set up, and has reloaded for it."""
_CURIOUS: Final = 3
"""Of every so many modules the person wants to see when it was seen last."""
_WATCHES: Final = (900.0, 90.0)
"""Seconds for which the person looks at an update; one that waits for a request goes on alone."""
_POWER_CUT: Final = 20.0
WITHOUT_HOME: Final = {"restart", "move", "swap", "rename", "switch_off", "switch_on", "network_up"}
"""Acts that need nobody who talks with Home Assistant."""


class Acts:
    """Lets it happen."""

    def __init__(self, house: House) -> None:
        """Happen to this house."""
        self._house = house
        self._cut_at = 0.0

    async def add(self, plan: ModulePlan) -> None:
        """Have the person add a module."""
        house = self._house
        unit = house.units[plan.name]
        async with house.life.talk() as talk:
            entry_id = await person.add(talk, plan, unit.host, unit.hostname)
            curious = plan.number % _CURIOUS == 0
            enabled = curious and await person.want_last_seen(talk, entry_id)
            house.known[plan.name] = await person.entities(talk, entry_id, enabled=enabled)
        house.added[plan.name] = time.time()
        house.run.added.append((time.time(), plan.name))
        await self._left_as_it_is(plan)

    async def add_again(self, plan: ModulePlan) -> None:
        """Have the person add a module that was deleted: it is found as it was left."""
        house, wanted = self._house, self._house.wanted.pop(plan.name, {})
        await self.add(plan)
        kept = {key: value for key, value in wanted.items() if key.startswith(("device", "entity"))}
        house.wanted[plan.name] |= kept

    async def _left_as_it_is(self, plan: ModulePlan) -> None:
        """Note what is set up of a module once it is on disk: only a person may change it."""
        with self._house.clock.slowly(_WRITING):
            await asyncio.sleep(_WRITTEN)
        self._house.wanted[plan.name] = self._house.set_up()[plan.name]

    async def sources(self) -> None:
        """Have the person add the list of releases, and with it the names that are on it."""
        for plan in self._house.plan.modules:
            if plan.source == "list":
                self._house.site.add(plan, FIRST)
        async with self._house.life.talk() as talk:
            await person.add_list(talk, releases.LIST)

    async def release(self, version: str) -> None:
        """Bring out a new version of all firmware, each by its own way."""
        house = self._house
        async with house.life.session() as session:
            for plan in house.plan.modules:
                match plan.source:
                    case "list":
                        house.site.add(plan, version)
                    case "build":
                        with house.clock.slowly(TALK):
                            await releases.build(session, plan, version)
                    case _:
                        releases.place(house.life.home.firmware_folder, plan, version)
        house.run.released.append((time.time(), version))

    async def restart(self, plan: ModulePlan) -> None:
        """Cut a module's power for a moment."""
        await self._in_between(plan)

    async def move(self, plan: ModulePlan, host: str) -> None:
        """Have the router lend a module another address."""
        await self._in_between(plan, host=host)

    async def rename(self, plan: ModulePlan, name: str) -> None:
        """Flash a module by cable with a sketch that has another host name."""
        await self._in_between(plan, hostname=name)

    async def _in_between(self, *plans: ModulePlan, **changes: Any) -> None:
        """Change something of modules while they have no power; those without are left out."""
        units = [self._house.units[plan.name] for plan in plans]
        if any(unit.module is None for unit in units):
            return
        for unit in units:
            await unit.switch_off()
        await asyncio.sleep(_POWER_CUT)
        for key, value in changes.items():
            setattr(units[0], key, value)
        for unit in units:
            await unit.switch_on()

    async def swap(self, plan: ModulePlan, other: str) -> None:
        """Have the router give two modules each other's address."""
        one, two = self._house.units[plan.name], self._house.units[other]
        if one.module is None or two.module is None:
            return
        await one.switch_off()
        await two.switch_off()
        one.host, two.host = two.host, one.host
        await asyncio.sleep(_POWER_CUT)
        await one.switch_on()
        await two.switch_on()

    async def readdress(self, plan: ModulePlan, host: str) -> None:
        """Move a module that nobody hears, and have the person say where it is."""
        await self.move(plan, host)
        known = self._house.known.get(plan.name)
        if known is None or self._house.units[plan.name].module is None:
            return
        async with self._house.life.talk() as talk:
            await person.readdress(talk, plan, known.entry_id, host)
        await self._left_as_it_is(plan)

    async def switch_off(self, plan: ModulePlan) -> None:
        """Take a module's power for days."""
        await self._house.units[plan.name].switch_off()

    async def switch_on(self, plan: ModulePlan) -> None:
        """Give it back."""
        if self._house.units[plan.name].module is None:
            await self._house.units[plan.name].switch_on()

    async def network_down(self) -> None:
        """Cut the network, for all there is."""
        self._house.cut_off = True
        self._cut_at = time.time()
        await self._house.world.network(there=False)

    async def network_up(self) -> None:
        """Mend it."""
        await self._house.world.network(there=True)
        self._house.cut_off = False
        self._house.run.cut_off.append((self._cut_at, time.time()))

    async def restart_home(self) -> None:
        """Restart Home Assistant; what stands in the garden stays."""
        life = self._house.life
        states = await life.states()
        garden = {name: states[name]["state"] for name in GARDEN}
        await life.stop()
        life.leave_garden(garden)
        await life.start()

    async def reload(self, plan: ModulePlan) -> None:
        """Have the person reload a module's entry."""
        if (known := self._house.known.get(plan.name)) is not None:
            async with self._house.life.talk() as talk:
                await person.reload(talk, known.entry_id)

    async def options(self, plan: ModulePlan) -> None:
        """Have the person change an option, which reloads the entry."""
        if (known := self._house.known.get(plan.name)) is None:
            return
        answers = {"rollback": "never", "soak_minutes": 0}
        async with self._house.life.talk() as talk:
            await flows.configure(talk, known.entry_id, "verification", answers)
        await self._left_as_it_is(plan)

    async def names(self, plan: ModulePlan) -> None:
        """Have the person give a module an area and its card a name."""
        if (known := self._house.known.get(plan.name)) is None:
            return
        text = f"{plan.name} by the person {round(time.time()) % 1000}"
        async with self._house.life.talk() as talk:
            await person.name_it(talk, known.entry_id, known.ids["firmware"], text)
        await self._left_as_it_is(plan)

    async def remove(self, plan: ModulePlan) -> None:
        """Have the person delete a module's entry."""
        if (known := self._house.known.pop(plan.name, None)) is None:
            return
        del self._house.added[plan.name]
        with self._house.clock.slowly(TALK):
            await person.remove(self._house.life, known.entry_id)

    async def remove_library(self) -> None:
        """Have the person delete *Firmware library*, look how to ask it, and add its list again."""
        house = self._house
        async with house.life.talk() as talk:
            entry_id = await flows.entry_called(talk, flows.LIBRARY)
            await person.remove(house.life, entry_id)
            url = await person.pull_url(talk)
            await person.add_list(talk, releases.LIST)
        if url != house.pull_url:
            lost = Kept(at=time.time(), what="address for sketches", wanted="one", found="another")
            house.run.kept.append(lost)

    async def skip(self, plan: ModulePlan) -> None:
        """Have the person skip what is offered."""
        if (known := self._house.known.get(plan.name)) is None:
            return
        async with self._house.life.talk() as talk:
            card = talk.states[known.ids["firmware"]]
            if card["state"] == "on":
                await talk.action("update.skip", known.ids["firmware"])
                version = card["attributes"]["latest_version"]
                self._house.run.skipped.append((time.time(), plan.name, version))

    async def pin(self, plan: ModulePlan) -> None:
        """Have the person choose an older version than the one that runs."""
        if not self._house.run.released:
            return
        newest = self._house.run.released[-1][1]
        older = FIRST if len(self._house.run.released) < 2 else self._house.run.released[-2][1]
        if self._house.units[plan.name].runs == newest and older != FIRST:
            await self._ask(plan, "update.install", {"version": older})

    async def roll_back(self, plan: ModulePlan) -> None:
        """Have the person go back to what ran well before."""
        await self._ask(plan, "esp_ota.rollback", {})

    async def _ask(self, plan: ModulePlan, action: str, data: Json) -> None:
        """Call an action of a card; that it is refused is an answer, too."""
        house = self._house
        if (known := house.known.get(plan.name)) is None or plan.fails:
            return
        house.press(plan, data.get("version"))
        async with house.life.talk() as talk:
            try:
                async with asyncio.timeout(_WATCHES[plan.way == PULLS]):
                    await talk.action(action, known.ids["firmware"], **data)
            except (ActionFailed, TimeoutError) as error:
                house.say(f"  {error}")
