"""The world that a pipeline runs in."""

import pytest

from tests.ota.pipeline.world import World


@pytest.fixture
async def world() -> World:
    return World()
