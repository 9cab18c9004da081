"""The line to Home Assistant's lives, and what is written down of what they tell."""

import asyncio
from dataclasses import replace
import json
import time
from typing import Any, override

from .config import entity_of
from .garden import Garden
from .history import History, Pressed, Shown, Told
from .plan import Death, HousePlan
from .torture_garden.link import Message


class Conversation:
    """One house's, over all its lives."""

    def __init__(self, plan: HousePlan, garden: Garden) -> None:
        """Nobody lives yet."""
        self._plan = plan
        self._garden = garden
        garden.on_say = self._say
        self.life = 0
        self._death: Death | None = None
        self.line: asyncio.WriteTransport | None = None
        self._greeted = False
        """Whether this life knows what it is to be: nothing is said before."""
        self.started = asyncio.Event()
        self.died_at: str | None = None
        """The point at which this life kills itself."""
        self.reached: set[str] = set()
        """Points that belong to no module."""
        self.timeline: list[Message] = []
        """All that Home Assistant told, and what was done to it."""

    def begin(self, life: int, death: Death | None) -> None:
        """Expect the next life."""
        self.life, self._death, self.died_at, self._greeted = life, death, None, False
        self.started.clear()

    def tell(self, do: str, **content: Any) -> None:
        """Have Home Assistant do something, if it lives and knows what it is to be."""
        greeted = self._greeted or do == "begin"
        if greeted and self.line is not None and not self.line.is_closing():
            self.line.write(json.dumps({"do": do, **content}).encode() + b"\n")

    def _say(self, valve: str, value: str) -> None:
        self.note("says", module=valve, value=value)
        self.tell("state", entity=entity_of(valve), valve=valve, value=value)

    def note(self, kind: str, **content: Any) -> None:
        """Write down what was done from outside."""
        self.timeline.append({"kind": kind, "at": time.monotonic(), "life": self.life, **content})

    def hear(self, message: Message) -> None:
        """Take what Home Assistant tells."""
        self.timeline.append({"life": self.life, **message})
        if handle := getattr(self, f"_on_{message['kind']}", None):
            handle(message)

    def _history(self, message: Message) -> History:
        return self._garden.modules[message["module"]].history

    def _on_hello(self, message: Message) -> None:
        states = {}
        for name, outside in self._garden.modules.items():
            if outside.plan.shares is not None:
                continue
            states[entity_of(name)] = value = outside.valve.start_of_home_assistant()
            self._show(name, Shown(at=time.monotonic(), value=value))
        die = None
        if self._death is not None and self._death.kind == "point":
            die = {"point": self._death.point, "module": self._death.module, "nth": self._death.nth}
        self._greeted = True
        self.tell("begin", states=states, die=die, waits=dict(self._plan.waits))

    def _on_started(self, message: Message) -> None:
        self.started.set()

    def _on_shown(self, message: Message) -> None:
        self._show(message["valve"], Shown(at=message["at"], value=message["value"]))

    def _show(self, valve: str, shown: Shown) -> None:
        for outside in self._garden.modules.values():
            if outside.plan.valve_name == valve:
                outside.history.shown.append(shown)

    def _on_move(self, message: Message) -> None:
        life = self.life

        def answer(error: str | None) -> None:
            if self.life == life:
                self.tell("moved", id=message["id"], error=error)

        self._garden.obey(message["module"], message["position"], life, answer)

    def _on_point(self, message: Message) -> None:
        if message["dies"]:
            self.died_at = message["point"]
        if message["module"] is None:
            self.reached.add(message["point"])
        else:
            self._history(message).points.append(message["point"])
            self._garden.modules[message["module"]].reached(message["point"])

    def _on_pressed(self, message: Message) -> None:
        press = Pressed(at=message["at"], life=self.life, again=message["again"])
        self._history(message).presses.append(press)

    def _on_answered(self, message: Message) -> None:
        presses = self._history(message).presses
        for index, press in enumerate(presses):
            if press.again == message["again"] and press.life == self.life:
                presses[index] = replace(press, answered=True, error=message["error"])

    def _on_told(self, message: Message) -> None:
        said = message["said"]
        told = Told(
            at=message["at"],
            life=self.life,
            verdict=said["verdict"],
            cause=said["cause"],
            restore_error=said["restore_error"],
            not_safe=said["not_safe"],
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
        """Take what is ours, or has passed through ours; others have troubles of their own."""
        if "esp_ota" in message["logger"] + message["text"]:
            self.alarm(message["text"])

    def alarm(self, text: str) -> None:
        """Charge the first run of the house with what belongs to none."""
        next(iter(self._garden.modules.values())).history.alarms.append(text)


class Line(asyncio.Protocol):
    """The connection of one life, which is heard to its last word."""

    def __init__(self, conversation: Conversation) -> None:
        """Hand on what comes."""
        self._conversation = conversation
        self._unread = b""
        self._transport: asyncio.BaseTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        assert isinstance(transport, asyncio.WriteTransport)
        self._conversation.line = transport

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._conversation.hear(json.loads(line))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._conversation.line is self._transport:
            self._conversation.line = None
