"""Fixtures: a Home Assistant with real sockets on loopback, and virtual modules."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
import pytest_socket
from syrupy.assertion import SnapshotAssertion
from zeroconf import IPVersion

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from homeassistant.util.async_ import get_scheduled_timer_handles
from tests.kit.entries import StartModule
from tests.virtual_module import ModuleConfig, VirtualModule

pytest.register_assert_rewrite(
    "tests.kit.garden", "tests.kit.sentences", "tests.conformance.trials"
)

# After the line above, or their asserts say little.
from tests.conformance.page import seen  # noqa: E402
from tests.kit.garden import Garden  # noqa: E402

_SEEN_BY_WORKERS: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what was logged travel from a worker: text of modules may hold half a surrogate."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker begin with its share of what takes longest.

    xdist gives each worker a part of the list as long as the others; at its end they take from
    each other. A file's tests stay together, or each worker would read all translations anew.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    longest, others = [], []
    for item in items:
        (longest if item.get_closest_marker("timeout") else others).append(item)
    share = len(others) // workers + 1
    items[:] = [
        item
        for worker in range(workers)
        for item in longest[worker::workers] + others[worker * share : (worker + 1) * share]
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker saw of the conformance matrix to whoever prints."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["conformance"] = list(seen())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker saw of it; one that crashed saw nothing."""
    _SEEN_BY_WORKERS.extend(getattr(node, "workeroutput", {}).get("conformance", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was run of the conformance matrix."""
    for line in (*_SEEN_BY_WORKERS, *seen()):
        terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _loopback_sockets() -> None:
    """Let tests talk over loopback, and only there."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1", "224.0.0.251"])


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Check what asyncio's debug mode checks, but keep no stack for each future.

    The stacks only say where a future was made, and cost half of all the time. In place of the
    fixture of Home Assistant's test kit.
    """
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.get_debug = lambda: False  # type: ignore[method-assign]


@pytest.fixture
def _zeroconf_timers() -> Iterator[None]:
    """Cancel what a closed zeroconf leaves in the loop; a timer of ours still fails the test."""
    yield
    for handle in get_scheduled_timer_handles(asyncio.get_event_loop()):
        owner = getattr(handle._callback, "__self__", None)
        if type(owner).__module__.startswith("zeroconf"):
            handle.cancel()


@pytest.fixture
def hass(_zeroconf_timers: None, hass: HomeAssistant) -> HomeAssistant:
    """Return a Home Assistant that loads `custom_components/` of this repository."""
    hass.data.pop(DATA_CUSTOM_COMPONENTS)
    return hass


async def _nothing(*_: object) -> None:
    """Stand in for what tests do not start."""


@pytest.fixture(autouse=True, scope="session")
def disable_http_server() -> Iterator[None]:
    """Let Home Assistant's web server bind nothing by itself; tests that ask it start their own.

    Once, in place of the fixture of Home Assistant's test kit, which mocks anew for each test.
    """
    server = "homeassistant.components.http.HomeAssistantHTTP"
    with patch(f"{server}.async_bind", _nothing), patch(f"{server}.start", _nothing):
        yield


@pytest.fixture(autouse=True, scope="session")
def _zeroconf_on_loopback() -> Iterator[None]:
    """Keep Home Assistant's own zeroconf real, but off the person's network."""

    def loopback(_: HomeAssistant) -> dict[str, Any]:
        return {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}

    def leave_others(_: object) -> None:
        """Let the virtual modules of this process have zeroconfs of their own."""

    discovery = "homeassistant.components.zeroconf"
    with (
        patch(f"{discovery}._async_get_zc_args", loopback),
        patch(f"{discovery}.install_multiple_zeroconf_catcher", leave_others),
    ):
        yield


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare entries and states without their ids and times."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def config_dir(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a config directory of this test's own, for images and the watched folder."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path


@pytest.fixture
async def start_module() -> AsyncIterator[StartModule]:
    """Return what switches a virtual module on; all are off again after the test."""
    async with AsyncExitStack() as stack:

        async def start(**config: Any) -> VirtualModule:
            # Off for 0.3 s after a restart, so that a busy machine sees that it was off.
            defaults: dict[str, Any] = {
                "time_scale": 0.02,
                "offline_time": 15.0,
                "hostname": "garden-valve",
            }
            module = VirtualModule(ModuleConfig(**defaults | config))
            return await stack.enter_async_context(module)

        yield start


@pytest.fixture
async def esp_ota(hass: HomeAssistant, config_dir: Path) -> None:
    """Set up the integration without any module."""
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()


@pytest.fixture
async def garden(hass: HomeAssistant, esp_ota: None, monkeypatch: pytest.MonkeyPatch) -> Garden:
    """Return a house with a valve, the integration, and not yet a module."""
    # On loopback "port unreachable" comes at once.
    monkeypatch.setattr("custom_components.esp_ota.ota.module.probe._UDP_WAIT", 0.03)
    return await Garden.plant(hass)


@pytest.fixture
async def module(garden: Garden, start_module: StartModule) -> VirtualModule:
    """Switch on a module that nothing is wrong with, and have a release for it."""
    await garden.release("1.1.0")
    return await start_module()
