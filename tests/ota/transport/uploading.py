"""Uploads to virtual modules with an update page, and what became visible of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Delivery,
    Fixed,
    HttpUpload,
    ImageKind,
    OtaError,
    UploadDialect,
    UploadLimits,
)
from tests.kit.pushing import new_firmware, payload_for
from tests.kit.sentences import assert_sentence_is_whole
from tests.virtual_module import HttpConfig, HttpDialect, HttpModule, ModuleConfig, Seen

CHIPS = {
    HttpDialect.UPDATE_SERVER: ["esp8266", "esp32s3", "rp2040"],
    HttpDialect.WEB_UPDATE: ["esp8266", "esp32", "rp2040"],
    HttpDialect.ELEGANT_OTA: ["esp8266", "esp32", "rp2040"],
    HttpDialect.ASYNC_ELEGANT_OTA: ["esp8266", "esp32"],
    HttpDialect.PRETTY_OTA: ["esp32"],
    HttpDialect.TASMOTA: ["esp8266", "esp32"],
    HttpDialect.ESP_EASY: ["esp8266", "esp32"],
    HttpDialect.WIFI_OTA: ["esp8266", "esp32", "rp2040"],
}
"""Which chips have which page."""
PAGES = [
    pytest.param(dialect, chip, id=f"{dialect}-{chip}")
    for dialect, chips in CHIPS.items()
    for chip in chips
]
"""Every page there is, to parametrize (`dialect`, `chip`)."""
DIALECTS = [pytest.param(dialect, chips[0], id=str(dialect)) for dialect, chips in CHIPS.items()]
"""Every dialect once."""
HTML = b"<!DOCTYPE html><title>404</title>".ljust(24 * 1024)
LATE_LOGIN = {HttpDialect.WEB_UPDATE, HttpDialect.WIFI_OTA}
"""Pages that cannot be asked for a password but by an upload."""
WITHOUT_FILESYSTEM = {HttpDialect.WEB_UPDATE, HttpDialect.TASMOTA, HttpDialect.ESP_EASY}


def nothing_begun(module: Any) -> bool:
    return not module.events.count_of(Seen.FIRST_BYTE)


def quick(**changes: float) -> UploadLimits:
    """Return limits for tests; only those that a test is about may run out."""
    limits = {"connect": 5.0, "answer": 10.0, "stall": 10.0, "result": 10.0, "rest": 1.0}
    return UploadLimits(**limits | {"poll": 0.01} | changes)


@asynccontextmanager
async def page(dialect: str, chip: str = "esp8266", **config: Any) -> AsyncIterator[HttpModule]:
    """Switch on a quick module; keywords are fields of either configuration."""
    of_page = {one.name for one in fields(HttpConfig)} - {"port"}
    http = {name: config.pop(name) for name in of_page & config.keys()}
    defaults = {"time_scale": 0.005, "limit_scale": 0.3}
    module = HttpModule(
        ModuleConfig(chip=chip, **defaults | config),
        HttpConfig(dialect=dialect, **http),
    )
    async with module:
        yield module


@dataclass
class Uploading:
    """One upload to a virtual module."""

    module: HttpModule
    data: bytes
    kind: ImageKind = ImageKind.SKETCH
    limits: UploadLimits = field(default_factory=quick)
    before: Callable[[], None] = lambda: None
    options: dict[str, Any] = field(default_factory=dict)
    progress: list[tuple[int, int]] = field(default_factory=list)
    begun: int = 0

    def _before_first_byte(self) -> None:
        self.begun += 1
        self.before()

    async def send(self) -> Delivery:
        """Send as an install does, but once."""
        options = {"dialect": UploadDialect(self.module.http.dialect)} | self.options
        transport = HttpUpload(
            Fixed(self.module.host, self.module.http_port), limits=self.limits, **options
        )
        async with asyncio.timeout(30.0):
            return await transport.send(
                payload_for(self.data, self.kind),
                before_first_byte=self._before_first_byte,
                on_progress=lambda sent, total: self.progress.append((sent, total)),
            )

    async def failed(self) -> OtaError:
        """Send in vain; return the error, whose sentence must be whole."""
        with pytest.raises(OtaError) as caught:
            await self.send()
        assert_sentence_is_whole(caught.value.cause, caught.value.facts)
        return caught.value


def upload(module: HttpModule, data: bytes | None = None, **changes: Any) -> Uploading:
    """Prepare an upload; keywords that `Uploading` does not know go to the transport."""
    own = {name: changes.pop(name) for name in ("kind", "limits", "before") if name in changes}
    data = new_firmware(module) if data is None else data
    return Uploading(module, data, options=changes, **own)
