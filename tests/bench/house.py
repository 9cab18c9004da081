"""A Home Assistant as a process, with modules of every door, for what is measured from outside.

    python -m tests.bench.house PULLS PUSHES

Takes one JSON command a line on stdin, and answers each with a JSON line on stdout.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
import gc
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any, Final
from unittest.mock import patch

from aiohttp import web
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)
from zeroconf import IPVersion

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import Limits, PullLimits, WatchLimits
from homeassistant import loader
from homeassistant.components.http.config import async_get_and_load_store
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.setup import async_setup_component
from tests.fuzz._house import free_port

from .garden import SECRET, Kind, host_of, mac_of, name_of

BARE_PATH: Final = "/api/bare"
_UNLIMITED: Final = 10**9


class BareView(HomeAssistantView):
    """What an answer costs that nobody thinks about."""

    url = f"{BARE_PATH}/{{secret}}"
    name = "api:bare"
    requires_auth = False

    async def get(self, request: web.Request, secret: str) -> web.Response:
        return web.Response(status=304)


class LoopWatch:
    """Measures for how long the event loop serves nobody else, by the wall and by its own CPU."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.reset()
        self._look()

    def reset(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.thread_time()
        self.longest = self.longest_cpu = 0.0

    def _look(self) -> None:
        wall, cpu = time.monotonic(), time.thread_time()
        self.longest = max(self.longest, wall - self._wall)
        self.longest_cpu = max(self.longest_cpu, cpu - self._cpu)
        self._wall, self._cpu = wall, cpu
        self._loop.call_later(0.001, self._look)


def _memory(name: str) -> int:
    """Return KiB of this process (proc_pid_status(5))."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


def _forget_peak() -> None:
    """Let the highest memory be counted anew from here (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


class House:
    """Does what the commands say."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._watch = LoopWatch()
        self._memory = 0

    async def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Do one of the commands below."""
        answer: dict[str, Any] = await getattr(self, command)(**arguments)
        return answer

    async def cpu(self) -> dict[str, float]:
        """Tell the CPU seconds this process has taken."""
        return {"cpu": time.process_time()}

    async def release(self, path: str) -> dict[str, Any]:
        """Add a release."""
        library = self._hass.data[HOUSE].library
        data = await self._hass.async_add_executor_job(Path(path).read_bytes)
        found = await library.async_add(data, ReleaseName(file_name="any.bin"), source="upload")
        return {"version": found.version}

    async def known(self, names: list[str]) -> dict[str, Any]:
        """Wait until all of these modules have asked."""
        entries = [one for one in self._hass.data[HOUSE].modules if one.title in names]
        coordinators = [one.runtime_data.coordinator for one in entries]
        while any(one.data.installed is None for one in coordinators):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return {}

    async def install(self, names: list[str], version: str) -> dict[str, Any]:
        """Install on these modules at once; tell how it went, and what it cost."""
        await self._hass.async_block_till_done()
        gc.collect()
        _forget_peak()
        before = _memory("VmRSS")
        cpu = time.process_time()
        self._watch.reset()
        endings = await asyncio.gather(*(self._install(name, version) for name in names))
        return {
            "endings": dict(zip(names, endings, strict=True)),
            "cpu": time.process_time() - cpu,
            "memory": (_memory("VmHWM") - before) / len(names),
            "block": self._watch.longest,
            "block_cpu": self._watch.longest_cpu,
        }

    async def _install(self, name: str, version: str) -> str:
        card = f"update.{name.replace('-', '_')}_firmware"
        data = {"entity_id": card, "version": version}
        try:
            await self._hass.services.async_call("update", "install", data, blocking=True)
        except HomeAssistantError as err:
            return str(err.translation_key)
        state = self._hass.states.get(card)
        return str(state.attributes["last_verdict"]) if state else "?"


def _entry(kind: Kind, number: int) -> MockConfigEntry:
    """Return the entry of one module, as the flow makes it."""
    name = name_of(kind, number)
    data = {
        "kind": "module",
        "name": name,
        "host": host_of(kind, number),
        "port": 8266,
        "service_name": None,
        "board": "nodemcuv2",
        "mac": mac_of(kind, number),
        "auth_required": None,
        "transports": [kind.value],
    }
    options = {"equipment": "nothing", "firmware": "bench"}
    return MockConfigEntry(
        domain=DOMAIN, title=name, unique_id=mac_of(kind, number), data=data, options=options
    )


@asynccontextmanager
async def _running() -> AsyncIterator[tuple[HomeAssistant, int]]:
    """Yield a Home Assistant whose web server listens, and its port."""
    loopback = {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("homeassistant.components.zeroconf._async_get_zc_args", return_value=loopback),
    ):
        async with async_test_home_assistant(config_dir=folder) as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            port = free_port()
            server = {"server_host": "127.0.0.1", "server_port": port}
            assert await async_setup_component(hass, "http", {"http": server})
            # Else it goes back to another port after five minutes.
            await (await async_get_and_load_store(hass)).async_promote_pending()
            assert await async_setup_component(hass, DOMAIN, {})
            hass.http.register_view(BareView())
            await hass.http.start()
            yield hass, port
            await hass.async_stop(force=True)


async def serve(pulls: int, pushes: int) -> None:
    """Set up so many modules, and do what the commands say until there are no more."""
    async with _running() as (hass, port):
        house = hass.data[HOUSE]
        house.patience = replace(
            house.patience,
            install=Limits(retry_pause=1.0),
            pull=PullLimits(requests=_UNLIMITED),
            watch=WatchLimits(interval=0.2, evidence=1.0, evidence_unlikely=0.2),
        )
        own = MockConfigEntry(
            domain=DOMAIN,
            unique_id="house",
            data={"kind": "house", "pull_secret": SECRET},
            options={"parallel_installs": pulls + pushes},
        )
        modules = [_entry(Kind.PULL, number) for number in range(pulls)]
        modules += [_entry(Kind.PUSH, number) for number in range(pushes)]
        for entry in [own, *modules]:
            entry.add_to_hass(hass)
            assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        doing = House(hass)
        print(json.dumps({"port": port}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await doing.do(**json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(*(int(text) for text in sys.argv[1:])))
