"""Announces a module again and again, each time otherwise."""

import asyncio
from contextlib import suppress
import ipaddress
import random
from typing import Final

from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from tests.virtual_module import VirtualModule

_SERVICE: Final = "_arduino._tcp.local."
_PAUSE: Final = 0.2
"""Seconds; more often, and the torture itself would have no time for anything else."""
_NAMES: Final = 40


class Shouting:
    """Of one module, from `begin` to `end`."""

    def __init__(self, module: VirtualModule) -> None:
        """Be quiet."""
        self._module = module
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Shout from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._shout())

    async def end(self) -> None:
        """Be quiet again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _shout(self) -> None:
        air = AsyncZeroconf(
            interfaces=list(self._module.config.interfaces), ip_version=IPVersion.V4Only
        )
        chance = random.Random(self._module.hostname)
        said: dict[str, ServiceInfo] = {}
        try:
            while True:
                name = f"{self._module.hostname}-{chance.randrange(_NAMES)}"
                info = self._info(name, chance)
                with suppress(Exception):
                    if name in said:
                        await air.async_update_service(info)
                    else:
                        await air.async_register_service(info, cooperating_responders=True)
                said[name] = info
                await asyncio.sleep(_PAUSE)
        finally:
            await air.async_close()

    def _info(self, name: str, chance: random.Random) -> ServiceInfo:
        texts = {"fw_name": "x" * chance.randrange(200), "fw_version": str(chance.random())}
        return ServiceInfo(
            _SERVICE,
            f"{name}.{_SERVICE}",
            addresses=[ipaddress.ip_address(self._module.host).packed],
            port=chance.randrange(1, 65535),
            properties=texts | {"mac": f"5c:cf:7f:01:{chance.randrange(256):02x}:00"},
            server=f"{name}.local.",
        )
