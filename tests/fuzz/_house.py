"""A Home Assistant as a process, with modules, an open install, and an eye on its own log.

Prints JSON lines: where it listens at first, then everything that should not have happened.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
import gc
import json
import logging
import signal
import socket
import tempfile
import time
from typing import Any, Final, override
from unittest.mock import patch

from aiohttp.http_exceptions import HttpProcessingError
from pytest_homeassistant_custom_component.common import (
    CLIENT_ID,
    MockConfigEntry,
    MockUser,
    async_test_home_assistant,
)
from zeroconf import IPVersion

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.ota import PullLimits
from homeassistant import loader
from homeassistant.components.http.config import async_get_and_load_store
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.kit.garden import options_for
from tests.virtual_module import build_image
from tests.virtual_module.recorded import SAMPLE_MAC

HOUSE_SECRET: Final = "correct-Horse_battery9"
OWN_SECRET: Final = "only-this-Module_knows1"
OTHER_MAC: Final = "5c:cf:7f:00:00:b0"
"""Of the module that uses the house's secret."""
_DAY: Final = 86400.0
_CORE: Final = {"homeassistant.components.http.forwarded", "homeassistant.components.http.ban"}
"""What core says loudly about requests that it refuses itself."""


class LoopWatch:
    """Measures for how long the event loop serves nobody else, in its own CPU time.

    CPU time, because other processes of the machine make any wall clock slow.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._at = time.thread_time()
        self.longest = 0.0
        self._look()

    def _look(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._at)
        self._at = now
        self._loop.call_later(0.001, self._look)

    def take(self) -> float:
        """Return the longest since the last call, in milliseconds."""
        longest, self.longest = self.longest, 0.0
        return round(1000 * longest, 1)


class Alarms(logging.Handler):
    """Takes what the log says of errors and exceptions."""

    def __init__(self, tell: Any) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    @override
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        # aiohttp says loudly of broken HTTP that it answers 400, before any view is asked.
        if record.name in _CORE or isinstance(error, HttpProcessingError):
            return
        if record.levelno >= logging.ERROR or error is not None:
            text = logging.Formatter("%(name)s: %(message)s").format(record)
            self._tell({"alarm": text[-1500:]})


def entries() -> list[MockConfigEntry]:
    """Return the house, the module with an open install, and one with none."""
    house = MockConfigEntry(
        domain=DOMAIN, unique_id="house", data={"kind": "house", "pull_secret": HOUSE_SECRET}
    )
    common = {
        "kind": "module",
        "name": "garden-valve",
        "host": "127.0.0.1",
        "port": 8266,
        "service_name": None,
        "board": None,
        "auth_required": None,
        "transports": ["http_pull"],
    }
    modules = [
        MockConfigEntry(
            domain=DOMAIN,
            title=title,
            unique_id=own["mac"],
            data=common | own,
            options=options_for(equipment="nothing"),
        )
        for title, own in (
            ("garden-valve", {"mac": SAMPLE_MAC, "pull_secret": OWN_SECRET}),
            ("other-valve", {"mac": OTHER_MAC}),
        )
    ]
    return [house, *modules]


def image() -> bytes:
    """Return what the open install would send."""
    return build_image("esp8266", version="2.0.0", size=1024 * 1024)


async def open_install(hass: HomeAssistant) -> asyncio.Task[None]:
    """Press Update for the first module; nobody who is entitled asks."""
    limits = PullLimits(offer=_DAY, hold=_DAY)
    house = hass.data[HOUSE]
    house.patience = replace(house.patience, pull=limits)
    for entry in entries():
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    from custom_components.esp_ota.library import ReleaseName

    await house.library.async_add(image(), ReleaseName(file_name="any.bin"), source="upload")
    await hass.async_block_till_done()
    data = {"entity_id": "update.garden_valve_firmware"}
    return hass.async_create_background_task(
        hass.services.async_call("update", "install", data, blocking=True), "install"
    )


async def serve() -> None:
    """Run until SIGTERM."""

    def tell(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    loopback = {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("homeassistant.components.zeroconf._async_get_zc_args", return_value=loopback),
    ):
        async with async_test_home_assistant(config_dir=folder) as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            port = free_port()
            web = {"server_host": "127.0.0.1", "server_port": port}
            assert await async_setup_component(hass, "http", {"http": web})
            # Else it goes back to another port after five minutes.
            await (await async_get_and_load_store(hass)).async_promote_pending()
            for name in ("api", DOMAIN):
                assert await async_setup_component(hass, name, {})
            await hass.async_block_till_done()
            installing = await open_install(hass)
            await hass.http.start()
            logging.getLogger().addHandler(Alarms(tell))
            # What was loaded by now is not charged to those who ask.
            gc.collect()
            gc.freeze()
            watch = LoopWatch()
            asyncio.get_running_loop().add_signal_handler(
                signal.SIGUSR1, lambda: tell({"loop_ms": watch.take()})
            )
            tell({"port": port, "token": await token(hass)})
            await stop.wait()
            flows = len(hass.config_entries.flow.async_progress())
            tell({"flows": flows, "install_open": not installing.done()})
            installing.cancel()
            await hass.async_stop(force=True)


async def token(hass: HomeAssistant) -> str:
    """Return what opens Home Assistant's own pages."""
    user = MockUser(is_owner=True).add_to_hass(hass)
    refresh = await hass.auth.async_create_refresh_token(
        user, CLIENT_ID, access_token_expiration=timedelta(days=1)
    )
    return hass.auth.async_create_access_token(refresh)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(serve())
