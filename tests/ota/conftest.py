"""Fixtures and helpers for the core, which is tested without a Home Assistant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import hashlib
import json
from pathlib import Path
import string
from typing import Any

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir
import pytest
import pytest_socket

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Cause,
    ChipFamily,
    Delivery,
    ImageKind,
    Payload,
)
from custom_components.esp_ota.ota.transport._invitation import InvitationLimits
from custom_components.esp_ota.ota.transport._stream import StreamLimits
from custom_components.esp_ota.ota.transport.arduino_ota import PushLimits
from tests.virtual_module import Family, VirtualModule, build_image

# A busy machine must not fail a test, and a test that passed must pass again.
set_hypothesis_home_dir(".cache/hypothesis")
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("steady")

_TRANSLATIONS = Path(__file__).parents[2] / "custom_components/esp_ota/translations/en.json"

_SOON_BACK = {"offline_time": 2.5}
"""Scaled down further by `start_module`: most tests here only wait for it."""
GENERATIONS: dict[str, dict[str, Any]] = {
    "esp8266": {"chip": "esp8266"} | _SOON_BACK,
    "esp32_md5": {"chip": "esp32", "generation": "legacy"} | _SOON_BACK,
    "esp32_pbkdf2": {"chip": "esp32s3", "generation": "pbkdf2"} | _SOON_BACK,
    "pico": {"chip": "rp2040"} | _SOON_BACK,
}
"""One module of each behaviour: configurations for `start_module`."""
FAMILIES = {
    Family.ESP8266: ChipFamily.ESP8266,
    Family.ESP32: ChipFamily.ESP32,
    Family.PICO: ChipFamily.RP2,
}


@pytest.fixture(autouse=True)
def _loopback_sockets() -> None:
    """Let the core talk over the whole of loopback, so that it can meet strangers there."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1", "127.0.0.2"])


@pytest.fixture(autouse=True)
def _custom_integrations() -> None:
    """Start no Home Assistant; the fixture of the same name one folder up does."""


@pytest.fixture(autouse=True)
def _zeroconf_on_loopback() -> None:
    """Leave zeroconf alone; nothing here announces anything."""


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
            self.module.host, self.module.port, limits=self.limits, **options
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


def sentence_of(cause: Cause) -> str:
    """Return what the person reads of a cause, before its facts are filled in."""
    texts = json.loads(_TRANSLATIONS.read_text(encoding="utf-8"))
    sentence: str = texts["exceptions"][cause]["message"]
    return sentence


def placeholders_of(cause: Cause) -> set[str]:
    """Return what the person's sentence for a cause needs, besides the module's name."""
    sentence = sentence_of(cause)
    names = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    return names - {"module"}


def assert_sentence_is_whole(cause: Cause, facts: Mapping[str, str]) -> None:
    """Check that the sentence for this cause finds all that it names."""
    missing = {name for name in placeholders_of(cause) if facts.get(name, "None") == "None"}
    assert not missing, f"{cause} names {missing}, facts are {facts}"
    told = sentence_of(cause).format(module="garden-valve", **facts)
    assert "garden-valve" in told or "{module}" not in sentence_of(cause)
    assert all(facts[name] in told for name in placeholders_of(cause))
