"""A goosebit as it comes from PyPI decides what a module runs."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tests.kit.assigned import TARGET, Assigned
from tests.kit.entries import firmware
from tests.kit.goosebit import VENV, WITHOUT, Goosebit
from tests.kit.places import ROOT
from tests.virtual_module import Fault

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def installed() -> None:
    """Have goosebit, or say how to get it."""
    if not VENV.exists():
        if os.environ.get(WITHOUT) == "1":
            pytest.skip(f"{WITHOUT}=1")
        pytest.fail(f"goosebit is not here: run script/setup goosebit, or set {WITHOUT}=1")


@pytest.fixture
async def goosebit(tmp_path: Path, installed: None) -> AsyncIterator[Goosebit]:
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
    device = await in_state(assigned, goosebit, "Finished")
    assert device["sw_version"] == "1.1.0"
    for _ in range(3):
        await assigned.visited()
    [rollout] = await goosebit.rollouts()
    assert (rollout["success_count"], rollout["failure_count"]) == (1, 0)


async def in_state(assigned: Assigned, goosebit: Goosebit, state: str) -> dict[str, Any]:
    """Return what the server knows of the module, once it has a state there."""
    async with asyncio.timeout(60):
        while (device := await goosebit.device(TARGET)).get("last_state") != state:
            await assigned.visited()
    return device


async def test_a_changed_rollout_is_not_installed_and_a_failure_waits_for_force(
    assigned: Assigned, goosebit: Goosebit, tmp_path: Path
) -> None:
    first, second = packed(tmp_path, "1.1.0", "1.2.0")
    await assigned.open(goosebit.url)
    module = await assigned.add(faults={Fault.WRONG_MD5: 1})
    old = await goosebit.roll_out(await goosebit.publish(first))
    await assigned.offered("1.1.0")
    await assigned.pause()
    await goosebit.call("PATCH", "rollouts", json={"ids": [old], "paused": True})
    await assigned.garden.refused("deployment_changed")
    assigned.server.async_start()
    # A withdrawn rollout is told by a link that is missing.
    await assigned.soon(lambda: "assigned" not in assigned.note)
    software = await goosebit.publish(second)
    await goosebit.roll_out(software)
    await assigned.offered("1.2.0")
    err = await assigned.garden.press()
    assert err is not None
    await in_state(assigned, goosebit, "Error")
    assert module.running_version == "1.0.0"
    await assigned.visited()
    await assigned.visited()
    assert "assigned" not in assigned.note
    force = {"devices": [TARGET], "force_update": True}
    await goosebit.call("PATCH", "devices", json=force)
    await assigned.offered("1.2.0")
    await assigned.garden.install()
    device = await in_state(assigned, goosebit, "Finished")
    assert (device["sw_version"], module.running_version) == ("1.2.0", "1.2.0")


async def test_the_ending_is_told_once_after_the_server_was_restarted(
    assigned: Assigned, tmp_path: Path, installed: None
) -> None:
    (container,) = packed(tmp_path, "1.1.0")
    options = {"GOOSEBIT_DEVICE_AUTH__ENABLE": "true", "GOOSEBIT_DEVICE_AUTH__MODE": "strict"}
    async with Goosebit(tmp_path, options=options) as goosebit:
        device = {"devices": [TARGET], "auth_token": "its-own-token"}
        await goosebit.call("PUT", "devices", json=device)
        await goosebit.roll_out(await goosebit.publish(container))
        tokens = {TARGET: "its-own-token"}
        await assigned.open(goosebit.url, login="target", tokens=tokens)
        await assigned.add()
        await assigned.offered("1.1.0")
        await assigned.garden.begin(assigned.garden.press(), "restarting")
        await goosebit.stop()
        await assigned.soon(lambda: "closing" in assigned.note)
        await assigned.soon(lambda: assigned.server.cause == "source_unreachable")
        await goosebit.start()
        assigned.answer_again()
        await in_state(assigned, goosebit, "Finished")
        await assigned.soon(lambda: "closing" not in assigned.note)
        [rollout] = await goosebit.rollouts()
        assert (rollout["success_count"], rollout["failure_count"]) == (1, 0)
