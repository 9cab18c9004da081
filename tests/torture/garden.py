"""The world outside Home Assistant: modules that fail and valves that lie, and their truth."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import time
from typing import Final

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncZeroconf

from tests.virtual_module import Event, HttpModule, Seen as ModuleSaw, Sleeper, VirtualModule

from .built import build, neighbour_of, watch_elsewhere
from .evil import SHOUTERS, Shouting
from .guests import GuestOutside, is_guest
from .history import Command, History, Sample, Seen
from .images import image_of, version_of
from .impostors import forge, impostor_of
from .plan import OLD, HousePlan, Impostor, ModulePlan
from .valve import Valve

_SAMPLE: Final = 0.02
_POLL: Final = 0.4

type Say = Callable[[str, str], None]
"""Called with a valve and what its entity says from now on."""


@dataclass
class ModuleOutside:
    """One module with its valve, and what is written down of them."""

    plan: ModulePlan
    module: VirtualModule
    valve: Valve
    history: History
    neighbour: VirtualModule | None = None
    """Who gets its address when it moves."""
    moving: asyncio.Task[None] | None = None
    noted: Callable[[], str | None] = lambda: None
    """Answers what the journal on disk says of its install."""
    sleeper: Sleeper | None = None
    shouting: Shouting | None = None
    impostors: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Who says to be it, once it does; switched off with everything else."""

    def __post_init__(self) -> None:
        """Write down from when on a sketch runs: it announces itself long before it tells us."""
        board = self.module.board
        original = board.boot

        def boot() -> None:
            original()
            details = {"version": board.version}
            self.history.module.append(Seen(at=time.monotonic(), name="booted", details=details))

        board.boot = boot  # type: ignore[method-assign]
        self.module.events.listeners.append(self.saw)
        if (sleep := self.plan.sleep) is not None:
            self.sleeper = Sleeper(self.module, asleep=sleep.asleep, awake=sleep.awake)
        if self.plan.evil in SHOUTERS:
            self.shouting = Shouting(self.module)

    @property
    def rests(self) -> bool:
        """Whether nothing is about to happen here by itself."""
        life = self.module._life
        off = life is None or life.done()  # it never comes back
        return (off or _rests(self.module)) and self.valve.rests

    @property
    def http_port(self) -> int:
        """The port of its update page."""
        assert isinstance(self.module, HttpModule)
        return self.module.http_port

    def reached(self, point: str) -> None:
        """Move, if that is planned for this point of the update."""
        moves = self.plan.moves
        if moves is not None and moves.point == point and self.moving is None:
            self.history.moved_at = time.monotonic()
            self.moving = asyncio.create_task(self._move())
        impostor = self.plan.impostor
        if impostor is not None and impostor.point == point and self.moving is None:
            self.history.moved_at = time.monotonic()
            self.moving = asyncio.create_task(self._impersonate(impostor))

    async def _impersonate(self, plan: Impostor) -> None:
        """Have somebody say to be it."""
        http_port = self.http_port if isinstance(self.module, HttpModule) else 0
        stranger = impostor_of(self.module, plan, self.history, http_port)
        air = AsyncZeroconf(
            interfaces=list(self.module.config.interfaces), ip_version=IPVersion.V4Only
        )
        self.impostors.push_async_callback(air.async_close)
        await forge(self.module, plan, air)
        await self.impostors.enter_async_context(stranger)

    async def _move(self) -> None:
        """Cut the power; the router lends other addresses."""
        if self.neighbour is None:
            self.module.will_be_at(self.module.host.replace("127.0.3.", "127.0.5."))
            await self.module.power_cycle()
            return
        hosts = self.module.host, self.neighbour.host
        self.module.will_be_at(hosts[1])
        self.neighbour.will_be_at(hosts[0])
        await asyncio.gather(self.module.power_cycle(), self.neighbour.power_cycle())

    async def settle_move(self) -> None:
        """Let a move come to its end before anything is switched off."""
        if self.moving is not None:
            await self.moving

    def neighbour_saw(self, event: Event) -> None:
        """Write down what happened inside the neighbour."""
        seen = Seen(at=event.time, name=event.name, details=dict(event.details))
        self.history.neighbour.append(seen)

    def saw(self, event: Event) -> None:
        """Write down what happened inside the module."""
        details = dict(event.details)
        if event.name is ModuleSaw.INSTALLED and self.module.board.staged is not None:
            details["version"] = version_of(self.module.board.staged.payload)
        if event.name is ModuleSaw.FIRST_BYTE:
            details["noted"] = self.noted()
        self.history.module.append(Seen(at=event.time, name=event.name, details=details))

    def sample(self) -> None:
        """Write down how much it has taken in, where that has changed."""
        taken, samples = self.module.payload_bytes, self.history.samples
        if taken != (samples[-1].taken if samples else 0):
            samples.append(Sample(at=time.monotonic(), taken=taken))


class Garden:
    """All of one house."""

    def __init__(self, plan: HousePlan) -> None:
        """Nothing is switched on before `running`."""
        self.plan = plan
        self.modules: dict[str, ModuleOutside | GuestOutside] = {}
        self.on_say: Say = lambda _valve, _value: None
        self.on_guest: Callable[[str], None] = lambda _name: None
        """Called with a guest whose entity says something else from now on."""

    @asynccontextmanager
    async def running(self, zeroconf: AsyncZeroconf, pull_url: str) -> AsyncIterator[None]:
        """Switch everything on, and off at the end."""
        first = self.plan.number * len(self.plan.modules)
        async with AsyncExitStack() as stack:
            for index, plan in enumerate(self.plan.modules):
                valve = Valve(plan.valve, lambda value, name=plan.name: self.on_say(name, value))
                history = History.begun(first + index, plan)
                names = [item.valve_name for item in self.plan.modules]
                history.shares_valve = names.count(plan.valve_name) > 1
                history.in_rollout = plan.name in self.plan.members
                history.image_size = len(image_of(plan.config["chip"], OLD))
                stack.callback(valve.end)
                if is_guest(plan):
                    guest = GuestOutside(plan, valve, history, self.on_guest)
                    self.modules[plan.name] = guest
                    stack.callback(guest.end)
                    continue
                module = build(plan, index, zeroconf, pull_url)
                outside = ModuleOutside(plan, module, valve, history)
                self.modules[plan.name] = outside
                await stack.enter_async_context(module)
                if plan.moves is not None and plan.moves.swaps:
                    outside.neighbour = neighbour_of(outside.module, index, zeroconf)
                    outside.neighbour.events.listeners.append(outside.neighbour_saw)
                    await stack.enter_async_context(outside.neighbour)
                await stack.enter_async_context(outside.impostors)
                stack.push_async_callback(outside.settle_move)
            evil = [item for item in self.modules.values() if item.plan.evil == "sends_away"]
            if evil:
                await stack.enter_async_context(watch_elsewhere(evil[0].history))
            sampling = asyncio.create_task(self._sample())
            stack.callback(sampling.cancel)
            yield

    async def _sample(self) -> None:
        while True:
            for outside in self.modules.values():
                outside.sample()
            await asyncio.sleep(_SAMPLE)

    def obey(self, module: str, position: str, life: int, answer: Callable[..., None]) -> None:
        """Take a command for a module's valve."""
        outside = self.modules[module]
        command = Command(at=time.monotonic(), position=position, life=life)
        outside.history.commands.append(command)
        self.modules[outside.plan.valve_name].valve.command(position, answer)

    @property
    def guests(self) -> dict[str, GuestOutside]:
        """Those that another integration updates."""
        found = self.modules.items()
        return {name: item for name, item in found if isinstance(item, GuestOutside)}

    def stir(self) -> None:
        """Let who sleeps begin to, and who shouts."""
        for outside in self.modules.values():
            if outside.shouting is not None:
                outside.shouting.begin()
            if outside.sleeper is not None:
                outside.sleeper.begin()

    async def settle(self, seconds: float) -> None:
        """Wait until every module that still comes back is back, and write down the truth."""
        end = time.monotonic() + seconds
        for outside in self.modules.values():
            if outside.shouting is not None:
                await outside.shouting.end()
            if outside.sleeper is not None:
                await outside.sleeper.end()
        for outside in self.modules.values():
            valve = self.modules[outside.plan.valve_name].valve  # it may be another one's as well
            while time.monotonic() < end and not (  # noqa: ASYNC110 - many things
                outside.rests and valve.rests
            ):
                await asyncio.sleep(0.02)
            history, now = outside.history, time.monotonic()
            history.version_at_end = history.running_at(now)
            history.valve_ends = valve.stands


def _rests(module: VirtualModule) -> bool:
    for event in reversed(module.events):
        if event.name in {ModuleSaw.UP, ModuleSaw.BACK, ModuleSaw.BRICKED, ModuleSaw.DIED}:
            return True
        if event.name is ModuleSaw.RESTARTED:
            return False
    return True
