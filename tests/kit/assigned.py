"""A house whose module belongs to a server, in a test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.servers import SERVERS, Servers
from custom_components.esp_ota.servers.note import TargetNote
from custom_components.esp_ota.servers.server import Server
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden, options_for, until
from tests.kit.hawkbit import DdiAction, File, HawkBit, Known
from tests.virtual_module import VirtualModule

TARGET = "home-garden-valve"


@dataclass
class Assigned:
    """Everything a test of a server touches."""

    garden: Garden
    hawkbit: HawkBit
    start_module: StartModule
    house: MockConfigEntry = field(init=False)
    entry: MockConfigEntry = field(init=False)
    module: VirtualModule = field(init=False)

    @property
    def hass(self) -> HomeAssistant:
        return self.garden.hass

    async def open(self, url: str | None = None, **settings: Any) -> None:
        """Set the house up with the server."""
        data = {
            "url": url or self.hawkbit.url,
            "tenant": "DEFAULT",
            "prefix": "home-",
            "login": "none",
            "tokens": {},
            "begins": "press",
        } | settings
        self.house = MockConfigEntry(
            domain=DOMAIN,
            title="ESP OTA",
            unique_id="house",
            data={"kind": "house"},
            subentries_data=[
                ConfigSubentryData(
                    data=data, subentry_type="server", title="hawkBit", unique_id=None
                )
            ],
        )
        await self.garden.add(self.house)

    async def add(self, options: Mapping[str, Any] | None = None, **config: Any) -> VirtualModule:
        """Switch the module on and set it up."""
        self.module = await self.start_module(**{"hostname": "garden-valve"} | config)
        entry = entry_for(self.module, options=dict(options or options_for()))
        self.entry = await self.garden.add(entry)
        return self.module

    @property
    def server(self) -> Server:
        (server,) = self.hass.data[SERVERS].all
        return server

    @property
    def note(self) -> TargetNote:
        """Return what is kept of the module, which a test may change."""
        return self.server._notes.get(self.entry.entry_id, {})

    def answer_again(self) -> None:
        """Have the server be asked at once, which was left alone."""
        self.server._quiet_until = 0.0

    async def pause(self) -> None:
        """Have the server visited no more, until it is started again."""
        assert self.server._task is not None
        self.server._task.cancel()
        await until(lambda: not any(item.is_busy for item in self.server.targets.values()))

    async def begin_anew(self) -> None:
        """Have what is kept read again, as after a restart."""
        self.hass.data[SERVERS].async_close()
        await self.hass.async_block_till_done()
        servers = self.hass.data[SERVERS] = Servers(self.hass)
        await servers.async_setup()
        servers.async_open(self.house)

    @property
    def known(self) -> Known:
        """Return what the server knows of the module."""
        return self.hawkbit.targets.setdefault(TARGET, Known())

    def assign(self, version: str = "1.1.0", *files: File, **changes: Any) -> DdiAction:
        """Have the server want a version."""
        files = files or (File(name="valve.bin", data=firmware(version)),)
        return self.hawkbit.assign(TARGET, version, *files, **changes)

    async def visited(self) -> None:
        """Have the module be visited once more, from its beginning to its end."""
        await until(lambda: self.server.targets)
        [target] = self.server.targets.values()
        await until(lambda: not target.is_busy)
        self.server.async_wake(self.entry.entry_id)
        await until(lambda: target.due != 0.0 and not target.is_busy)

    async def soon(self, holds: Callable[[], object]) -> None:
        """Wait until something is so, with visits as soon as they may be."""

        def hurried() -> object:
            for entry_id, target in self.server.targets.items():
                if not target.is_busy:
                    self.server.async_wake(entry_id)
            return holds()

        await until(hurried, 60)
        await until(lambda: not any(item.is_busy for item in self.server.targets.values()))

    async def offered(self, version: str) -> None:
        """Wait until the card offers a version."""
        await self.soon(lambda: self.garden.card.attributes["latest_version"] == version)

    async def told(self, action: DdiAction, execution: str) -> dict[str, Any]:
        """Wait until the server was told so, and return the last it was told."""
        await self.soon(lambda: action.told and action.told[-1]["execution"] == execution)
        return action.told[-1]
