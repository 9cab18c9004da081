"""Pushes by ArduinoOTA to a virtual module, without a Home Assistant."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import hashlib
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    ChipFamily,
    Delivery,
    Fixed,
    ImageKind,
    OtaError,
    Payload,
    PushLimits,
)
from custom_components.esp_ota.ota.transport._invitation import InvitationLimits
from custom_components.esp_ota.ota.transport._stream import StreamLimits
from tests.kit.sentences import assert_sentence_is_whole
from tests.virtual_module import Family, VirtualModule, build_image

_SOON_BACK = {"offline_time": 2.5}
"""Scaled down further by `start_module`: most tests here only wait for it."""
GENERATIONS: dict[str, dict[str, Any]] = {
    "esp8266": {"chip": "esp8266"} | _SOON_BACK,
    "esp32_md5": {"chip": "esp32", "generation": "legacy"} | _SOON_BACK,
    "esp32_pbkdf2": {"chip": "esp32s3", "generation": "pbkdf2"} | _SOON_BACK,
    "pico": {"chip": "rp2040"} | _SOON_BACK,
}
"""One module of each behaviour: configurations for `start_module`."""
EACH = pytest.mark.parametrize("generation", GENERATIONS)
ALL = tuple(GENERATIONS)
ESP8266, ESP32_MD5, ESP32, PICO = ALL
NUMBERED, ESP32S = (ESP8266, PICO), (ESP32_MD5, ESP32)
"""Modules that answer with numbers, and modules that keep much to themselves."""
PASSWORD = "watering-can-42"
FAMILIES = {
    Family.ESP8266: ChipFamily.ESP8266,
    Family.ESP32: ChipFamily.ESP32,
    Family.PICO: ChipFamily.RP2,
}


def quick(**changes: Any) -> PushLimits:
    """Return limits for tests; only those that a test is about may run out."""
    invitation: dict[str, Any] = {"answer": 1.5, "tries": 4, "auth_answer": 5.0}
    stream: dict[str, Any] = {
        "stall": 10.0,
        "result": 10.0,
        "text": 1.0,
        "poll": 0.01,
        "restart": 1.5,
    }
    callback = changes.pop("callback", 10.0)
    for limits in (invitation, stream):
        limits.update({name: changes.pop(name) for name in limits if name in changes})
    assert not changes
    return PushLimits(
        callback=callback,
        invitation=InvitationLimits(**invitation),
        stream=StreamLimits(**stream),
    )


def payload_for(data: bytes, kind: ImageKind = ImageKind.SKETCH) -> Payload:
    """Return bytes as a transport takes them."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Payload(data=data, kind=kind, md5=md5)


def new_firmware(module: VirtualModule, version: str = "1.1.0", size: int = 48 * 1024) -> bytes:
    """Return an image for a module's chip."""
    return build_image(module.config.chip, version=version, size=size)


@dataclass
class Push:
    """One push to a virtual module, and what became visible of it."""

    module: VirtualModule
    data: bytes
    limits: PushLimits = field(default_factory=quick)
    kind: ImageKind = ImageKind.SKETCH
    before_first_byte: Callable[[], None] = lambda: None
    options: dict[str, Any] = field(default_factory=dict)
    progress: list[tuple[int, int]] = field(default_factory=list)

    async def send(self) -> Delivery:
        """Send as an install does, but once."""
        options: dict[str, Any] = {"family": FAMILIES[self.module.config.family]} | self.options
        transport = ArduinoOtaPush(
            Fixed(self.module.host, self.module.port), limits=self.limits, **options
        )
        return await transport.send(
            payload_for(self.data, self.kind),
            before_first_byte=self.before_first_byte,
            on_progress=lambda sent, total: self.progress.append((sent, total)),
        )


def push(module: VirtualModule, data: bytes | None = None, **changes: Any) -> Push:
    """Prepare a push; keywords that `Push` does not know go to the transport."""
    own = {name: changes.pop(name) for name in ("kind", "before_first_byte") if name in changes}
    limits = changes.pop("limits", None) or quick()
    data = new_firmware(module) if data is None else data
    return Push(module, data, limits, options=changes, **own)


async def failure_of[E: OtaError](kind: type[E], sending: Awaitable[object]) -> E:
    """Return why a push fails: for this kind of reason, and in a whole sentence."""
    with pytest.raises(kind) as caught:
        async with asyncio.timeout(30):
            await sending
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value
