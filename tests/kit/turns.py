"""Places in the queue of a test's house, taken by nobody's install."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from custom_components.esp_ota.house import House
from tests.kit.entries import entry_for
from tests.virtual_module import ModuleConfig, VirtualModule


@asynccontextmanager
async def turn_of(house: House, name: str = "somebody") -> AsyncIterator[None]:
    """Wait for a turn as an install does, and hold it."""
    entry = entry_for(VirtualModule(ModuleConfig()), unique_id=name, name=name)
    ticket = house.queue.async_join(entry)
    try:
        async with ticket:
            yield
    finally:
        house.queue.async_leave(ticket)
