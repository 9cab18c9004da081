"""Runs cells of the matrix: real modules, a real Home Assistant, and what is true afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf.asyncio import AsyncZeroconf

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.ota import Cause, InstallResult, pack, read_image
from custom_components.esp_ota.web import PULL_PATH
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from tests.kit.garden import SMALL_FILES, options_for, until
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import (
    Chip,
    Fault,
    HttpConfig,
    HttpModule,
    ModuleConfig,
    PullConfig,
    PullMode,
    Seen,
    VirtualModule,
)

from .cells import CLASSIC_WAITS, CLASSICS, GENERATIONS, OWN_SECRET, PULL, PUSH, WITH_FILES, Cell
from .endings import Ending, Runs, Took
from .house import FILES, HOUSE_SECRET, NEW, OLD, SIZE, be_patient, image_of

_SETTLE: Final = 0.3
"""Seconds in which a module that was told to restart begins to."""


@dataclass
class Trial:
    """One cell in progress."""

    cell: Cell
    number: int
    hass: HomeAssistant
    port: int
    """Of Home Assistant's web server."""
    zeroconf: AsyncZeroconf
    valve: list[str] = field(default_factory=list)
    neighbour: VirtualModule | None = None

    @property
    def name(self) -> str:
        """The module's, on the network and in Home Assistant."""
        return f"module-{self.number}"

    @property
    def host(self) -> str:
        """Each module has an address of its own, as at home."""
        return f"127.0.{2 + self.number // 250}.{1 + self.number % 250}"

    @property
    def _elsewhere(self) -> str:
        """Where it comes back, if it moves."""
        return f"127.0.{5 + self.number // 250}.{1 + self.number % 250}"

    @property
    def mac(self) -> str:
        """Its MAC."""
        return f"5c:cf:7f:00:{self.number >> 8:02x}:{self.number & 255:02x}"

    @property
    def chip(self) -> Chip:
        """Its chip."""
        return Chip(GENERATIONS[self.cell.generation]["chip"])

    @property
    def _classic(self) -> bool:
        return self.cell.generation in CLASSICS

    @property
    def _valve(self) -> str:
        return f"input_boolean.valve_{self.number}"

    def image(self, version: str) -> bytes:
        """Return a sketch of its firmware."""
        return image_of(self.chip, self.cell.situation.firmware, version)

    # The module

    @asynccontextmanager
    async def _module(self) -> AsyncIterator[VirtualModule]:
        """Switch the module on."""
        situation = self.cell.situation
        config: dict[str, Any] = {
            "host": self.host,
            "hostname": self.name,
            "mac": self.mac,
            "image": self.image(OLD),
            "time_scale": 0.02,
            "offline_time": 50.0,
            "auth_time": 0.1,
            "limit_scale": 4.0,
            "advertise": self.cell.door != PULL,
            "txt_firmware": not situation.quiet,
            "password": situation.lock if self.cell.door == PUSH and not self._classic else None,
            "pull": self._pull if self.cell.door == PULL else None,
            "slot_size": self._small_slot if situation.small_slot else None,
            # As slow as real flash: what a fast loopback has taken is known only afterwards.
            "sector_time": 0.05 if self.cell.door == PULL else 0.0,
        }
        config |= GENERATIONS[self.cell.generation]
        async with self._built(ModuleConfig(**config | dict(situation.module))) as module:
            yield module

    def _built(self, config: ModuleConfig, page: int = 0) -> VirtualModule:
        """Build a module; `page` is the port of its update page, if it has to be a certain one."""
        if self.cell.door in {PUSH, PULL}:
            return VirtualModule(config, zeroconf=self.zeroconf)
        http = HttpConfig(dialect=self.cell.door, password=self.cell.situation.lock, port=page)
        return HttpModule(config, http, zeroconf=self.zeroconf)

    @property
    def _small_slot(self) -> int:
        """Return a slot that no image fits in, which an ESP8266 shares with what runs."""
        return SIZE + 16 * 1024 if self.chip is Chip.ESP8266 else SIZE // 2

    @property
    def _pull(self) -> PullConfig:
        situation = self.cell.situation
        end = situation.path.format(house=HOUSE_SECRET, own=OWN_SECRET)
        files = (PullMode.FILESYSTEM,) if situation.firmware == WITH_FILES else ()
        md5s = ("x-ESP8266-sketch-md5", "x-ESP32-sketch-md5")
        return PullConfig(
            url=f"http://127.0.0.1:{self.port}{PULL_PATH}{end}",
            poll_interval=0.4,
            stops_after_failure=situation.stops_after_failure,
            steps=(*files, PullMode.SKETCH),
            username="any" if situation.login else "",
            password=(situation.login or "").format(house=HOUSE_SECRET),
            tells_version=not situation.quiet,
            without=md5s if situation.quiet else (),
        )

    # Its entry

    def _entry(self, module: VirtualModule) -> MockConfigEntry:
        """Return the module's entry, as the flow makes it."""
        door, situation = self.cell.door, self.cell.situation
        data: dict[str, Any] = {
            "kind": "module",
            "name": self.name,
            "host": self.host,
            "port": module.port,
            "service_name": f"{self.name}._arduino._tcp.local.",
            "board": None if self._classic else module.config.facts.board,
            "mac": self.mac,
            "auth_required": None,
        }
        if door == PUSH:
            data["password"] = situation.key
        elif door == PULL:
            data |= {"transports": [PULL], "service_name": None}
            data |= {"pull_secret": situation.own_secret} if situation.own_secret else {}
        else:
            assert isinstance(module, HttpModule)
            data |= {
                "transports": ["http_upload"],
                "upload_port": module.http_port,
                "upload_dialect": door,
                "upload_password": situation.key,
            }
        return MockConfigEntry(
            domain=DOMAIN,
            title=self.name,
            unique_id=self.mac,
            data=data,
            options=options_for(self._safe_state, firmware=situation.firmware, **self._chosen),
        )

    @property
    def _chosen(self) -> dict[str, Any]:
        """Return what a person says of a module that says nothing, and of small files."""
        return SMALL_FILES | ({"chip": self.chip.value} if self._classic else {})

    @property
    def _safe_state(self) -> dict[str, Any]:
        """Return a safe state with a valve of its own."""
        target = {"target": {"entity_id": self._valve}}
        return {
            "actions": [{"action": "input_boolean.turn_off"} | target],
            "conditions": [{"condition": "state", "entity_id": self._valve, "state": "off"}],
            "restore": [{"action": "input_boolean.turn_on"} | target],
        }

    # The install

    async def run(self) -> Ending:
        """Install the new version; return what it ended as, and what is true."""
        waits = dict(self.cell.situation.waits)
        be_patient(waits | CLASSIC_WAITS if self._classic else waits)
        async with self._module() as module:
            entry = self._entry(module)
            entry.add_to_hass(self.hass)
            assert await self.hass.config_entries.async_setup(entry.entry_id)
            moving = self._moving(module) if self.cell.situation.moves else nullcontext()
            stop = async_track_state_change_event(self.hass, [self._valve], self._valve_moved)
            await self._know(entry, module)
            async with moving:
                error = await self._press_update(entry)
            stop()
            outcome = entry.runtime_data.coordinator.data.outcome
            assert outcome is not None
            result = outcome.result
            await self._settle(module)
            self._check_telling(result, error)
            self._check_equipment(entry, result)
            self._check_files(module, result)
            return self._ending(module, result)

    @asynccontextmanager
    async def _moving(self, module: VirtualModule) -> AsyncIterator[None]:
        """Let the module lose its power when its valve closes, and come back elsewhere."""
        here = module.host
        begun: list[asyncio.Task[None]] = []

        async def move(stack: AsyncExitStack) -> None:
            module.will_be_at(self._elsewhere)
            await module.power_cycle()
            if self.cell.situation.neighbour:
                await asyncio.sleep(module.config.offline_time * module.config.time_scale)
                other = {
                    "hostname": f"neighbour-{self.number}",
                    "mac": self.mac.replace(":00:", ":01:"),
                }
                config = replace(module.config, host=here, port=module.port, **other)
                page = module.http_port if isinstance(module, HttpModule) else 0
                self.neighbour = await stack.enter_async_context(self._built(config, page))

        @callback
        def closes(event: Event[EventStateChangedData]) -> None:
            if not begun:
                begun.append(asyncio.ensure_future(move(stack)))

        async with AsyncExitStack() as stack:
            stop = async_track_state_change_event(self.hass, [self._valve], closes)
            yield
            stop()
            await asyncio.gather(*begun)
            await module.wait_for(Seen.BACK, 20.0)
            if self.neighbour is not None:
                assert not self.neighbour.events.count_of(Seen.FIRST_BYTE)
                assert not self.neighbour.events.count_of(Seen.INSTALLED)

    async def _know(self, entry: ConfigEntry, module: VirtualModule) -> None:
        """Wait until it is known what runs, or that the module does not tell."""
        if self.cell.door == PULL:
            await module.wait_for(Seen.ANSWERED, 20.0)
        elif not (self.cell.situation.quiet or self._classic):
            await until(lambda: entry.runtime_data.coordinator.data.installed == OLD, 20.0)

    async def _press_update(self, entry: ConfigEntry) -> HomeAssistantError | None:
        entries = er.async_entries_for_config_entry(er.async_get(self.hass), entry.entry_id)
        suffix = f"_{self.cell.situation.card}"
        (card,) = [item.entity_id for item in entries if item.unique_id.endswith(suffix)]
        data = {"entity_id": card, "version": NEW}
        try:
            await self.hass.services.async_call("update", "install", data, blocking=True)
        except HomeAssistantError as err:
            return err
        return None

    async def _settle(self, module: VirtualModule) -> None:
        """Let a module that was told to restart do so, and one that is away come back."""
        await asyncio.sleep(_SETTLE)
        if not module.faults.strikes(Fault.NEVER_BACK):
            await until(lambda: module.events.count_of(Seen.BACK) == module.restarts, 20.0)

    @callback
    def _valve_moved(self, event: Event[EventStateChangedData]) -> None:
        assert event.data["new_state"] is not None
        self.valve.append(event.data["new_state"].state)

    # What must hold however it ends

    def _check_telling(self, result: InstallResult, error: HomeAssistantError | None) -> None:
        """Check that the caller hears of all endings but good ones, in whole sentences."""
        assert (error is None) == result.verdict.is_success, result
        if error is not None:
            told = Cause.FILES_INCOMPLETE if result.files_incomplete else result.cause
            assert error.translation_key == told
            assert_error_is_whole(error)

    def _check_equipment(self, entry: ConfigEntry, result: InstallResult) -> None:
        """Check that the valve was closed and opened again once, or never touched."""
        assert result.restore_error is None, result
        assert self.valve in ([], ["off", "on"])
        assert self.hass.data[HOUSE].journal.open_install(entry.entry_id) is None

    def _check_files(self, module: VirtualModule, result: InstallResult) -> None:
        """Check that files are what was sent for them; no sketch alone touches them."""
        sent = self.cell.situation.firmware == WITH_FILES and result.verdict.is_success
        if result.files_incomplete:
            assert module.fs_image != FILES
        else:
            assert module.fs_image == (FILES if sent else b"")

    # What is true

    def _ending(self, module: VirtualModule, result: InstallResult) -> Ending:
        return Ending(
            verdict=result.verdict,
            cause=result.cause,
            tries=self._tries(module),
            took=self._took(module),
            restarts=module.restarts,
            runs=self._runs(module),
        )

    def _tries(self, module: VirtualModule) -> int:
        """Return how often the module was sent an image, or fetched one."""
        if self.cell.door == PUSH:
            return module.events.count_of(Seen.CONNECTED)
        if self.cell.door == PULL:
            answers = [one.details for one in module.events if one.name is Seen.ANSWERED]
            return sum(one["status"] == 200 for one in answers)
        assert isinstance(module, HttpModule)
        uploads = [one for one in module.requests if one.startswith("POST")]
        return sum("/login" not in one for one in uploads)

    def _took(self, module: VirtualModule) -> Took:
        """Return how much it took in the last time."""
        image = FILES if self.cell.situation.card == "files" else self.image(NEW)
        if self.chip is Chip.RP2040 and image is not FILES:  # which unpacks always: it gets a gzip
            image, _ = pack(image, read_image(image))
        if not module.payload_bytes:
            return Took.NOTHING
        return Took.ALL if module.payload_bytes == len(image) else Took.PART

    def _runs(self, module: VirtualModule) -> Runs:
        if module.restarts > module.events.count_of(Seen.BACK):
            return Runs.NOTHING
        known = {self.image(OLD): Runs.OLD, self.image(NEW): Runs.NEW}
        return known.get(module.running_image, Runs.ELSE)
