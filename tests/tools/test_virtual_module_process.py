"""A virtual module as a process of its own, and what it says over mDNS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import signal
import sys
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.kit.places import ROOT
from tests.virtual_module import Fault, ModuleConfig, VirtualModule, build_image, read_marker
from tests.virtual_module.__main__ import config_from, parser
from tests.virtual_module.advert import SERVICE, txt_record
from tests.virtual_module.board import Board
from tests.virtual_module.check_peers import CASES, MODULES, Tool
from tests.virtual_module.plain_host import Host, bench


class Process:
    """A module started from the command line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def event(self, name: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while line := await self.process.stdout.readline():
                told: dict[str, Any] = json.loads(line)
                if told["event"] == name:
                    return told
        raise AssertionError(f"the process ended without {name}")

    async def stop(self, number: int) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(10):
            return await self.process.wait()


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.virtual_module",
        "--no-advertise",
        "--port=0",
        "--time-scale=0.02",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_a_process_tells_each_event_and_ends_at_a_signal() -> None:
    async with started("--chip=esp32", "--password=secret", "--fault=wrong_md5:1") as module:
        up = await module.event("up")
        host = Host(("127.0.0.1", up["port"]))
        image = build_image("esp32", version="2.0.0")
        assert b"MD5 Check Failed" in await host.push(image, "secret")
        assert (await module.event("rejected"))["code"] == 7
        host.heard = b""
        assert (await host.push(image, "secret")).endswith(b"OK")
        assert (await module.event("back"))["version"] == "2.0.0"
        host.close()
        assert await module.stop(signal.SIGTERM) == 0


@pytest.mark.slow
async def test_a_state_file_outlives_the_process(tmp_path: Path) -> None:
    state = f"--state-file={tmp_path / 'module'}"
    async with started(state, "--version=1.2.3") as module:
        up = await module.event("up")
        assert up["version"] == "1.2.3"
        host = Host(("127.0.0.1", up["port"]))
        await host.push(build_image("esp8266", version="2.0.0"))
        await module.event("back")
        host.close()
        assert await module.stop(signal.SIGINT) == 0
    async with started(state, "--version=1.2.3") as module:
        assert (await module.event("up"))["version"] == "2.0.0"


def test_the_command_line_reaches_every_setting() -> None:
    options = parser().parse_args(
        [
            "--chip=esp32c3",
            "--generation=legacy",
            "--host=127.0.0.7",
            "--firmware=well-pump",
            "--version=3.1.4",
            "--window=0",
            "--sector-time=0.05",
            "--fault=busy:2",
            "--fault=split_ok",
            "--no-txt-firmware",
            "--interface=127.0.0.1",
        ]
    )
    config = config_from(options)
    assert config.faults == {Fault.BUSY: 2, Fault.SPLIT_OK: None}
    assert config.port == 3232
    assert config.advertise
    assert not config.txt_firmware
    assert config.window == 0
    assert config.image is not None
    assert read_marker(config.image) == ("well-pump", "3.1.4")
    known = {action.dest for action in parser()._actions}
    elsewhere = {"faults", "interfaces"}
    assert set(ModuleConfig.__dataclass_fields__) <= known | elsewhere


def test_check_peers_covers_each_generation() -> None:
    tool = Tool(Path("espota.py"), strong=True, patient=True)
    for options in MODULES.values():
        config = ModuleConfig(**options)
        assert all(case.truth(tool, config) and case.payload(config) for case in CASES)


@pytest.mark.parametrize(
    ("config", "entries"),
    [
        (
            {"chip": "esp8266"},
            {"tcp_check": "no", "ssh_upload": "no", "board": "nodemcuv2", "auth_upload": "no"},
        ),
        (
            {"chip": "esp32", "board": "esp32s3box", "password": "secret"},
            {"board": "esp32s3box", "tcp_check": "no", "ssh_upload": "no", "auth_upload": "yes"},
        ),
        (
            {"chip": "rp2040", "password": ""},
            {"tcp_check": "no", "ssh_upload": "no", "board": "rpipicow", "auth_upload": "yes"},
        ),
    ],
)
def test_the_txt_record_has_the_order_of_the_core(
    config: dict[str, Any], entries: dict[str, str]
) -> None:
    plain = txt_record(Board(ModuleConfig(**config, txt_firmware=False)))
    assert list(plain.items()) == list(entries.items())
    rich = txt_record(Board(ModuleConfig(**config)))
    told = {"mac": "5ccf7fa1b2c3", "fw_name": "garden-valve", "fw_version": "1.0.0"}
    assert rich == entries | told


def test_an_image_without_marker_adds_no_version_to_the_record() -> None:
    image = build_image("esp8266", marker=False)
    assert "fw_version" not in txt_record(Board(ModuleConfig(image=image)))


@pytest.mark.slow
async def test_a_restart_is_announced_with_the_new_version_and_without_goodbye() -> None:
    name = f"vm-test.{SERVICE}"
    changes: list[ServiceStateChange] = []
    ours = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)

    def on_change(*, name: str, state_change: ServiceStateChange, **_: object) -> None:
        if name.startswith("vm-test."):
            changes.append(state_change)

    browser = AsyncServiceBrowser(ours.zeroconf, SERVICE, handlers=[on_change])

    async def wait_for_version(wanted: str) -> None:
        async with asyncio.timeout(15):
            while True:
                info = AsyncServiceInfo(SERVICE, name)
                await info.async_request(ours.zeroconf, 3000)
                if info.decoded_properties.get("fw_version") == wanted:
                    return
                await asyncio.sleep(0.05)

    try:
        async with bench(chip="esp8266", hostname="vm-test", advertise=True, offline_time=20.0) as (
            module,
            host,
        ):
            await wait_for_version("1.0.0")
            await host.push(build_image("esp8266", version="2.0.0"))
            await module.wait_for("back")
            await wait_for_version("2.0.0")
        assert changes[0] is ServiceStateChange.Added
        assert ServiceStateChange.Removed not in changes
    finally:
        await browser.async_cancel()
        await ours.async_close()


@pytest.mark.slow
async def test_a_responder_may_be_shared() -> None:
    shared = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    try:
        config = ModuleConfig(hostname="vm-shared", advertise=True)
        async with VirtualModule(config, zeroconf=shared):
            assert shared.zeroconf.registry.async_get_info_name(f"vm-shared.{SERVICE}".lower())
        assert not shared.zeroconf.registry.async_get_service_infos()
    finally:
        await shared.async_close()
