"""The world outside Home Assistant: modules on real sockets, their power, and what is true."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import subprocess
import time
from typing import Any, Final, Self

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncZeroconf

from tests.virtual_module import (
    Event,
    Fault,
    HttpConfig,
    HttpDialect,
    HttpModule,
    ModuleConfig,
    PullConfig,
    Seen,
    VirtualModule,
)

from .clock import Clock
from .history import Happened
from .plan import ANNOUNCES, FIRST, PAGE, PULLS, ModulePlan
from .releases import image

ASK: Final = 20.0
"""How fast the clock goes while a module asks and waits for the answer."""
_QUIET: Final = {Seen.ANSWERED, Seen.NO_UPDATE, Seen.ADVERTISED, Seen.ASLEEP, Seen.CLOSED}
_GONE: Final = {Seen.RESTARTED, Seen.DIED, Seen.BRICKED}
_ROUTE: Final = "ip route replace 224.0.0.0/4 dev lo src 127.0.0.1"

type Tell = Callable[[Happened], None]


@dataclass
class Unit:
    """One module with its power supply."""

    plan: ModulePlan
    tell: Tell
    clock: Clock
    responder: AsyncZeroconf
    pull_url: str = ""
    host: str = ""
    hostname: str = ""
    module: VirtualModule | None = None
    there_since: float | None = None
    """Since when it can be reached, None while it cannot."""
    gone_at: float | None = None
    """When it could be reached last, None when it never was or is there."""
    last_asked: float | None = None
    """When it asked for an update last, and was answered."""
    versions: list[tuple[float, str | None]] = field(default_factory=list)
    """What ran since when."""
    _image: bytes | None = None
    _asks: str | None = None

    def __post_init__(self) -> None:
        """Be as planned at first."""
        self.host, self.hostname = self.plan.host, self.plan.name

    @property
    def runs(self) -> str | None:
        """The version that runs; of one that is off, that it would start with."""
        return self.versions[-1][1] if self.versions else None

    def _config(self) -> ModuleConfig:
        plan = self.plan
        pull = None
        if plan.way == PULLS:
            pull = PullConfig(
                url=self.pull_url, poll_interval=plan.interval, deep_sleep=plan.sleeps
            )
        named = plan.way != PULLS
        return ModuleConfig(
            chip=plan.chip,
            host=self.host,
            port=ModuleConfig(chip=plan.chip).facts.port,
            hostname=self.hostname if named else None,
            mac=plan.mac,
            password=plan.password if plan.way != PAGE else None,
            image=self._image or image(plan, FIRST),
            advertise=plan.way == ANNOUNCES,
            txt_firmware=plan.says,
            txt_mac=plan.says_mac,
            faults=(Fault.WRONG_MD5,) if plan.fails else (),
            offline_time=3.0,
            pull=pull,
        )

    async def switch_on(self) -> None:
        """Give it power, and wait until its sketch runs."""
        config = self._config()
        if self.plan.way == PAGE:
            http = HttpConfig(dialect=HttpDialect.UPDATE_SERVER, port=80)
            self.module = HttpModule(config, http, zeroconf=self.responder)
        else:
            self.module = VirtualModule(config, zeroconf=self.responder)
        self.module.events.listeners.append(self._saw)
        with self.clock.slowly(ASK):
            await self.module.__aenter__()

    async def switch_off(self) -> None:
        """Take its power away; it keeps what is in its flash."""
        if self.module is None:
            return
        module, self.module = self.module, None
        await module.__aexit__(None, None, None)
        self._answered()
        self._image = module.running_image
        self._left()
        self.tell(Happened(at=time.time(), module=self.plan.name, event="off"))

    def network(self, *, there: bool) -> None:
        """Note that nobody can reach it, or that all can again."""
        if not there:
            self._left()
        elif self.module is not None:
            self._came()

    def _came(self) -> None:
        self.there_since, self.gone_at = time.time(), None

    def _left(self) -> None:
        if self.there_since is not None:
            self.there_since, self.gone_at = None, time.time()

    def _answered(self) -> None:
        if self._asks is not None:
            self.clock.release(self._asks)
            self._asks = None

    def _saw(self, event: Event) -> None:
        now = time.time()
        if event.name in {Seen.UP, Seen.BACK}:
            self._came()
            version = event.details.get("version")
            self.versions.append((now, str(version) if version else None))
        elif event.name in _GONE:
            self._left()
        elif event.name is Seen.POLLING:
            self._asks = self._asks or self.clock.hold(ASK)
        elif event.name is Seen.ANSWERED:
            self.last_asked = now
            self._answered()
        elif event.name is Seen.PULL_FAILED:
            self._answered()
        if event.name not in _QUIET and event.name is not Seen.POLLING:
            details: dict[str, Any] = {
                key: value for key, value in event.details.items() if key in {"version", "reason"}
            }
            self.tell(
                Happened(at=now, module=self.plan.name, event=event.name.value, details=details)
            )


class World:
    """All modules, one responder for their names, and the network between them and the house."""

    def __init__(self, plans: tuple[ModulePlan, ...], tell: Tell, clock: Clock) -> None:
        """Know the modules; `async with` makes the network."""
        self._plans = plans
        self._tell = tell
        self._clock = clock
        self._responder: AsyncZeroconf | None = None
        self.units: dict[str, Unit] = {}

    async def __aenter__(self) -> Self:
        """Have a responder; no module has power yet."""
        self._responder = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
        self.units = {
            plan.name: Unit(plan, self._tell, self._clock, self._responder) for plan in self._plans
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take the power from all of it."""
        for unit in self.units.values():
            await unit.switch_off()
        assert self._responder is not None
        await self._responder.async_close()

    async def network(self, *, there: bool) -> None:
        """Cut the network between the house and all modules, or mend it."""
        command = f"ip link set lo up && {_ROUTE}" if there else "ip link set lo down"
        await asyncio.to_thread(subprocess.run, ["sh", "-c", command], check=True)
        for unit in self.units.values():
            unit.network(there=there)
