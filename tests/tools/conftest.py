"""What tests of tools are given."""

from pathlib import Path
from typing import Any

import pytest

from tests.tools.curl import Curl


@pytest.fixture
def curl_for(tmp_path: Path) -> Any:
    """Return what makes a curl for a module."""
    return lambda module: Curl(module.http_port, tmp_path)
