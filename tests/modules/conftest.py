"""What tests of modules beside each other share."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from tests.kit.garden import Garden, patience
from tests.kit.neighbours import Neighbours


@pytest.fixture
async def neighbours(garden: Garden) -> AsyncIterator[Neighbours]:
    """Return what switches modules on; all are off again after the test."""
    waits = patience(evidence=2.0, retry_pause=1.0)  # some never say what they run
    garden.house.patience = replace(waits, doubt=5.0)
    async with AsyncExitStack() as stack:
        yield Neighbours(garden, stack)
