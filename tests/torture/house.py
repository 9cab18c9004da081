"""Plays one house: Home Assistant lives, is killed, lives again; all of it is written down."""

import asyncio
from contextlib import suppress
from dataclasses import replace
import json
from pathlib import Path
import shutil
import time
from typing import Any, Final, override

from zeroconf.asyncio import AsyncZeroconf

from .config import PORT, SECRET, copy_template, entity_of, open_installs, write_entries
from .garden import Garden
from .history import Died, History, Pressed, Shown, Told
from .images import beside
from .lives import Life, Lives
from .plan import OLD, Death, HousePlan
from .torture_garden.link import Message

PULL_URL: Final = f"http://127.0.0.1:{PORT}/api/esp_ota/pull/{SECRET}"
_LIFE: Final = 40.0
"""Seconds for one life to come to rest; the longest honest one takes a third of it."""
_START: Final = 180.0
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
        self._garden.on_say = self._say
        self.line: asyncio.WriteTransport | None = None
        self._life = 0
        self._die: Death | None = None
        self._ended = False
        self._died_at: str | None = None
        self._greeted = False
        """Whether this life knows what it is to be: nothing is said before."""
        self._killed = False
        """By us, from outside, or stopped in order."""
        self._started = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.deaths: list[str] = []
        """How its lives ended, in order."""
        self.reached: set[str] = set()
        """Points that belong to no module."""
        self.timeline: list[Message] = []
        """All that Home Assistant told, and what was done to it."""

    async def play(self, zeroconf: AsyncZeroconf) -> list[History]:
        """Play it, and return what happened to each module."""
        copy_template(self._template, self._folder)
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: _Line(self), self._place / "socket")
        try:
            async with self._garden.running(zeroconf, PULL_URL):
                write_entries(self._folder, self._plan, self._garden)
                deaths = [*self._plan.deaths, None]
                for number, death in enumerate(deaths):
                    if await self._live(number, death):
                        break
                await self._garden.settle(_SETTLE)
        finally:
            for task in self._tasks:
                task.cancel()
            server.close()
        return [outside.history for outside in self._garden.modules.values()]

    # Lives

    async def _live(self, number: int, death: Death | None) -> bool:
        """Run one life; tell whether all came to rest in it."""
        self._life, self._die, self._died_at, self._ended = number, death, None, False
        self._killed = self._greeted = False
        self._started.clear()
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
        if not (rested or self._killed or self._died_at):
            self._alarm(f"Home Assistant ended by itself:\n{life.words()}")
        self._bury(number, death, rested)
        return rested

    async def _until_begun(
        self, life: Life, ending: asyncio.Task[None], death: Death | None
    ) -> None:
        started = asyncio.create_task(self._started.wait())
        later = self._life and death is not None and death.kind == "random"
        limit = death.after if later and death is not None else None
        await asyncio.wait(
            {started, ending}, timeout=limit, return_when=asyncio.FIRST_COMPLETED
        )
        if not started.done():
            if later and not ending.done():
                self._killed = True
                life.kill()
            started.cancel()
            await asyncio.wait({ending})
            return
        if not self._life:
            await self._until_known()
        self._press_all()

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
        limit = death.after if death is not None and death.kind != "point" else _LIFE
        if self._life and death is not None and death.kind == "random":
            limit = max(0.0, limit - 0.5)  # some of it was its start
        await asyncio.wait({resting, ending}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if resting.done():
            return True
        resting.cancel()
        if ending.done():
            return False
        self._killed = True
        if death is not None and death.kind == "stop":
            self._tell("stop")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LIFE):
                    await asyncio.shield(ending)
            if not ending.done():
                self._note("alarm", logger="torture", text="an orderly stop did not come to its end")
                self._alarm("an orderly stop did not come to its end")
        elif death is None or time.monotonic() - begun >= _LIFE:
            for outside in self._garden.modules.values():
                outside.history.ended_in_time = False
            return True
        return False

    async def _until_rest(self) -> None:
        """Return when nobody waits for anything, by the journal on disk and by the callers."""
        while True:
            await asyncio.sleep(0.1)
            if all(
                press.answered or press.life != self._life
                for outside in self._garden.modules.values()
                for press in outside.history.presses
            ) and self._all_pressed():
                if not open_installs(self._folder):
                    return

    def _all_pressed(self) -> bool:
        return all(outside.history.presses for outside in self._garden.modules.values())

    def _bury(self, number: int, death: Death | None, rested: bool) -> None:
        """Write down how a life ended."""
        now, notes = time.monotonic(), open_installs(self._folder)
        how = "end" if rested else death.kind if death is not None else "end"
        self.deaths.append(self._died_at or how)
        self._note("died", how=how, point=self._died_at, notes=notes)
        for name, outside in self._garden.modules.items():
            history, note = outside.history, notes.get(name)
            history.shown.append(Shown(at=now, value=None))
            if rested:
                history.left_open = note
            else:
                died = Died(at=now, life=number, how=how, point=self._died_at, note=note)
                history.deaths.append(died)

    # What the person does

    def _press_all(self) -> None:
        """Press Update wherever it was not pressed before."""
        for name, outside in self._garden.modules.items():
            plan = outside.plan
            if outside.history.presses:
                continue
            self._later(plan.press_at, "press", module=name, number=0)
            for seconds, do, more in (
                (plan.again_after, "press", {"number": 1, "again": True}),
                (plan.cancel_after, "cancel", {}),
                (plan.reload_after, "reload", {}),
            ):
                if seconds is not None:
                    self._later(plan.press_at + seconds, do, module=name, **more)
        if self._plan.release_after is not None and not self._life:
            path = self._place / "beside.bin"
            path.write_bytes(beside())
            self._later(self._plan.release_after, "release", path=str(path))

    def _later(self, seconds: float, do: str, **content: Any) -> None:
        life = self._life

        async def wait() -> None:
            await asyncio.sleep(seconds)
            if self._life == life and not self._ended:
                self._note(f"do {do}", **content)
                self._tell(do, **content)

        task = asyncio.create_task(wait())
        self._tasks.add(task)

    async def _look(self) -> None:
        """Ask what the cards show."""
        for outside in self._garden.modules.values():
            outside.history.card = None
        for name in self._garden.modules:
            self._tell("look", module=name)
        end = time.monotonic() + 5.0
        while time.monotonic() < end and not self._ended:
            if all(outside.history.card for outside in self._garden.modules.values()):
                return
            await asyncio.sleep(0.02)

    # The line to Home Assistant

    def _tell(self, do: str, **content: Any) -> None:
        greeted = self._greeted or do == "begin"
        if greeted and self.line is not None and not self.line.is_closing():
            self.line.write(json.dumps({"do": do, **content}).encode() + b"\n")

    def _say(self, valve: str, value: str) -> None:
        self._note("says", module=valve, value=value)
        self._tell("state", entity=entity_of(valve), valve=valve, value=value)

    def _note(self, kind: str, **content: Any) -> None:
        self.timeline.append({"kind": kind, "at": time.monotonic(), "life": self._life, **content})

    def hear(self, message: Message) -> None:
        """Take what Home Assistant tells."""
        self.timeline.append({"life": self._life, **message})
        if handle := getattr(self, f"_on_{message['kind']}", None):
            handle(message)

    def _history(self, message: Message, key: str = "module") -> History:
        return self._garden.modules[message[key]].history

    def _on_hello(self, message: Message) -> None:
        states = {}
        for name, outside in self._garden.modules.items():
            states[entity_of(name)] = value = outside.valve.start_of_home_assistant()
            outside.history.shown.append(Shown(at=time.monotonic(), value=value))
        die = None
        if self._die is not None and self._die.kind == "point":
            die = {"point": self._die.point, "module": self._die.module, "nth": self._die.nth}
        self._greeted = True
        self._tell("begin", states=states, die=die, waits=dict(self._plan.waits))

    def _on_started(self, message: Message) -> None:
        self._started.set()

    def _on_shown(self, message: Message) -> None:
        shown = Shown(at=message["at"], value=message["value"])
        self._history(message, "valve").shown.append(shown)

    def _on_move(self, message: Message) -> None:
        life = self._life

        def answer(error: str | None) -> None:
            if self._life == life:
                self._tell("moved", id=message["id"], error=error)

        self._garden.obey(message["valve"], message["position"], life, answer)

    def _on_point(self, message: Message) -> None:
        if message["dies"]:
            self._died_at = message["point"]
        if message["module"] is None:
            self.reached.add(message["point"])
        else:
            self._history(message).points.append(message["point"])

    def _on_pressed(self, message: Message) -> None:
        press = Pressed(at=message["at"], life=self._life, again=message["again"])
        self._history(message).presses.append(press)

    def _on_answered(self, message: Message) -> None:
        presses = self._history(message).presses
        for index, press in enumerate(presses):
            if press.again == message["again"] and press.life == self._life:
                presses[index] = replace(press, answered=True, error=message["error"])

    def _on_told(self, message: Message) -> None:
        said = message["said"]
        told = Told(
            at=message["at"],
            life=self._life,
            verdict=said["verdict"],
            cause=said["cause"],
            restore_error=said["restore_error"],
            same_life=message["same_life"],
        )
        self._history(message).told.append(told)

    def _on_cancelling(self, message: Message) -> None:
        self._history(message).cancels.append(message["at"])

    def _on_reloading(self, message: Message) -> None:
        self._history(message).reloads.append(message["at"])

    def _on_card(self, message: Message) -> None:
        self._history(message).card = message["shown"]

    def _on_alarm(self, message: Message) -> None:
        if message["logger"].startswith(("custom_components.esp_ota", "homeassistant", "asyncio")):
            self._alarm(message["text"])

    def _alarm(self, text: str) -> None:
        """Charge the first run of the house with what belongs to none."""
        next(iter(self._garden.modules.values())).history.alarms.append(text)

    def remove(self) -> None:
        """Give the disk back."""
        shutil.rmtree(self._place, ignore_errors=True)


class _Line(asyncio.Protocol):
    """The line to one life, which is heard to its last word."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._unread = b""
        self._transport: asyncio.BaseTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        assert isinstance(transport, asyncio.WriteTransport)
        self._house.line = transport

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._house.hear(json.loads(line))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._house.line is self._transport:
            self._house.line = None
