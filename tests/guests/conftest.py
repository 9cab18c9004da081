"""A yard whose modules have guests beside them."""

import pytest

from tests.kit.entries import StartModule
from tests.kit.garden import Garden, patience
from tests.kit.yard import Yard


@pytest.fixture
def yard(garden: Garden, start_module: StartModule) -> Yard:
    garden.house.patience = patience(evidence=0.1, breath=0.1)
    return Yard(garden, start_module)
