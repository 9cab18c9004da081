"""What `script/bench house` measures, with few modules: that it can be lived, not how fast."""

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tests.bench.garden import image
from tests.bench.many.garden import RELEASES

MODULES = "3"


def lived(life: str, folder: Path) -> dict[str, Any]:
    """Return what one life tells."""
    command = [sys.executable, "-m", "tests.bench.many.house", life, MODULES, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.slow
def test_a_house_that_was_planted_starts_again_and_shows_what_is_added(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for number in range(RELEASES + 2):
        version = f"1.{number}.0"
        path = tmp_path / "new" / f"{number:03}-{version}.bin"
        path.write_bytes(image(version, 16 * 1024))

    lived("plant", tmp_path)
    told = lived("start", tmp_path)

    assert len(told["blocks"]) == 2
    assert told["set_up"]["cpu"] > 0
