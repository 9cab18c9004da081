"""A goosebit as it comes from PyPI decides what a module runs."""

from collections.abc import AsyncIterator
import os
from pathlib import Path
import subprocess
import sys

import pytest

from tests.kit.assigned import TARGET, Assigned
from tests.kit.entries import firmware
from tests.kit.goosebit import VENV, WITHOUT, Goosebit
from tests.kit.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def goosebit(tmp_path: Path) -> AsyncIterator[Goosebit]:
    if not VENV.exists():
        if os.environ.get(WITHOUT) == "1":
            pytest.skip(f"{WITHOUT}=1")
        pytest.fail(f"goosebit is not here: run script/setup goosebit, or set {WITHOUT}=1")
    async with Goosebit(tmp_path) as server:
        yield server


def packed(folder: Path, *versions: str, chip: str = "esp8266") -> list[Path]:
    """Pack sketches as a person does."""
    containers = []
    for version in versions:
        sketch = folder / f"garden-valve-{version}.{chip}.bin"
        sketch.write_bytes(firmware(version, chip))
        output = folder / f"{version}.swu"
        command = [sys.executable, str(ROOT / "script/make_swu.py"), str(sketch)]
        subprocess.run([*command, "--output", str(output)], check=True, timeout=60)
        containers.append(output)
    return containers


async def test_a_rollout_of_goosebit_is_installed_and_counted_once(
    assigned: Assigned, goosebit: Goosebit, tmp_path: Path
) -> None:
    (container,) = packed(tmp_path, "1.1.0")
    await assigned.open(goosebit.url)
    module = await assigned.add()
    await goosebit.roll_out(await goosebit.publish(container))
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    assert module.running_version == "1.1.0"
    device = {}

    async def state() -> str:
        device.update(await goosebit.device(TARGET))
        return str(device.get("last_state"))

    while await state() != "Finished":
        await assigned.visited()
    print(device)
    assert device["sw_version"] == "1.1.0"
    for _ in range(3):
        await assigned.visited()
    [rollout] = await goosebit.rollouts()
    assert (rollout["success_count"], rollout["failure_count"]) == (1, 0)
