"""Plays one house: Home Assistant lives, is killed, lives again; all of it is written down."""

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path
import shutil
import time
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from .config import PORT, SECRET, copy_template, last_rollout, open_installs, write_entries
from .conversation import Conversation, Line
from .garden import Garden
from .history import Died, History, Shown
from .lives import Life, Lives
from .meter import measure
from .person import Person
from .plan import OLD, Death, HousePlan
from .story import Story
from .torture_garden.link import Message

PULL_URL: Final = f"http://127.0.0.1:{PORT}/api/esp_ota/pull/{SECRET}"
_LIFE: Final = 40.0
"""Seconds for one life to come to rest; the longest honest one takes a third of it."""
_EACH: Final = 8.0
"""More for each module: they may be updated one after the other."""
_LAST_WORDS: Final = 0.3
"""Seconds in which who dies with its last note has died."""
_START: Final = 180.0
"""Seconds for Home Assistant to start; on a busy machine a real one takes its time."""
_KNOWN: Final = 2.0
"""Seconds for the modules to be heard before Update is pressed."""
_SETTLE: Final = 6.0


class House:
    """One house from the first start of its Home Assistant to its rest."""

    def __init__(self, plan: HousePlan, lives: Lives, place: Path, template: Path) -> None:
        """Play in `place`, which is made for it."""
        self._plan = plan
        self._lives = lives
        self._place = place
        self._template = template
        self._folder = place / "config"
        self._garden = Garden(plan)
        self._talk = Conversation(plan, self._garden)
        self._person = Person(plan, self._garden, self._talk, place, self._living)
        self._life = 0
        self._ended = False
        self._killed = False
        """By us, from outside, or stopped in order."""
        self.deaths: list[str] = []
        """How its lives ended, in order."""

    @property
    def reached(self) -> set[str]:
        """Points that were reached and belong to no module."""
        return self._talk.reached

    @property
    def timeline(self) -> list[Message]:
        """All that Home Assistant told, and what was done to it."""
        return self._talk.timeline

    async def play(self, zeroconf: AsyncZeroconf) -> list[History]:
        """Play it, and return what happened to each module."""
        copy_template(self._template, self._folder)
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: Line(self._talk), self._place / "socket")
        try:
            async with self._garden.running(zeroconf, PULL_URL):
                modules = self._garden.modules.values()
                for name, outside in self._garden.modules.items():
                    outside.noted = partial(self._noted, name)
                write_entries(self._folder, self._plan, modules)
                metering = loop.create_task(
                    measure(self._talk.started_pid, self.story.taken.append)
                )
                deaths = [*self._plan.deaths, None]
                for number, death in enumerate(deaths):
                    if await self._live(number, death):
                        break
                metering.cancel()
                await self._garden.settle(_SETTLE)
        finally:
            self._person.end()
            server.close()
        self.story.runs = [outside.history for outside in self._garden.modules.values()]
        self.story.note = last_rollout(self._folder)
        return self.story.runs

    @property
    def story(self) -> Story:
        """What happened to its rollout and its queue."""
        return self._talk.story

    def _living(self) -> int | None:
        """Return the number of the life that can be asked for something."""
        return None if self._ended or self._killed else self._life

    def _noted(self, name: str) -> str | None:
        """Return the stage of a module's install that is on disk."""
        note = open_installs(self._folder).get(name)
        return str(note["stage"]) if note else None

    # Lives

    async def _live(self, number: int, death: Death | None) -> bool:
        """Run one life; tell whether all came to rest in it."""
        self._life, self._ended, self._killed = number, False, False
        self._talk.begin(number, death)
        if (rollout := last_rollout(self._folder)) is not None:
            self._talk.remember(f"on disk {rollout['state']}")
        begun = time.monotonic()
        life = await self._lives.start(self._folder)
        ending = asyncio.create_task(life.wait())
        rested = False
        try:
            async with asyncio.timeout(_START):
                await self._until_begun(life, ending, death)
            if not ending.done():
                rested = await self._until_over(life, ending, death)
        finally:
            if rested and not ending.done():
                await self._look()
            life.kill()
            await ending
            self._ended = True
            self.story.lives.append((begun, time.monotonic()))
        if not (rested or self._killed or self._talk.died_at):
            self._talk.alarm(f"Home Assistant ended by itself:\n{life.words()}")
        self._bury(number, death, rested)
        return rested

    async def _until_begun(
        self, life: Life, ending: asyncio.Task[None], death: Death | None
    ) -> None:
        started = asyncio.create_task(self._talk.started.wait())
        later = self._life and death is not None and death.kind == "random"
        limit = death.after if later and death is not None else None
        await asyncio.wait({started, ending}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            if later and not ending.done():
                self._killed = True
                life.kill()
            started.cancel()
            await asyncio.wait({ending})
            return
        if not self._life:
            await self._until_known()
        self._person.begin(self._life)

    async def _until_known(self) -> None:
        end = time.monotonic() + _KNOWN
        talking = [
            name
            for name, outside in self._garden.modules.items()
            if outside.plan.config["txt_firmware"]
        ]
        while time.monotonic() < end:
            await self._look()
            cards = [self._garden.modules[name].history.card for name in talking]
            if all(card and card["installed_version"] == OLD for card in cards):
                return

    async def _until_over(
        self, life: Life, ending: asyncio.Task[None], death: Death | None
    ) -> bool:
        """Let it live until it dies as planned; tell whether all rested before."""
        begun = time.monotonic()
        resting = asyncio.create_task(self._until_rest())
        longest = _LIFE + _EACH * len(self._plan.modules)
        limit = death.after if death is not None and death.kind != "point" else longest
        if self._life and death is not None and death.kind == "random":
            limit = max(0.0, limit - 0.5)  # some of it was its start
        await asyncio.wait({resting, ending}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if resting.done() and not ending.done():
            await asyncio.wait({ending}, timeout=_LAST_WORDS)
            return not (ending.done() or self._talk.died_at)
        resting.cancel()
        if ending.done():
            return False
        self._killed = True
        if death is not None and death.kind == "stop":
            self._talk.tell("stop")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LIFE):
                    await asyncio.shield(ending)
            if not ending.done():
                self._talk.alarm("an orderly stop did not come to its end")
        elif death is None or time.monotonic() - begun >= longest:
            for outside in self._garden.modules.values():
                outside.history.ended_in_time = False
            return True
        return False

    async def _until_rest(self) -> None:
        """Return when nobody waits for anything, by the journal on disk and by the callers."""
        while True:
            await asyncio.sleep(0.1)
            histories = [outside.history for outside in self._garden.modules.values()]
            presses = [press for history in histories for press in history.presses]
            if (
                all(history.presses or history.in_rollout for history in histories)
                and all(press.answered or press.life != self._life for press in presses)
                and self._person.rollout_rests
                and not open_installs(self._folder)
            ):
                return

    def _bury(self, number: int, death: Death | None, rested: bool) -> None:
        """Write down how a life ended."""
        now, notes = time.monotonic(), open_installs(self._folder)
        how = "end" if rested else death.kind if death is not None else "end"
        self.deaths.append(self._talk.died_at or how)
        for guest in self._garden.guests.values():
            guest.lost_its_home()
        self._talk.note("died", how=how, point=self._talk.died_at, notes=notes)
        for name, outside in self._garden.modules.items():
            history, note = outside.history, notes.get(name)
            history.shown.append(Shown(at=now, value=None))
            if rested:
                history.left_open = note
            else:
                died = Died(at=now, life=number, how=how, point=self._talk.died_at, note=note)
                history.deaths.append(died)

    async def _look(self) -> None:
        """Ask what the cards show."""
        for outside in self._garden.modules.values():
            outside.history.card = None
        for name in self._garden.modules:
            self._talk.tell("look", module=name)
        if self._plan.rollout is not None:
            self._talk.tell("report")
        end = time.monotonic() + 5.0
        while time.monotonic() < end and not self._ended:
            if all(outside.history.card for outside in self._garden.modules.values()):
                return
            await asyncio.sleep(0.02)

    def remove(self) -> None:
        """Give the disk back."""
        shutil.rmtree(self._place, ignore_errors=True)
