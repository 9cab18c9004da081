"""Everything that one run needs, started and ended together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import shutil
import tempfile

from .client import Client
from .home import PORT, STATE, Home, write_config
from .modules import Module, RunningModule

PICTURES = STATE / "pictures"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """How a run is set up."""

    port: int = PORT
    interface: str = "127.0.0.1"
    """The address on which modules join mDNS."""
    verbose: bool = False
    keep: bool = False
    """Whether the configuration directory is kept."""
    configuration: str | None = None
    """What `configuration.yaml` is instead of the garden's."""
    package: Path | None = None
    """The zip that is installed; without one what is here, as a release would have it."""
    pictures: Path = PICTURES
    """Where a scenario's pictures go."""


class Modules(dict[str, RunningModule]):
    """The modules that are switched on, by name; each may be at any time."""

    def __init__(self, stack: AsyncExitStack, folder: Path, interface: str) -> None:
        """Nothing is switched on; what is, goes off with the stack."""
        super().__init__()
        self._stack = stack
        self._folder = folder
        self._interface = interface

    async def start(self, module: Module, *arguments: str) -> RunningModule:
        """Switch a module on, and put its new firmware where Home Assistant finds it."""
        module.place_firmware(self._folder)
        running = await RunningModule.start(module, self._interface, *arguments)
        self[module.name] = running
        self._stack.push_async_callback(running.end)
        return running


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A running Home Assistant, a person's session and virtual modules."""

    home: Home
    client: Client
    modules: Modules
    setting: Setting


@asynccontextmanager
async def config_directory(setting: Setting) -> AsyncIterator[Path]:
    """Make a configuration directory that goes when it is no longer needed."""
    STATE.mkdir(parents=True, exist_ok=True)
    config = Path(tempfile.mkdtemp(dir=STATE))
    try:
        write_config(config, setting.port, setting.package)
        if setting.configuration is not None:
            (config / "configuration.yaml").write_text(setting.configuration)
        yield config
    finally:
        if setting.keep:
            print(f"kept: {config}")
        else:
            shutil.rmtree(config, ignore_errors=True)


@asynccontextmanager
async def bench(
    setting: Setting, modules: Sequence[Module], *, arguments: Sequence[str] = ()
) -> AsyncIterator[Bench]:
    """Start it all; `arguments` are further ones for each module."""
    async with AsyncExitStack() as stack:
        config = await stack.enter_async_context(config_directory(setting))
        home = Home(config, port=setting.port, verbose=setting.verbose)
        running = Modules(stack, home.firmware_folder, setting.interface)
        stack.push_async_callback(home.stop)
        async with asyncio.TaskGroup() as group:
            group.create_task(home.start())
            for module in modules:
                group.create_task(running.start(module, *arguments))
        client = await stack.enter_async_context(Client(home.url))
        yield Bench(home=home, client=client, modules=running, setting=setting)
