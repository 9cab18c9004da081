"""Builds the virtual modules of a house, and who else is in its network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
import time
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from tests.virtual_module import HttpConfig, HttpModule, ModuleConfig, PullConfig, VirtualModule

from .evil import ELSEWHERE, EvilPage, EvilPoller, EvilPush
from .history import History, Seen
from .images import image_of
from .plan import OLD, PULL, UPLOAD, ModulePlan

_POLL: Final = 0.4


@asynccontextmanager
async def watch_elsewhere(history: History) -> AsyncIterator[None]:
    """Write down who comes to where an evil page sends people."""

    async def meet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        history.impostor.append(Seen(at=time.monotonic(), name="connected"))
        writer.close()

    async with await asyncio.start_server(meet, ELSEWHERE, 80):
        yield


def neighbour_of(module: VirtualModule, index: int, zeroconf: AsyncZeroconf) -> VirtualModule:
    """Return a module that is nobody's, and takes any image at the same ports."""
    config = replace(
        module.config,
        host=f"127.0.4.{1 + index}",
        port=module.port,
        hostname=f"neighbour-{module.hostname}",
        mac=f"5c:cf:7f:00:77:{index:02x}",
        password=None,
        faults={},
    )
    if not isinstance(module, HttpModule):
        return VirtualModule(config, zeroconf=zeroconf)
    return HttpModule(config, replace(module.http, port=module.http_port), zeroconf=zeroconf)


def build(plan: ModulePlan, index: int, zeroconf: AsyncZeroconf, pull_url: str) -> VirtualModule:
    """Return one module of the house."""
    config = ModuleConfig(
        **plan.config,
        host=f"127.0.3.{1 + index}",
        hostname=plan.name,
        mac=f"5c:cf:7f:00:00:{index:02x}",
        image=image_of(plan.config["chip"], OLD),
        faults=dict(plan.faults),
        advertise=plan.door != PULL,
        pull=PullConfig(url=pull_url, poll_interval=_POLL) if plan.door == PULL else None,
    )
    if plan.evil is not None:
        return _evil(plan, plan.evil, config, zeroconf)
    if plan.door == UPLOAD:
        return HttpModule(config, HttpConfig(dialect=plan.dialect), zeroconf=zeroconf)
    return VirtualModule(config, zeroconf=zeroconf)


def _evil(
    plan: ModulePlan, kind: str, config: ModuleConfig, zeroconf: AsyncZeroconf
) -> VirtualModule:
    if plan.door == UPLOAD:
        return EvilPage(kind, config, HttpConfig(dialect=plan.dialect), zeroconf=zeroconf)
    maker = EvilPoller if plan.door == PULL else EvilPush
    return maker(kind, config, zeroconf=zeroconf)
