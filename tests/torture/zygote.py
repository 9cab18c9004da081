"""Forks a life of Home Assistant whenever it is told to; all was imported once, before.

    python -m tests.torture.zygote

Takes one JSON line a life on stdin: its configuration directory. Answers with the
process id, and with the status when it has ended.
"""

import asyncio
import gc
import importlib
import json
import os
import pkgutil
import sys
from typing import Any, Final
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import async_test_home_assistant
from zeroconf import IPVersion

import custom_components.esp_ota
from custom_components.esp_ota.const import DOMAIN
from homeassistant import loader
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from . import torture_garden

_PLATFORMS: Final = ("binary_sensor", "button", "event", "sensor", "update")
_LOOPBACK: Final = {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}


async def live(config: str) -> None:
    """Be Home Assistant, with what is in its configuration directory, until it is stopped."""
    async with async_test_home_assistant(
        config_dir=config, initial_state=CoreState.not_running
    ) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        # The kit reads devices, with their areas, but no entities: those would get other ids.
        hass.data.pop(er.DATA_REGISTRY)
        await er.async_load(hass)
        await hass.config_entries.async_initialize()
        assert await async_setup_component(hass, "http", {})
        assert await torture_garden.async_setup(hass, {})
        assert await async_setup_component(hass, DOMAIN, {})
        await hass.async_block_till_done()
        await hass.http.start()
        await _run(hass)


async def _run(hass: HomeAssistant) -> None:
    stopped = asyncio.Event()
    hass.bus.async_listen_once("homeassistant_close", lambda _event: stopped.set())
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await stopped.wait()
    await asyncio.sleep(0)


def _child(order: dict[str, Any]) -> None:
    status = 1
    os.dup2(2, 1)  # stdout is the zygote's own
    try:
        with patch("homeassistant.components.zeroconf._async_get_zc_args", return_value=_LOOPBACK):
            asyncio.run(live(**order))
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)


def _warm() -> None:
    """Import what a life would import, once for all of them."""
    for found in pkgutil.walk_packages(
        custom_components.esp_ota.__path__, f"custom_components.{DOMAIN}."
    ):
        importlib.import_module(found.name)
    for name in ("aiohttp_fast_zlib", *(f"homeassistant.components.{one}" for one in _PLATFORMS)):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve until stdin ends."""
    _warm()
    for line in sys.stdin:
        order = json.loads(line)
        if not (pid := os.fork()):
            _child(order)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": status}), flush=True)


if __name__ == "__main__":
    main()
