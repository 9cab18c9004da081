"""The line to Home Assistant's lives, and what is written down of what they tell."""

import asyncio
from dataclasses import replace
import json
import time
from typing import Any, Final, override

from .config import WINDOW, entity_of
from .garden import Garden
from .history import History, Mark, Pressed, Shown, Told
from .plan import Death, HousePlan
from .story import Moment, Story
from .torture_garden.link import Message

_MARKS: Final = {"begun", "turn_given", "turn_over"}


class Conversation:
    """One house's, over all its lives."""

    def __init__(self, plan: HousePlan, garden: Garden) -> None:
        """Nobody lives yet."""
        self._plan = plan
        self._garden = garden
        garden.on_say = self._say
        garden.on_guest = self._on_guest
        self.life = 0
        self._death: Death | None = None
        self.line: asyncio.WriteTransport | None = None
        self._pid: int | None = None
        self._greeted = False
        """Whether this life knows what it is to be: nothing is said before."""
        self.started = asyncio.Event()
        self.died_at: str | None = None
        """The point at which this life kills itself."""
        self.answered: set[str] = set()
        """Actions of rollouts that this life has answered."""
        self.reached: set[str] = set()
        """Points that belong to no module."""
        self.story = Story(plan=plan)
        self.is_open = False
        """Whether the window of the house is."""
        self.timeline: list[Message] = []
        """All that Home Assistant told, and what was done to it."""

    def begin(self, life: int, death: Death | None) -> None:
        """Expect the next life."""
        self.life, self._death, self.died_at, self._greeted = life, death, None, False
        self.started.clear()
        self.answered.clear()

    def started_pid(self) -> int | None:
        """Return the process of the life that has started."""
        return self._pid if self.started.is_set() else None

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
        self._pid = message["pid"]
        states = {}
        for name, outside in self._garden.modules.items():
            if outside.plan.shares is not None:
                continue
            states[entity_of(name)] = value = outside.valve.start_of_home_assistant()
            self._show(name, Shown(at=time.monotonic(), value=value))
        if self._plan.opens_at:
            states[WINDOW] = self.window
            self.remember(f"window {self.window}")
        areas = {item.name: item.area for item in self._plan.modules if item.area is not None}
        die = None
        if self._death is not None and self._death.kind == "point":
            die = {"point": self._death.point, "module": self._death.module, "nth": self._death.nth}
        self._greeted = True
        waits = dict(self._plan.waits)
        shown = self._garden.guests.items()
        guests = {name: guest.start_of_home_assistant() for name, guest in shown}
        self.tell("begin", states=states, die=die, waits=waits, areas=areas, guests=guests)

    def _on_started(self, message: Message) -> None:
        self.started.set()

    @property
    def window(self) -> str:
        """What the entity of the house's window says."""
        return "open" if self.is_open else "closed"

    def set_window(self, *, is_open: bool) -> None:
        """Open or close the window of the house."""
        self.is_open = is_open
        self.note("window", value=self.window)
        self.tell("state", entity=WINDOW, valve=None, value=self.window)

    def remember(self, name: str, at: float | None = None) -> None:
        """Write down what was said or done of the rollout or of the window."""
        when = time.monotonic() if at is None else at
        self.story.moments.append(Moment(at=when, life=self.life, name=name))

    def _on_rollout_asked(self, message: Message) -> None:
        self.remember("asked", message["at"])

    def _on_rollout_act(self, message: Message) -> None:
        self.remember(message["action"], message["at"])

    def _on_rollout_answered(self, message: Message) -> None:
        action, error = message["action"], message["error"]
        if action == "start_rollout":
            self.story.error = error
        if action == "rollout_report":
            self.story.report = message["answer"]
        if error is None:
            self.remember(f"{action.removesuffix('_rollout')} answered", message["at"])
        self.answered.add(action)

    def _on_rollout_told(self, message: Message) -> None:
        self.remember(f"told {message['event']}", message["at"])

    def _on_shown(self, message: Message) -> None:
        if message["valve"] is None:
            self.remember(f"window {message['value']}", message["at"])
            return
        self._show(message["valve"], Shown(at=message["at"], value=message["value"]))

    def _show(self, valve: str, shown: Shown) -> None:
        for outside in self._garden.modules.values():
            if outside.plan.valve_name == valve:
                outside.history.shown.append(shown)

    def _on_move(self, message: Message) -> None:
        life, history = self.life, self._history(message)
        late = time.monotonic() - message["at"]
        history.world_was_late = max(history.world_was_late, late)

        def answer(error: str | None) -> None:
            if self.life == life:
                self.tell("moved", id=message["id"], error=error)

        self._garden.obey(message["module"], message["position"], life, answer)

    def _on_guest(self, name: str) -> None:
        says = self._garden.guests[name].says
        self.note("guest", module=name, **says)
        self.tell("guest", module=name, says=says)

    def _on_install(self, message: Message) -> None:
        life = self.life

        def answer(how: str | None, words: str | None) -> None:
            if self.life == life:
                self.tell("installed", id=message["id"], how=how, words=words)

        self._garden.guests[message["module"]].call(answer)

    def _on_point(self, message: Message) -> None:
        if message["dies"]:
            self.died_at = message["point"]
        if message["module"] is None:
            self.reached.add(message["point"])
        else:
            self._history(message).points.append(message["point"])
            if message["point"] in _MARKS:
                mark = Mark(at=message["at"], life=self.life, name=message["point"])
                self._history(message).marks.append(mark)
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
