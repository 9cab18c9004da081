"""One virtual module behind each of the three doors, with its entry, in a test's garden."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import PullLimits
from tests.kit.entries import entry_for
from tests.kit.garden import SMALL_FILES, Garden, options_for
from tests.virtual_module import HttpModule, ModuleConfig, PullConfig, Seen, VirtualModule

PUSH: Final = "arduino_ota"
PAGE: Final = "http_upload"
PULL: Final = "http_pull"
DOORS: Final = (PUSH, PAGE, PULL)
SECRET: Final = "house-secret"
MAC: Final = "5c:cf:7f:a1:b2:c3"
LARGE: Final = 400 * 1024
"""Bytes; far more than the kernel takes at once for a module that reads slowly."""
SLOW: Final = {"sector_time": 0.02, "window": 5840}
"""A module whose flash takes two seconds for such an image."""


@dataclass
class Door:
    """A module that is switched on, and what Home Assistant has of it."""

    garden: Garden
    kind: str
    module: VirtualModule
    entry: MockConfigEntry

    @property
    def images_begun(self) -> int:
        """How often a byte of an image has reached the module."""
        return self.module.events.count_of(Seen.FIRST_BYTE)

    def assert_nothing_sent(self) -> None:
        """Check that no image was sent, nor announced."""
        assert not self.images_begun
        assert not self.module.payload_bytes
        assert not self.module.events.count_of(Seen.INVITED)


class Doors:
    """Opens doors; all modules are off again after the test."""

    def __init__(self, garden: Garden, port: int, stack: AsyncExitStack) -> None:
        """Take the port of Home Assistant's web server."""
        self._garden = garden
        self._port = port
        self._stack = stack

    async def open(
        self,
        kind: str,
        safe_state: dict[str, Any] | None = None,
        *,
        change: Callable[[dict[str, Any]], None] = lambda options: None,
        pull: dict[str, Any] | None = None,
        entry: dict[str, Any] | None = None,
        **config: Any,
    ) -> Door:
        """Switch a module on, and add it."""
        defaults: dict[str, Any] = {
            "time_scale": 0.02,
            "offline_time": 15.0,
            "hostname": "garden-valve",
            "mac": MAC,
        }
        if kind == PULL:
            url = f"http://127.0.0.1:{self._port}/api/esp_ota/pull/{SECRET}"
            asks = {"url": url, "poll_interval": 0.3} | (pull or {})
            defaults["pull"] = PullConfig(**asks)
        settings = ModuleConfig(**defaults | config)
        module = HttpModule(settings) if kind == PAGE else VirtualModule(settings)
        await self._stack.enter_async_context(module)
        data: dict[str, Any] = {"transports": [kind]}
        if isinstance(module, HttpModule):
            data["upload_port"] = module.http_port
        if kind == PULL:
            data |= {"mac": MAC, "unique_id": MAC, "service_name": None}
        options = options_for(safe_state, **SMALL_FILES)
        change(options)
        data["options"] = options
        added = await self._garden.add(entry_for(module, **data | (entry or {})))
        return Door(self._garden, kind, module, added)


@asynccontextmanager
async def doors_of(garden: Garden, client: ClientSessionGenerator) -> AsyncIterator[Doors]:
    """Have a house that modules may ask."""
    house = MockConfigEntry(
        domain=DOMAIN, unique_id="house", data={"kind": "house", "pull_secret": SECRET}
    )
    await garden.add(house)
    pull = PullLimits(burst=0.02, request=2.0, offer=10.0, hold=10.0, stall=10.0)
    garden.house.patience = replace(garden.house.patience, pull=pull)
    asker = await client()
    assert asker.port is not None
    async with AsyncExitStack() as stack:
        yield Doors(garden, asker.port, stack)
