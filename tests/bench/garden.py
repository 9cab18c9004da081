"""What the processes of a measurement know of each other: names, addresses, images."""

from enum import StrEnum
from typing import Final

from tests.virtual_module import build_image

SECRET: Final = "secret-of-the-house"
MIB: Final = 1024 * 1024
MSS: Final = 1460
WINDOW: Final = 4 * MSS
"""lwIP of the ESP8266 "higher bandwidth" variant, and of the ESP32 within 2 %."""


class Kind(StrEnum):
    """How a module gets its image."""

    PULL = "http_pull"
    PUSH = "arduino_ota"


def name_of(kind: Kind, number: int) -> str:
    """Return a module's name."""
    return f"{kind.name.lower()}-{number}"


def host_of(kind: Kind, number: int) -> str:
    """Return a module's address: each has its own, as at home."""
    return f"127.0.{2 if kind is Kind.PULL else 3}.{1 + number}"


def mac_of(kind: Kind, number: int) -> str:
    """Return a module's MAC."""
    return f"5c:cf:7f:00:0{2 if kind is Kind.PULL else 3}:{number:02x}"


def image(version: str, size: int) -> bytes:
    """Return the firmware of all modules."""
    return build_image("esp8266", name="bench", version=version, size=size)
