"""The chips that tests of virtual modules switch on, and an image for each."""

from typing import Any

import pytest

from tests.virtual_module import VirtualModule, build_image
from tests.virtual_module.plain_host import ESP8266, LEGACY, PBKDF2, PICO

ESP32: dict[str, Any] = {"chip": "esp32"}
"""Of no particular generation: a module that pulls is not asked for a password."""
ALL = [
    pytest.param(ESP8266, id="esp8266"),
    pytest.param(LEGACY, id="esp32-legacy"),
    pytest.param(PBKDF2, id="esp32-pbkdf2"),
    pytest.param(PICO, id="rp2040"),
]
LIKE_ESP8266 = [ALL[0], ALL[3]]
LIKE_ESP32 = ALL[1:3]
FAMILIES = [ALL[0], pytest.param(PBKDF2, id="esp32"), ALL[3]]
PULLERS = [ALL[0], pytest.param(ESP32, id="esp32"), ALL[3]]
SIZE = 32 * 1024
SILENCE = 0.15
"""Seconds in which an answer over loopback would have come."""


def image_for(chip: dict[str, Any], version: str = "2.0.0", **changes: Any) -> bytes:
    """Return a sketch for a chip, of `SIZE` bytes unless told otherwise."""
    return build_image(chip["chip"], version=version, **{"size": SIZE} | changes)


async def why(module: VirtualModule, count: int = 1) -> tuple[int, str]:
    """Return code and text of a pull that failed, the first unless told otherwise."""
    failed = await module.wait_for("pull_failed", count=count)
    return failed.details["code"], failed.details["text"]
