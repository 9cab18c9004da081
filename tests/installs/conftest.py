"""Modules whose installs are tested: with an older and a newer version in the library."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.house.house import Patience
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import TALKING, Garden, options_for
from tests.virtual_module import Fault, VirtualModule

type Plant = Callable[..., Awaitable[tuple[VirtualModule, MockConfigEntry]]]
"""The fixture `plant`: takes the module's faults, and options as keywords."""


@pytest.fixture
def patient() -> Patience:
    """Return how long `plant` waits; files that wait otherwise have their own."""
    return TALKING


@pytest.fixture
def plant(garden: Garden, start_module: StartModule, patient: Patience) -> Plant:
    """Return what sets up a module that says that it runs 1.0.0, while 1.1.0 is there too."""

    async def plant(
        faults: Iterable[Fault] = (), **options: Any
    ) -> tuple[VirtualModule, MockConfigEntry]:
        module = await start_module(advertise=True, faults=faults)
        garden.house.patience = patient
        await garden.release("1.0.0")
        await garden.release("1.1.0")
        entry = await garden.add(entry_for(module, options=options_for(**options)))
        await garden.runs("1.0.0")
        return module, entry

    return plant
