"""Entries of virtual modules, and small firmware for them."""

from collections.abc import Awaitable, Callable
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from tests.virtual_module import VirtualModule, build_image

type StartModule = Callable[..., Awaitable[VirtualModule]]
"""The fixture `start_module`: takes what `ModuleConfig` takes."""


def entry_for(module: VirtualModule, **changes: Any) -> MockConfigEntry:
    """Return the entry that the flow makes for a discovered module."""
    options = changes.pop("options", {"equipment": "nothing", "firmware": "garden-valve"})
    return MockConfigEntry(
        domain=DOMAIN,
        title="garden-valve",
        unique_id=changes.pop("unique_id", "garden-valve"),
        data={
            "kind": "module",
            "name": "garden-valve",
            "host": "127.0.0.1",
            "port": module.port,
            "service_name": "garden-valve._arduino._tcp.local.",
            "board": "nodemcuv2",
            "mac": None,
            "auth_required": False,
        }
        | changes,
        options=options,
    )


def firmware(version: str, chip: str = "esp8266", name: str = "garden-valve") -> bytes:
    """Return a small real-looking image."""
    return build_image(chip, name=name, version=version)
