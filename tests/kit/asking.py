"""Who asks for an image over HTTP, header by header, and what Home Assistant knows of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import hashlib
from typing import Any

from aiohttp.test_utils import TestClient
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from tests.kit.garden import SMALL_FILES, options_for
from tests.virtual_module import ModuleConfig, PullConfig, VirtualModule, build_image
from tests.virtual_module.chips import Chip
from tests.virtual_module.recorded import SAMPLE_MAC

PATH = "/api/esp_ota/pull"
SECRET = "house-secret"
OWN = "secret-of-one-module"
MAC = "5C:CF:7F:A1:B2:C3"
OLD = build_image("esp8266", version="1.0.0", size=48 * 1024)

type Asker = TestClient[Any, Any]


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def headers(running: bytes = OLD, **changes: str | None) -> dict[str, str]:
    """Return what an ESP8266 of core 3.1 sends; None leaves a header out."""
    said: dict[str, str | None] = {
        "User-Agent": "ESP8266-http-Update",
        "x-ESP8266-Chip-ID": "10597059",
        "x-ESP8266-STA-MAC": MAC,
        "x-ESP8266-AP-MAC": "5E:CF:7F:A1:B2:C3",
        "x-ESP8266-free-space": "1048576",
        "x-ESP8266-sketch-size": str(len(running)),
        "x-ESP8266-sketch-md5": md5(running),
        "x-ESP8266-chip-size": "4194304",
        "x-ESP8266-sdk-version": "2.2.2-dev(38a443e)",
        "x-ESP8266-mode": "sketch",
    }
    said |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in said.items() if value is not None}


def house() -> MockConfigEntry:
    """Return the entry of a house with a secret."""
    data = {"kind": "house", "pull_secret": SECRET}
    return MockConfigEntry(domain=DOMAIN, unique_id="house", data=data)


def poller(
    secret: str | None = None, *, mac: str | None = MAC.lower(), **changes: Any
) -> MockConfigEntry:
    """Return the entry of a module that asks; `options` are added to the usual ones."""
    options = changes.pop("options", {})
    unique_id = changes.pop("unique_id", mac or MAC.lower())
    data = {
        "kind": "module",
        "name": "garden-valve",
        "host": "127.0.0.1",
        "port": 8266,
        "service_name": None,
        "board": None,
        "mac": mac,
        "auth_required": None,
        "transports": ["http_pull"],
    }
    if secret:
        data["pull_secret"] = secret
    return MockConfigEntry(
        domain=DOMAIN,
        title="garden-valve",
        unique_id=unique_id,
        data=data | changes,
        options=options_for(**options),
    )


def sampled(chip: Chip = Chip.ESP8266, **changes: Any) -> MockConfigEntry:
    """Return the entry of the module that the recorded requests come from."""
    options = {"chip": chip.value, **SMALL_FILES}
    return poller(mac=SAMPLE_MAC, options=options, **changes)


async def ask(
    asker: Asker, path: str = f"{PATH}/{SECRET}", said: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Ask once; return status, headers and body."""
    async with asker.get(path, headers=headers() if said is None else said) as reply:
        return reply.status, reply.headers, await reply.read()


@asynccontextmanager
async def asking(
    port: int, chip: Chip = Chip.ESP8266, **config: Any
) -> AsyncIterator[VirtualModule]:
    """Switch a module on that asks, and wait until it has."""
    url = config.pop("url", f"http://127.0.0.1:{port}{PATH}/{SECRET}")
    given = {"image": build_image(chip, version="1.0.0", size=48 * 1024), "time_scale": 0.02}
    given |= {"pull": PullConfig(url=url, poll_interval=0.2), "mac": SAMPLE_MAC}
    async with VirtualModule(ModuleConfig(chip=chip, **given | config)) as module:
        await module.wait_for("no_update")
        yield module
