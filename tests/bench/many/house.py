"""A Home Assistant with very many modules that share one firmware, as a process.

    python -m tests.bench.many.house LIFE MODULES FOLDER [SECONDS]

LIFE is `plant` (the first one, in which all is new), `start` (which finds what was planted, and is
measured), `rest` (a start, and how the house rests for so many seconds) or `bare` (a start with
as many entities that do nothing: what the platform takes). Prints one JSON line.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
import gc
import json
import logging
from pathlib import Path
import socket
import sys
import time
from typing import Any, Final
from unittest.mock import Mock, patch

import homeassistant.const  # noqa: F401 - before anybody imports the voluptuous it replaces

from pytest_homeassistant_custom_component.common import (  # isort: skip
    MockConfigEntry,
    MockModule,
    MockPlatform,
    async_test_home_assistant,
    mock_integration,
    mock_platform,
)
from zeroconf import IPVersion

from custom_components.esp_ota.house import HOUSE, async_newcomers
from custom_components.esp_ota.library import ReleaseName
from homeassistant import loader
from homeassistant.components.http.config import async_get_and_load_store
from homeassistant.config_entries import HANDLERS, ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    category_registry as cr,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    issue_registry as ir,
    label_registry as lr,
    restore_state as rs,
)
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component

from .garden import (
    DOMAIN,
    FIRMWARE,
    RELEASES,
    RUNS,
    STRANGER,
    house_entry,
    module_entry,
)

_REGISTRIES: Final = (ar, cr, dr, er, fr, ir, lr, rs)
_PLATFORMS: Final = ("binary_sensor", "button", "event", "sensor", "update")
_OF_ONE_MODULE: Final = ("sensor",) * 5 + ("button",) * 2 + ("update", "event", "binary_sensor")
_DISABLED: Final = {0, 1}
"""Which of these are disabled, as two of a module's sensors are."""
_LOOPBACK: Final = {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}
_STRANGERS: Final = 2000
_ENTRIES: Final = "entries.json"
_KEPT: Final = ("data", "options", "unique_id", "version", "minor_version")
"""What a start finds of an entry as the life before has left it."""
_POLLERS: Final = 100


class LoopWatch:
    """Measures for how long the event loop serves nobody else, by the wall and by its own CPU."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.is_on = True
        self.reset()
        self._look()

    def reset(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.thread_time()
        self._longest = self._longest_cpu = 0.0

    def _look(self) -> None:
        wall, cpu = time.monotonic(), time.thread_time()
        self._longest = max(self._longest, wall - self._wall)
        self._longest_cpu = max(self._longest_cpu, cpu - self._cpu)
        self._wall, self._cpu = wall, cpu
        if self.is_on:
            self._loop.call_later(0.001, self._look)

    @property
    def told(self) -> dict[str, float]:
        """The longest since `reset`, in milliseconds."""
        return {"wall": 1000 * self._longest, "cpu": 1000 * self._longest_cpu}


class Garbage:
    """What Python's search for garbage takes: one that goes through all that lives falls anywhere.

    Two starts that do the same differ by it, as one has some objects more when it begins.
    """

    def __init__(self) -> None:
        self.cpu = self._began = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count it."""
        gc.callbacks.append(self._look)
        try:
            yield
        finally:
            gc.callbacks.remove(self._look)

    def _look(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.cpu += time.thread_time() - self._began


def _memory() -> int:
    """Return KiB of this process (proc_pid_status(5)), without what nobody holds any more."""
    gc.collect()
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError("VmRSS")


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[tuple[HomeAssistant, int]]:
    """Yield a Home Assistant with what it kept of its life before, and its port."""
    with patch("homeassistant.components.zeroconf._async_get_zc_args", return_value=_LOOPBACK):
        async with async_test_home_assistant(config_dir=str(folder), load_registries=False) as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            dr.async_setup(hass)
            for registry in _REGISTRIES:
                await registry.async_load(hass)
            (folder / ".storage" / "http").unlink(missing_ok=True)  # another port than before
            with socket.create_server(("127.0.0.1", 0)) as server:
                port = int(server.getsockname()[1])
            web = {"server_host": "127.0.0.1", "server_port": port}
            assert await async_setup_component(hass, "http", {"http": web})
            # Else it goes back to another port after five minutes.
            await (await async_get_and_load_store(hass)).async_promote_pending()
            for platform in _PLATFORMS:
                assert await async_setup_component(hass, platform, {})
            yield hass, port
            await hass.async_stop(force=True)


async def _set_up(hass: HomeAssistant, added: list[dict[str, Any]]) -> dict[str, float]:
    """Set up entries as Home Assistant does when it starts; tell what each of them took."""
    for item in added:
        MockConfigEntry(**item).add_to_hass(hass)
    await hass.async_block_till_done()
    memory, garbage = _memory(), Garbage()
    wall, cpu = time.monotonic(), time.process_time()
    with garbage.watched():
        await asyncio.gather(*(hass.config_entries.async_setup(item["entry_id"]) for item in added))
        await hass.async_block_till_done()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    told = {"wall": wall, "cpu": cpu, "garbage": garbage.cpu, "work": cpu - garbage.cpu}
    told = {name: 1000 * value / len(added) for name, value in told.items()}
    return told | {"memory": (_memory() - memory) / len(added)}


async def _add_release(hass: HomeAssistant, path: Path) -> None:
    """Add a release, and return when all is done that follows from it."""
    data = await hass.async_add_executor_job(path.read_bytes)
    library = hass.data[HOUSE].library
    await library.async_add(data, ReleaseName(file_name=path.name), source="upload")
    await hass.async_block_till_done()


def _images(folder: Path) -> list[Path]:
    return sorted((folder / "new").iterdir())


async def plant(modules: int, folder: Path) -> dict[str, Any]:
    """Live the first life: modules and releases are new."""
    async with _running(folder) as (hass, _port):
        assert await async_setup_component(hass, DOMAIN, {})
        await _set_up(hass, [house_entry()])
        took = await _set_up(hass, [module_entry(number) for number in range(modules + 1)])
        for path in _images(folder)[:RELEASES]:
            await _add_release(hass, path)
        journal = hass.data[HOUSE].journal
        for number in range(modules + 1):
            known: Any = {"version": RUNS, "firmware": FIRMWARE, "assumed": False}
            journal._known[f"module-{number}"] = known  # one write for all of them, now
        await journal.async_proved("module-0", "0" * 64)
        entries = hass.config_entries.async_entries(DOMAIN)
        kept = {one.entry_id: {key: one.as_dict()[key] for key in _KEPT} for one in entries}
        (folder / _ENTRIES).write_text(json.dumps(kept), encoding="utf-8")
    return took


@asynccontextmanager
async def _started(modules: int, folder: Path) -> AsyncIterator[tuple[HomeAssistant, int, Any]]:
    """Yield a Home Assistant that has started, its port, and what each module took."""
    async with _running(folder) as (hass, port):
        assert await async_setup_component(hass, DOMAIN, {})
        kept = json.loads((folder / _ENTRIES).read_text(encoding="utf-8"))
        house, *others = [
            made | kept[made["entry_id"]]
            for made in (house_entry(), *map(module_entry, range(modules + 1)))
        ]
        # What the first one needs is charged to none.
        await _set_up(hass, [house, others.pop()])
        took = await _set_up(hass, others)
        yield hass, port, took


async def start(modules: int, folder: Path) -> dict[str, Any]:
    """Start, and add releases."""
    async with _started(modules, folder) as (hass, _port, took):
        watch, blocks = LoopWatch(), []
        for path in _images(folder)[RELEASES:]:
            await asyncio.sleep(0.1)
            watch.reset()
            await _add_release(hass, path)
            await asyncio.sleep(0.1)
            blocks.append(watch.told)
        watch.is_on = False
        version = _images(folder)[-1].stem.rpartition("-")[2]
        for number in range(modules + 1):
            state = hass.states.get(f"update.module_{number}_firmware")
            assert state is not None
            assert state.state == "on"
            assert state.attributes["latest_version"] == version
    return {"set_up": took, "blocks": blocks}


async def _sent(what: str, *numbers: int) -> float:
    """Have another process send it; return which share of a core that took of this one."""
    command = [sys.executable, "-m", "tests.bench.many.traffic", what, *map(str, numbers)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline()  # it begins
    began, cpu = time.monotonic(), time.process_time()
    assert await process.stdout.readline()  # and has ended
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    assert await process.wait() == 0
    return share


async def _quiet(hass: HomeAssistant) -> None:
    """Return when all that was discovered has been looked into."""
    flows = hass.config_entries.flow
    while flows.async_progress(include_uninitialized=True):  # noqa: ASYNC110
        await asyncio.sleep(1)
    await asyncio.sleep(5)


async def rest(modules: int, folder: Path, seconds: int) -> dict[str, Any]:
    """Start, rest, and be flooded by strangers."""
    async with _started(modules, folder) as (hass, port, _took):
        await hass.http.start()
        await _sent("all", modules)
        await _quiet(hass)
        began, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        nobody = (time.process_time() - cpu) / (time.monotonic() - began)
        # Each poller's first request after a start brings news, as the announcements above did.
        first = await _sent("calm", modules, _POLLERS, seconds, port)
        idle = await _sent("calm", modules, _POLLERS, seconds, port)
        bare = await _sent("bare", _POLLERS, seconds, port)
        watch = LoopWatch()
        await _sent("flood", _STRANGERS)
        await asyncio.sleep(5)
        block = watch.told
        watch.is_on = False
        flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        kept = _strangers_in([hass.data[HOUSE], async_newcomers(hass)])
    return {
        "first": 100 * first,
        "idle": 100 * idle,
        "bare": 100 * bare,
        "nobody": 100 * nobody,
        "flood": block,
        "cards": len(flows),
        "kept": kept,
    }


def _strangers_in(ours: list[Any]) -> int:
    """Return how many strangers our own objects know by name."""
    found: set[str] = set()
    seen: set[int] = set()
    while ours:
        item = ours.pop()
        if isinstance(item, str):
            if STRANGER in item:
                found.add(item.partition(".")[0])
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, dict):
            ours += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            ours += item
        elif type(item).__module__.startswith("custom_components"):
            ours += gc.get_referents(item)
    return len(found)


class Bare(Entity):
    """An entity that does nothing."""

    _attr_has_entity_name = True

    def __init__(self, entry: ConfigEntry, number: int) -> None:
        self._attr_unique_id = f"{entry.entry_id}_{number}"
        self._attr_name = f"number {number}"
        self._attr_entity_registry_enabled_default = number not in _DISABLED
        self._attr_device_info = DeviceInfo(
            identifiers={("bare", entry.entry_id)}, name=entry.title, sw_version=RUNS
        )


async def bare(modules: int, folder: Path) -> dict[str, Any]:
    """Set up as many entities that do nothing; the second life finds them."""
    found = [
        {"domain": "bare", "entry_id": f"bare-{number}", "title": f"bare-{number}"}
        for number in range(modules + 1)
    ]
    async with _running(folder) as (hass, _port):
        _mock_bare(hass)
        assert await async_setup_component(hass, "bare", {})
        await _set_up(hass, found[modules:])
        return await _set_up(hass, found[:modules])


def _mock_bare(hass: HomeAssistant) -> None:
    async def set_up_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, _PLATFORMS)
        return True

    mock_integration(hass, MockModule("bare", async_setup_entry=set_up_entry))
    mock_platform(hass, "bare.config_flow", Mock(ConfigFlow=ConfigFlow))
    HANDLERS["bare"] = ConfigFlow
    for platform in _PLATFORMS:
        numbers = [at for at, own in enumerate(_OF_ONE_MODULE) if own == platform]

        async def add(
            _hass: HomeAssistant, entry: ConfigEntry, add: Any, numbers: list[int] = numbers
        ) -> None:
            add(Bare(entry, number) for number in numbers)

        mock_platform(hass, f"bare.{platform}", MockPlatform(async_setup_entry=add))


LIVES: Final = {"plant": plant, "start": start, "rest": rest, "bare": bare}


def main(life: str, modules: str, folder: str, *seconds: str) -> None:
    """Live one life."""
    logging.disable(logging.WARNING)
    lived: Any = LIVES[life]
    told = asyncio.run(lived(int(modules), Path(folder), *map(int, seconds)))
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
