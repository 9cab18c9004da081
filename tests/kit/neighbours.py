"""Modules beside each other at addresses of their own, in a test's garden."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.kit.entries import entry_for
from tests.kit.garden import Garden, options_for, until
from tests.kit.three_doors import PAGE, PUSH
from tests.virtual_module import HttpModule, ModuleConfig, VirtualModule

HERE, THERE, ELSEWHERE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
VALVE_MAC, PUMP_MAC = "5c:cf:7f:00:00:02", "5c:cf:7f:00:00:03"


@dataclass
class Neighbours:
    """Switches on modules that take any image, each at an address of its own."""

    garden: Garden
    stack: AsyncExitStack
    kind: str = PUSH

    async def start(self, name: str, host: str, mac: str, **config: Any) -> VirtualModule:
        """Switch one on; all listen on the same ports, as modules do."""
        given: dict[str, Any] = {
            "hostname": name,
            "host": host,
            "mac": mac,
            "port": 8266,
            "advertise": True,
            "time_scale": 0.02,
            "offline_time": 90.0,
        }
        http = config.pop("http", None)
        settings = ModuleConfig(**given | config)
        module = HttpModule(settings, http) if self.kind == PAGE else VirtualModule(settings)
        if isinstance(module, HttpModule):
            module._http_port = 8080
        return await self.stack.enter_async_context(module)

    async def add(self, module: VirtualModule, **changes: Any) -> MockConfigEntry:
        """Add a module, as its card would, and wait until it is known."""
        name = module.hostname
        data: dict[str, Any] = {
            "name": name,
            "host": module.host,
            "service_name": f"{name}._arduino._tcp.local.",
            "unique_id": name,
            "options": options_for(),
        }
        if self.kind == PAGE:
            data |= {"transports": ["http_upload"], "upload_port": 8080}
        entry = await self.garden.add(entry_for(module, **data | changes))
        announcements = self.garden.house.announcements
        await until(lambda: announcements.claims(data["service_name"]))
        return entry
