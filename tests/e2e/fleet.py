"""Modules that run one firmware, and switch nothing that has to be made safe."""

from typing import Final

from tests.virtual_module import Chip

from .client import Client
from .flows import add_discovered
from .garden import VALVE
from .modules import Module

BEDS: Final = tuple(
    Module(
        name=f"bed-{number}",
        firmware="drip",
        chip=Chip.ESP8266,
        host=f"127.0.0.{10 + number}",
        equipment=VALVE,
        notes="Waters by the moisture of the soil, not by the clock.",
    )
    for number in (1, 2, 3)
)


async def add_bed(client: Client, bed: Module) -> str:
    """Add one that was discovered, and return its entry."""
    return await add_discovered(client, bed.name, {"equipment": "nothing"})
